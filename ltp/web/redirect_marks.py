"""Signed marks in redirects: proof for the next page of a write that its process has not read yet.

A form is answered by one web process and the page behind the redirect by another, which reads SQL every 2 s.
Until then the mark in the address proves that the screen was saved, or that the evaluation was requested.
Any client could invent an unsigned mark: the page would claim a write that never happened, and query SQL.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from typing import Final

from flask import request

from ltp.errors import InputError
from ltp.web import params
from ltp.web.services import services

VALID_FOR_S: Final = 8.0  # by then every web process has read the write
_SHAPE: Final = re.compile(r"\d{1,12}(-[0-9a-f]{32})?", re.ASCII)


def sign(subject: str) -> str:
    """Return a mark for a write of this moment. `subject`: names the write, the same for `signed_at`."""
    second = str(int(time.time()))
    return f"{second}-{_signature(second, subject)}"


def from_request(name: str) -> str:
    """Return the mark in the parameter `name` of the present request, "" without one.

    Raises:
        InputError: the parameter comes twice, or its value does not have the shape of a mark.
    """
    pairs = request.args.items(multi=True)
    mark = params.single(pair for pair in pairs if pair[0] == name).get(name, "")
    if mark and not _SHAPE.fullmatch(mark):
        raise InputError(name, mark, "only a redirect of this site writes it; leave it out")
    return mark


def signed_at(mark: str, subject: str) -> int:
    """Return the instant of `sign` for this subject (seconds since the epoch), 0 if invalid or expired."""
    if not mark:
        return 0
    at, _, signature = mark.partition("-")
    ours = hmac.compare_digest(signature, _signature(at, subject)) and bool(services().catalog.site_key)
    # The clock of the machine that signed may be a little ahead, so the age may be negative.
    return int(at) if ours and abs(time.time() - int(at)) < VALID_FOR_S else 0


def _signature(at: str, subject: str) -> str:
    key = services().catalog.site_key.encode()
    return hmac.new(key, f"{at} {subject}".encode(), hashlib.sha256).hexdigest()[:32]
