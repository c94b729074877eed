"""What a person is told who starts on a Redis that will not do."""

import subprocess
import sys
from pathlib import Path

from tests.command import environment, told
from tests.redis import free_port


def told_of(store: str, folder: Path) -> str:
    """What is told who starts on that, with the password in the environment."""
    return told("serve", cwd=folder, env={"HUBBUB_STORE": store})


def test_a_redis_that_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    where = f"redis://127.0.0.1:{free_port()}/0"
    line = told_of(where, tmp_path)
    assert line.startswith(f"{where} cannot be used (Redis does not answer)")


def test_a_missing_redis_py_is_told_with_its_mend(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; sys.modules['redis'] = None\n"
            "from hubbub.cli import main; sys.argv = ['hubbub', 'serve']; sys.exit(main())",
        ],
        cwd=tmp_path,
        env=environment(HUBBUB_STORE="redis://localhost"),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (
        2,
        "hubbub: a store in Redis needs redis-py, which is not installed;"
        " pip install 'hubbub[cluster]'\n",
    )


def test_a_backup_of_redis_is_refused_and_why(tmp_path: Path) -> None:
    line = told("backup", "copy.db", "--store", "redis://u:hush@h", cwd=tmp_path)
    assert line == (
        "this copies a SQLite file, and --store is in Redis, which keeps files of its own;"
        " copy those, or use hubbub export --all; see docs/cluster.md"
    )
