"""One file over HTTP, with bounds on its size, on each wait and on the whole. Does not read the content."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import IO, Final
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from ltp.errors import FeedError
from ltp.feed.proxy import is_loopback

MAX_BYTES: Final = 256 << 20  # some eight times the size of the broker's master
WITHIN_S: Final = 300.0
_TIMEOUT_S: Final = 15.0
_CHUNK: Final = 1 << 16


def download(
    url: str,
    into: IO[bytes],
    *,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Write the body at `url` into a file.

    Args:
        progress: called with the bytes received and the bytes in all, 0 when the server does not announce
            them.
    Raises:
        FeedError: the server cannot be reached, answers with another status than 200, ends before its
            announced length, or sends too much or too slowly. The bytes written by then are of no use.
    """
    host, deadline, done = urlsplit(url).hostname or "the address", monotonic() + WITHIN_S, 0
    try:
        with requests.Session() as session:
            session.trust_env = not is_loopback(host)  # the same rule as the feed's
            with session.get(
                url, stream=True, timeout=_TIMEOUT_S, headers={"Accept-Encoding": "gzip"}
            ) as response:
                if response.status_code != 200:
                    raise FeedError(f"{host} answered with HTTP {response.status_code}", response.status_code)
                encoded = "Content-Encoding" in response.headers
                length = response.headers.get("Content-Length", "")
                total = int(length) if length.isascii() and length.isdigit() and not encoded else 0
                for chunk in response.iter_content(_CHUNK):
                    done += len(chunk)
                    if done > MAX_BYTES or monotonic() > deadline:
                        raise FeedError(
                            f"{host} sent more than {MAX_BYTES >> 20} MiB, "
                            f"or took longer than {WITHIN_S:.0f} s"
                        )
                    into.write(chunk)
                    progress(done, total)
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        raise FeedError(f"The file at {host} cannot be fetched: {type(error).__name__}") from None
    into.flush()
