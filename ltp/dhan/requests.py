"""The texts that a client sends on the feed: its log-in, then subscribe, unsubscribe, disconnect.

Written for the broker, read by the simulator. Knows no connection: `protocol` and the supervisor decide when
a text is sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple
from urllib.parse import urlencode

from ltp.core.instrument import parse_key
from ltp.dhan.codes import DISCONNECT_REQUEST, MAX_PER_MESSAGE, SUBSCRIBE, UNSUBSCRIBE, Mode
from ltp.errors import InputError


class Request(NamedTuple):
    """One parsed text. `mode` and `keys` of a disconnect are None and empty.

    There may be more keys than the broker allows in a message.
    """

    action: Literal["subscribe", "unsubscribe", "disconnect"]
    mode: Mode | None
    keys: tuple[str, ...]


_ACTIONS: dict[int, tuple[Literal["subscribe", "unsubscribe"], Mode]] = {
    **{code: ("subscribe", mode) for mode, code in SUBSCRIBE.items()},
    **{code: ("unsubscribe", mode) for mode, code in UNSUBSCRIBE.items()},
}


def log_in(client_id: str, token: str) -> str:
    """Return the query of the feed's address."""
    return urlencode({"version": "2", "token": token, "clientId": client_id, "authType": "2"})


def subscribe(keys: Iterable[str], mode: Mode) -> list[str]:
    """Return the messages that ask for `keys`, at most 100 in each. `keys` must be well-formed."""
    return _messages(SUBSCRIBE[mode], list(keys))


def unsubscribe(keys: Iterable[str], mode: Mode) -> list[str]:
    """Return the messages that give `keys` up, at most 100 in each.

    `mode` must be the one they were subscribed in.
    """
    return _messages(UNSUBSCRIBE[mode], list(keys))


def by_mode(write: Callable[[Iterable[str], Mode], list[str]], modes: Mapping[str, Mode]) -> list[str]:
    """Return the messages about keys, each in its mode. `write`: `subscribe` or `unsubscribe`."""
    keys: dict[Mode, list[str]] = {"quote": [], "ticker": [], "full": []}
    for key, mode in modes.items():
        keys[mode].append(key)
    return [message for mode, some in keys.items() for message in write(some, mode)]


def disconnect() -> str:
    # No other key: with an instrument list this looks like an unsubscription and still ends the session.
    return json.dumps({"RequestCode": DISCONNECT_REQUEST})


def parse(text: str) -> Request:
    """Read a client's text. Unknown keys are ignored, ids may be strings or integers.

    Raises:
        InputError: names the field that is not accepted.
    """
    try:
        request = json.loads(text)
    except (ValueError, RecursionError):
        raise InputError("request", text, "a request is a JSON object") from None
    if not isinstance(request, dict):
        raise InputError("request", text, "a request is a JSON object")
    code = request.get("RequestCode")
    if type(code) is int and code == DISCONNECT_REQUEST:
        return Request("disconnect", None, ())
    if type(code) is not int or code not in _ACTIONS:
        raise InputError("RequestCode", str(code), "one of 12, 15, 16, 17, 18, 21, 22")
    action, mode = _ACTIONS[code]
    return Request(action, mode, _keys(request))


def _messages(code: int, keys: Sequence[str]) -> list[str]:
    return [
        _message(code, keys[start : start + MAX_PER_MESSAGE])
        for start in range(0, len(keys), MAX_PER_MESSAGE)
    ]


def _message(code: int, keys: Sequence[str]) -> str:
    # SecurityId is a string, as documented; integers are only known to be tolerated.
    instruments = [dict(zip(("ExchangeSegment", "SecurityId"), key.split(":"), strict=True)) for key in keys]
    return json.dumps({"RequestCode": code, "InstrumentCount": len(keys), "InstrumentList": instruments})


def _keys(request: dict[str, Any]) -> tuple[str, ...]:
    instruments = request.get("InstrumentList")
    if not isinstance(instruments, list) or not instruments:
        raise InputError("InstrumentList", str(instruments), "a list of at least one instrument")
    if request.get("InstrumentCount", len(instruments)) != len(instruments):
        raise InputError(
            "InstrumentCount", str(request["InstrumentCount"]), f"the list has {len(instruments)} instruments"
        )
    return tuple(_key(instrument, f"InstrumentList[{index}]") for index, instrument in enumerate(instruments))


def _key(instrument: object, where: str) -> str:
    if not isinstance(instrument, dict):
        raise InputError(where, str(instrument), "an object with ExchangeSegment and SecurityId")
    segment, security_id = instrument.get("ExchangeSegment"), instrument.get("SecurityId")
    if not isinstance(segment, str) or not isinstance(security_id, (int, str)):
        raise InputError(where, str(instrument), "an object with ExchangeSegment and SecurityId")
    return parse_key(f"{segment}:{security_id}", where)
