"""The machine: what it is, and which core is whose."""

from __future__ import annotations

import hashlib
import os
import platform
import resource
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from hubbub.native import find

ROOT = Path(__file__).parents[2]
CACHE = ROOT / "bench" / ".cache"
SERVER_CORE, LOAD_CORE = 0, 1
FILES = 1_048_576
"""Open files that a process may have, where we may raise the limit so far."""


class NotHereError(Exception):
    """What is needed is not on this machine; the words say what to do."""


def pinned(core: int, *command: str | Path) -> list[str]:
    """The command, on one core alone where there is that core."""
    if core not in os.sched_getaffinity(0):
        return [*map(str, command)]
    return ["taskset", "-c", str(core), *map(str, command)]


def prepare() -> int:
    """Check that measuring is possible here, raise the limit on open files; gives the limit."""
    if not sys.platform.startswith("linux"):
        raise NotHereError("measuring needs Linux: epoll, taskset and /proc")
    cores = os.sched_getaffinity(0)
    if not {SERVER_CORE, LOAD_CORE} <= cores:
        raise NotHereError("measuring needs two cores, 0 for the server and 1 for the load")
    for tool in ("taskset", "cc"):
        if shutil.which(tool) is None:
            raise NotHereError(f"measuring needs {tool}; on Debian: apt-get install util-linux gcc")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for most in (FILES, hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, max(most, hard)))
        except (ValueError, OSError):
            continue
        break
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def said_by(*command: str, cwd: Path | None = None) -> str:
    """The first line that a command prints, or nothing."""
    try:
        done = subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, timeout=20, check=False
        )
    except OSError:
        return ""
    return (done.stdout.strip() or done.stderr.strip()).partition("\n")[0]


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def described() -> dict[str, str]:
    """What a reader of figures has to know of the machine and of the software under Hubbub."""
    siblings = Path("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list")
    names = ("uvloop", "aiohttp", "msgspec")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return {
        "processor": processor(),
        "cores": str(os.cpu_count()),
        "core 0 shares with": siblings.read_text().strip() if siblings.exists() else "unknown",
        "memory": f"{memory:.0f} GiB",
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", platform.system()),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "part in C": "not in use" if find("send_all") is None else "in use",
        **{name: version(name) for name in names},
    }


def busy() -> float:
    """The mean number of running programs in the last minute."""
    return os.getloadavg()[0]


def digest(*folders: Path) -> str:
    """Of the contents of all files under the folders, without what is installed or built there."""
    found = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            parts = set(path.relative_to(folder).parts)
            built = path.suffix == ".so" or parts & {"node_modules", "__pycache__"}
            if path.is_file() and not built:
                found.update(path.relative_to(folder).as_posix().encode())
                found.update(path.read_bytes())
    return found.hexdigest()[:16]


def memory_of(*processes: int, name: str = "VmRSS") -> int:
    """Bytes of resident memory of the processes together."""
    total = 0
    for process in processes:
        status = Path(f"/proc/{process}/status").read_text()
        total += int(status.partition(f"{name}:")[2].split()[0]) * 1024
    return total
