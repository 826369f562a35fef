"""The message of a firing outside of the pages: a JSON document for programs, plain text for people."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple

from ltp.core.alerts.alert import (
    BETWEEN_PACKETS,
    BROKER_CANDLE,
    GAP_AT_OPEN,
    TRADE,
    WHILE_DISCONNECTED,
)
from ltp.core.money import Price, grouped_text, is_currency, rupees
from ltp.core.trading_day import IST

VERSION: Final = 1
MAX_LISTED: Final = 20  # firings that a text lists; the document has all of a digest
_MAX_SUBJECT: Final = 120
_SPACE: Final = "\u200b"  # of no width: it breaks markup apart, and shows as nothing
_HOWS: Final = {
    TRADE: "by a trade",
    BETWEEN_PACKETS: "between two packets: the day's high or low passed the level",
    WHILE_DISCONNECTED: "while disconnected",
    GAP_AT_OPEN: "by a gap at the open",
    BROKER_CANDLE: "by the broker's candle of that minute",
}


class Fired(NamedTuple):
    """A firing as a message has it; for its fields see `core.alerts.alert.Firing`. `firing`, `alert`: ids.
    `symbol`, `name`: of the instrument, "" without one.
    """

    firing: int
    alert: int
    key: str
    symbol: str
    name: str
    rule: str
    note: str
    at: datetime
    ltp: Price | None
    how: str
    since: datetime | None = None
    until: datetime | None = None
    detail: str = ""


class Message(NamedTuple):
    """`id`: the same at each try, so that a receiver may drop a repetition. `fired`: empty for a test of the
    channel, more than one for a digest.
    """

    id: str
    channel: str
    fired: tuple[Fired, ...] = ()


def document(message: Message) -> dict[str, Any]:
    """Return the JSON document. Texts are as they were written: a receiver that shows them escapes them."""
    head: dict[str, Any] = {"v": VERSION, "id": message.id, "channel": message.channel}
    if not message.fired:
        return head | {"kind": "test"}
    if len(message.fired) == 1:
        return head | {"kind": "alert"} | _fields(message.fired[0])
    firings = [_fields(each) for each in message.fired]
    return head | {"kind": "digest", "count": len(firings), "firings": firings}


def subject(message: Message) -> str:
    """Return one line without control and direction marks, at most 120 characters."""
    if not message.fired:
        line = f"Test of the alert channel {message.channel}"
    elif len(message.fired) == 1:
        line = f"Alert: {_title(message.fired[0])}"
    else:
        line = f"{len(message.fired)} alerts: {', '.join(dict.fromkeys(map(_subject, message.fired)))}"
    line = one_line(line)
    return line if len(line) <= _MAX_SUBJECT else f"{line[: _MAX_SUBJECT - 1]}…"


def text(message: Message) -> str:
    """Return the plain text, without the subject."""
    if not message.fired:
        return "This is a test. Firings of alerts that name this channel are sent to it."
    if len(message.fired) == 1:
        return "\n".join(_lines(message.fired[0]))
    more = len(message.fired) - MAX_LISTED
    listed = [
        f"{_clock(each.at)}  {_title(each)}{_priced(each)}{f' ({one_line(each.note)})' if each.note else ''}"
        for each in message.fired[:MAX_LISTED]
    ]
    rest = [f"and {more} more; the page /alerts has them all"] if more > 0 else []
    return "\n".join(["Too many alerts fired for one message each:", "", *listed, *rest])


def one_line(words: str) -> str:
    """Return a text as one line: line ends, control characters and direction marks become spaces."""
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())


def without_markup(words: str) -> str:
    """Return a text in which no chat service finds a mention of people or a link behind other words."""
    return words.replace("@", f"@{_SPACE}").replace("](", f"]{_SPACE}(").replace("<!", f"<{_SPACE}!")


def _fields(fired: Fired) -> dict[str, Any]:
    return {
        "firing": fired.firing,
        "alert": fired.alert,
        "key": fired.key,
        "symbol": fired.symbol,
        "name": fired.name,
        "rule": fired.rule,
        "note": fired.note,
        "at": fired.at.astimezone(IST).isoformat(),
        "ltp": None if fired.ltp is None else rupees(fired.ltp),
        "how": fired.how,
        "detail": fired.detail,
    }


def _lines(fired: Fired) -> list[str]:
    about = f"{fired.symbol} ({fired.name})" if fired.name else fired.symbol
    pairs = (
        ("Instrument", f"{about}, {fired.key}" if fired.key else ""),
        ("Rule", fired.rule),
        ("Price", _price(fired)),
        ("At", f"{fired.at.astimezone(IST):%d %b %Y, %H:%M:%S} IST"),
        ("How", _how(fired)),
        ("Detail", fired.detail),
        ("Note", fired.note),
    )
    return [f"{name}: {one_line(value)}" for name, value in pairs if value]


def _how(fired: Fired) -> str:
    words = _HOWS.get(fired.how, "")
    if words and fired.since and fired.until:
        return f"{words}, between {_clock(fired.since)} and {_clock(fired.until)}"
    return words


def _subject(fired: Fired) -> str:
    return one_line(fired.symbol) or "the market"


def _title(fired: Fired) -> str:
    return one_line(f"{_subject(fired)}: {fired.rule}")


def _price(fired: Fired) -> str:
    return "" if fired.ltp is None else f"₹{grouped_text(fired.ltp, currency=is_currency(fired.key))}"


def _priced(fired: Fired) -> str:
    price = _price(fired)
    return f" at {price}" if price else ""


def _clock(at: datetime) -> str:
    return f"{at.astimezone(IST):%H:%M:%S}"
