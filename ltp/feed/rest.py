"""DhanHQ's REST side: quotes, the account, a new token. At most one call a second in all.

The broker allows one quote call a second to the whole account and threatens to block an account that goes on,
so the pace and the pauses are kept here and not by the callers; `charts`, of which more are allowed, has a
client of its own. `quote_response` interprets the answers. No header of a request is ever logged or raised:
the headers carry the token.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from ltp import metrics
from ltp.core.backoff import parse_retry_after
from ltp.core.instrument import split_key
from ltp.core.ticks.depth import QuoteDetails
from ltp.core.ticks.tick import Tick
from ltp.errors import FeedAuthError, FeedError
from ltp.feed.credentials import Credentials
from ltp.feed.proxy import is_loopback
from ltp.feed.quote_response import read_details, read_error, read_quotes

PACE_S: Final = 1.1  # one a second is the rule; a second call 1.0 s after the first was seen refused
TIMEOUT_S: Final = 5.0
MAX_KEYS: Final = 1_000
MAX_BODY: Final = 8 << 20  # a thousand quotes with depth have about one megabyte
LIMITED_PAUSES_S: Final = (5.0, 15.0, 60.0)
BLOCKING_PAUSE_S: Final = 60.0  # by the text of 805, going on may get the account blocked
CLOCK_WRONG_S: Final = 5.0  # less may be a slow answer, and `Date` has whole seconds
_TOO_MANY: Final = (429, 805, 904)


class DetailsListener(Protocol):
    """`wanted`: the instruments whose details it takes."""

    @property
    def wanted(self) -> Collection[str]: ...
    def take(self, answered: Mapping[str, QuoteDetails]) -> None: ...


class RestClient:
    """Thread-safe: calls wait for each other, each up to `pace_s` and TIMEOUT_S for every call before it.

    `clock_error_s`: by how much this host's clock is ahead of the broker's, by the `Date` of its last answer;
    None before one.

    Every public method raises FeedError or FeedAuthError with the broker's number in `code`, and ConfigError
    when the credentials cannot be read.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        pace_s: float = PACE_S,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Any] = time.sleep,
    ) -> None:
        self._base_url, self._credentials = base_url.rstrip("/"), credentials
        self._pace_s, self._clock, self._monotonic, self._sleep = pace_s, clock, monotonic, sleep
        self._lock = threading.Lock()
        self._free_at = self._paused_until = float("-inf")
        self._limited = 0
        self.clock_error_s: float | None = None
        self._details: DetailsListener | None = None
        self._session = requests.Session()
        # The proxy rule of the feed.
        self._session.trust_env = not is_loopback(urlsplit(base_url).hostname or "")

    @property
    def paused_s(self) -> float:
        """Seconds for which every call is still refused after a "too many requests" of the broker, else 0."""
        return max(0.0, self._paused_until - self._monotonic())

    def true_time(self) -> float:
        """Return seconds since the epoch by this host's clock, corrected where it is known to be wrong."""
        error_s = self.clock_error_s or 0.0
        return self._clock() - (error_s if abs(error_s) > CLOCK_WRONG_S else 0.0)

    def follow_details(self, listener: DetailsListener) -> None:
        """Give the details of wanted instruments in the answers of `quotes` to `listener`, on that thread."""
        self._details = listener

    def quotes(self, keys: Sequence[str]) -> dict[str, Tick]:
        """Return the broker's quotes of `keys` as ticks marked REST; keys without a price are absent.

        More than 1,000 keys take several calls, a second apart.

        Raises:
            FeedError, FeedAuthError: with the broker's number in `code`; nothing is returned of earlier
                calls.
        """
        ticks: dict[str, Tick] = {}
        for start in range(0, len(keys), MAX_KEYS):
            some = keys[start : start + MAX_KEYS]
            by_segment: dict[str, list[int]] = {}
            for key in some:
                segment, security_id = split_key(key)
                by_segment.setdefault(segment, []).append(security_id)
            body = self._call("POST", "/marketfeed/quote", by_segment)
            received_at_us = int(self._clock() * 1e6)
            ticks.update(read_quotes(body, some, received_at_us))
            listener = self._details
            if listener is not None and (wanted := frozenset(listener.wanted).intersection(some)):
                listener.take(read_details(body, wanted, received_at_us))
        return ticks

    def post(self, path: str, body: Any) -> Any:
        """Return the JSON that an endpoint answers to `body`. Raises FeedError, FeedAuthError."""
        return self._call("POST", path, body)

    def profile(self) -> dict[str, str]:
        """Return the text fields of the broker's account document. Raises FeedError, FeedAuthError."""
        body = self._call("GET", "/profile")
        return (
            {name: value for name, value in body.items() if isinstance(value, str)}
            if isinstance(body, dict)
            else {}
        )

    def account_refusal(self) -> str:
        """Return why this account cannot have the feed, "" when it can or when that cannot be found out."""
        try:
            plan = self.profile().get("dataPlan", "Active")
        except FeedError as error:
            # 403 may be a firewall's, for the same limit as the feed's.
            return str(error) if isinstance(error, FeedAuthError) and error.code != 403 else ""
        return (
            "" if plan.casefold() == "active" else f"The account's data plan is not active but {plan[:20]!r}"
        )

    def renew_token(self, credentials: tuple[str, str]) -> str:
        """Return a new access token for that of `credentials`, which is dead from then on. Raises FeedError,
        FeedAuthError.
        """
        body = self._call("GET", "/RenewToken", credentials=credentials)
        inner = body.get("data", body) if isinstance(body, dict) else {}
        token = inner.get("accessToken") or inner.get("token") if isinstance(inner, dict) else None
        if not isinstance(token, str) or not token:
            raise FeedError("The broker's answer to the renewal of the token has no token in it")
        return token

    def _call(
        self, method: str, path: str, body: Any = None, *, credentials: tuple[str, str] | None = None
    ) -> Any:
        with self._lock:
            if self.paused_s > 0:
                raise FeedError(
                    f"REST is paused for {self.paused_s:.0f} s: the broker answered with too many requests",
                    429,
                )
            self._sleep(max(0.0, self._free_at - self._monotonic()))
            try:
                status, retry_after_s, answer = self._exchange(
                    method, path, body, credentials or self._credentials.current()
                )
            finally:
                self._free_at = self._monotonic() + self._pace_s
            metrics.count("rest_calls")
            error = read_error(status, answer, retry_after_s)
            if error is None:
                self._limited = 0
                return answer
            metrics.count(f"rest_errors.{error.code}")
            if status == 429 or error.code in _TOO_MANY:
                self._pause(error)
            raise error

    def _exchange(
        self, method: str, path: str, body: Any, credentials: tuple[str, str]
    ) -> tuple[int, float, Any]:
        """Make one call; return status, Retry-After in seconds and the JSON, None where there is no JSON."""
        client_id, token = credentials
        # The renewal reads the id under a name of its own; both are harmless everywhere.
        headers = {
            "access-token": token,
            "client-id": client_id,
            "dhanClientId": client_id,
            "Accept": "application/json",
        }
        called_at = self._clock()
        try:
            with self._session.request(
                method,
                self._base_url + path,
                json=body,
                headers=headers,
                timeout=TIMEOUT_S,
                allow_redirects=False,  # the token would be sent to the target of the redirect
                stream=True,
            ) as response:
                text = self._read(response)
        except (requests.RequestException, HTTPError, OSError, UnicodeError) as error:
            raise FeedError(f"The broker's REST side cannot be reached: {type(error).__name__}") from None
        self._compare_clocks(response.headers.get("Date", ""), called_at)
        retry_after_s = parse_retry_after(response.headers.get("Retry-After", ""), self._clock())
        try:
            return response.status_code, retry_after_s, json.loads(text)
        except (ValueError, RecursionError):
            if response.status_code < 400:
                raise FeedError("The broker's REST side sent no JSON", response.status_code) from None
            return response.status_code, retry_after_s, None

    def _compare_clocks(self, date: str, called_at: float) -> None:
        """Compare the broker's time with the middle of the call; `Date` has whole seconds, cut off."""
        try:
            theirs = parsedate_to_datetime(date).timestamp() + 0.5
        except (ValueError, OverflowError):
            return
        now = self._clock()
        if 0 <= now - called_at <= TIMEOUT_S:  # else this host's clock was set during the call
            self.clock_error_s = (called_at + now) / 2 - theirs

    def _read(self, response: requests.Response) -> bytes:
        """Read the whole body within TIMEOUT_S: the library's time-out starts again with each byte."""
        deadline, chunks, size = self._monotonic() + TIMEOUT_S, [], 0
        while chunk := response.raw.read1(65_536, decode_content=True):
            chunks.append(chunk)
            size += len(chunk)
            if size > MAX_BODY or self._monotonic() > deadline:
                raise FeedError("The broker's REST side sent too much, or took too long")
        return b"".join(chunks)

    def _pause(self, error: FeedError) -> None:
        step_s = LIMITED_PAUSES_S[min(self._limited, len(LIMITED_PAUSES_S) - 1)]
        self._limited += 1
        least_s = BLOCKING_PAUSE_S if error.code == 805 else step_s
        self._paused_until = self._monotonic() + max(least_s, error.retry_after_s)
