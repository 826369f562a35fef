"""The programs that are not Python: ours are compiled, Debian's are looked for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

from bench.servers import Failed

_HERE: Final = Path(__file__).resolve().parent


def compiled(name: str) -> Path:
    """Return the program made of c/NAME.c, compiled when its source or a header is newer."""
    folder, target = _HERE / "c", _HERE / "bin" / name
    sources = [folder / f"{name}.c", *folder.glob("*.h")]
    if not target.exists() or target.stat().st_mtime < max(source.stat().st_mtime for source in sources):
        target.parent.mkdir(exist_ok=True)
        if not shutil.which("cc"):
            raise Failed("there is no C compiler (cc)")
        subprocess.run(["cc", "-O2", "-o", target, sources[0]], check=True)
    return target


def installed(name: str) -> str:
    """Return the path of a program of the system.

    Raises:
        Failed: it is absent.
    """
    path = shutil.which(name, path=f"/usr/local/bin:/usr/bin:/bin:/usr/sbin:{_HERE / 'bin'}")
    if path is None:
        raise Failed(f"{name} is not installed")
    return path
