"""Builds the part in C while the package is built, where that can be done; Python does it else."""

from __future__ import annotations

import shlex
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = "src/hubbub/native"
NAME = f"_native{sysconfig.get_config_var('EXT_SUFFIX') or '.so'}"


def build(source: Path, target: Path) -> str | None:
    """Compile as this Python was compiled, or with `cc`; gives what went wrong, or None."""
    flags = [*shlex.split(sysconfig.get_config_var("CCSHARED") or "-fPIC"), "-O3", "-DNDEBUG"]
    flags += [f"-I{sysconfig.get_path(path)}" for path in ("include", "platinclude")]
    told = ""
    for linker in (sysconfig.get_config_var("LDSHARED"), "cc -shared"):
        command = [*shlex.split(linker or "cc -shared"), *flags, str(source), "-o", str(target)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as problem:
            told = str(problem)
        else:
            if done.returncode == 0:
                return None
            told = done.stderr
    return told


class NativeHook(BuildHookInterface[Any]):
    """Puts `hubbub.native._native` into a wheel, or beside its source for an editable install."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """See hatchling."""
        folder = Path(self.root, FOLDER)
        if version == "editable":
            for old in folder.glob("_native.*.so"):
                old.unlink()
            target = folder / NAME
        else:
            target = Path(tempfile.mkdtemp(), NAME)
        problem = build(folder / "native.c", target)
        if problem is not None:
            self.app.display_warning(f"The part in C was not built, Python does it: {problem}")
        elif version != "editable":
            build_data["pure_python"] = False
            build_data["infer_tag"] = True
            build_data["force_include"][str(target)] = f"hubbub/native/{NAME}"
