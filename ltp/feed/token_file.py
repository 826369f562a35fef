"""The file in which an operator keeps the access token, rewritten with a renewed one. Never logs a token."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

_WRITABLE: Final = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


def replace(path: Path, before: str, token: str) -> str:
    """Put `token` into the file if it still holds `before`; return "", or the reason why it was not written.

    A reader sees the old file or the new one, never a part. The mode stays, and so does the owner where the
    system lets us set it.
    """
    try:
        # Through links, which stay links: orchestrators mount folders of them.
        place = Path(os.path.realpath(path))
        text = place.read_text(encoding="utf-8-sig")
        if text.strip() != before:
            return f"{path} holds another token by now"
        status = place.stat()
        # The superuser may write any file, but a file without any write bit is meant to stay as it is.
        if not (stat.S_ISREG(status.st_mode) and status.st_mode & _WRITABLE and os.access(place, os.W_OK)):
            return f"{path} may not be written"
        _swap(place, f"{token}\n" if text.endswith("\n") else token, status)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        return f"{path} and its folder cannot be written: {reason}"
    return ""


def _swap(place: Path, text: str, status: os.stat_result) -> None:
    # Readable by the owner alone until its mode is set.
    descriptor, beside = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            with suppress(PermissionError):
                os.fchown(descriptor, status.st_uid, status.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        os.replace(beside, place)
    except BaseException:
        os.unlink(beside)
        raise
