"""DhanHQ v2's numbers: segments, request and response codes, limits, disconnect reasons, REST errors.

Tables only: no bytes, no sockets, no waiting. The policy of a failure names the right reaction; the
supervisor carries it out. Source: DhanHQ v2 annexure, corrected where the live feed was seen to differ.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Mode = Literal["ticker", "quote", "full"]
MODES: Final[tuple[Mode, ...]] = ("ticker", "quote", "full")

# Requests name a segment, packet headers number it. 6 was never assigned.
SEGMENT_NUMBERS: Final[dict[str, int]] = {
    "IDX_I": 0,
    "NSE_EQ": 1,
    "NSE_FNO": 2,
    "NSE_CURRENCY": 3,
    "BSE_EQ": 4,
    "MCX_COMM": 5,
    "BSE_CURRENCY": 7,
    "BSE_FNO": 8,
}
SEGMENT_NAMES: Final[dict[int, str]] = {number: name for name, number in SEGMENT_NUMBERS.items()}

SUBSCRIBE: Final[dict[Mode, int]] = {"ticker": 15, "quote": 17, "full": 21}
UNSUBSCRIBE: Final[dict[Mode, int]] = {"ticker": 16, "quote": 18, "full": 22}
DISCONNECT_REQUEST: Final = 12

MAX_PER_MESSAGE: Final = 100  # instruments in one request; more is answered with 804
MAX_PER_CONNECTION: Final = 5_000
MAX_CONNECTIONS: Final = 5  # one more, and the broker cuts the oldest with 805

TICKER: Final = 2
QUOTE: Final = 4
OPEN_INTEREST: Final = 5
PREV_CLOSE: Final = 6
MARKET_STATUS: Final = 7
FULL: Final = 8
DISCONNECT: Final = 50

# retry: back off and come again. limited: no process may connect for 60 s and more, or the broker blocks the
# account. refresh: get a new token, then try once. fatal: only a human can help. request: this request was
# wrong, the rest goes on.
Policy = Literal["retry", "limited", "refresh", "fatal", "request"]


class Reason(NamedTuple):
    """A failure that the broker names by number, in the code-50 packet or in a REST body.

    `sentence` is for an operator.
    """

    code: int
    sentence: str
    policy: Policy


REASONS: Final[dict[int, Reason]] = {
    reason.code: reason
    for reason in (
        Reason(800, "The broker had an internal error", "retry"),
        Reason(804, "Too many instruments in one request", "request"),
        Reason(805, "Too many requests or connections; is the same account connected elsewhere?", "limited"),
        Reason(806, "The account has no data plan: subscribe to the Data APIs on Dhan", "fatal"),
        Reason(807, "The access token has expired", "refresh"),
        Reason(808, "The broker refuses the client id or the access token", "refresh"),
        Reason(809, "The access token is not valid", "refresh"),
        Reason(810, "The client id is not valid: check DHANHQ_CLIENT_ID", "fatal"),
        Reason(811, "The expiry date is not valid", "request"),
        Reason(812, "The date is not in the accepted format", "request"),
        Reason(813, "There is no such security id", "request"),
        Reason(814, "The request is not valid", "request"),
    )
}


class RestReason(NamedTuple):
    """A failure of the REST side, named `DH-9xx`."""

    code: str
    sentence: str
    policy: Policy


REST_REASONS: Final[dict[str, RestReason]] = {
    reason.code: reason
    for reason in (
        RestReason("DH-901", "The client id or the access token is invalid or has expired", "refresh"),
        RestReason("DH-902", "The account has no access to the data or trading API", "fatal"),
        RestReason("DH-903", "The account may not use this segment", "fatal"),
        RestReason("DH-904", "Too many requests", "limited"),
        RestReason("DH-905", "A field is missing or has a bad value", "request"),
        RestReason("DH-906", "The order request is not valid", "request"),
        RestReason("DH-907", "Wrong parameters, or there is nothing for them", "request"),
        RestReason("DH-908", "The broker had an internal error", "retry"),
        RestReason("DH-909", "The broker could not reach its back end", "retry"),
        RestReason("DH-910", "The broker failed for another reason", "retry"),
    )
}


def reason(code: int) -> Reason:
    """Look a disconnect code up. An unlisted one gets the policy of a close without a code: retry."""
    return REASONS.get(code) or Reason(
        code, f"The broker closed the feed with the unlisted code {code}", "retry"
    )
