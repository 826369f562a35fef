"""What a redirect tells the page that it leads to: "this was saved", "an evaluation was asked for". Signed
with a second.

Another web process answers that page, and reads what was written up to two seconds later. With a mark it
knows of it before. A bare time in the address could be made up by any client: the page would claim what was
not asked for, and look for it each time.
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

KNOWN_WITHIN_S: Final = 8.0  # in which the catalog of every web process has read what was written
_SHAPE: Final = re.compile(r"\d{1,12}(-[0-9a-f]{32})?", re.ASCII)


def made(about: str) -> str:
    """Return a mark about something that was written just now."""
    second = str(int(time.time()))
    return f"{second}-{_signature(second, about)}"


def given(name: str) -> str:
    """Return the mark that the present request carries under this name, empty for none.

    Raises:
        InputError: it is given twice, or has not the shape of a mark.
    """
    mark = params.single(pair for pair in request.args.items(multi=True) if pair[0] == name).get(name, "")
    if mark and not _SHAPE.fullmatch(mark):
        raise InputError(name, mark, "it is what a redirect of this site wrote there; leave it out")
    return mark


def second(mark: str, about: str) -> int:
    """Return the second since the epoch in which `made` made this mark about this; 0 for none, any other and
    an old one.
    """
    if not mark:
        return 0
    at, _, signature = mark.partition("-")
    ours = hmac.compare_digest(signature, _signature(at, about)) and bool(services().catalog.site_key)
    # Another machine's clock may be a little ahead.
    return int(at) if ours and abs(time.time() - int(at)) < KNOWN_WITHIN_S else 0


def _signature(at: str, about: str) -> str:
    key = services().catalog.site_key.encode()
    return hmac.new(key, f"{at} {about}".encode(), hashlib.sha256).hexdigest()[:32]
