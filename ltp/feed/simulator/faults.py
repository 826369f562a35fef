"""Faults on command: which are active, how often each may still strike, and until when.

A registry only: the handshake, the clients and the REST side look it up at the point where each fault
strikes. Every fault ends by itself, after a count or a time, so that a forgotten one cannot spoil the next
trial.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ltp.errors import InputError

_DEFAULT_DURATION_S: Final = 10.0

# Parameters of each kind with their defaults; a default's type is the type that is accepted.
KINDS: Final[dict[str, dict[str, Any]]] = {
    # the handshake, counted per connection attempt
    "refuse": {"status": 429, "retry_after_s": 0},
    "slow_accept": {"delay_s": 5.0},
    "drop_after_accept": {"delay_s": 0.0, "how": "reset"},
    "reject": {"reason": 808},
    # states of all connections, by time
    "mute": {"segments": []},  # none: all of them
    "freeze": {},
    # messages to the client, counted per message (half_frame: per connection)
    "half_frame": {"then": "silence"},
    "garbage": {"size": 37},
    "text": {"text": "service will restart"},
    "packed": {"n": 10},
    "unknown_code": {"code": 99},
    "wrong_length": {"length": 0},
    "truncated": {"keep": 5},
    "stale": {"age_s": 86_400},
    "price": {"value": "nan", "keys": []},
    # any answer under /v2
    "rest": {"status": 500, "code": 800},
}
# Without a bound these last ten seconds, others strike once.
_BY_TIME: Final = frozenset({"mute", "freeze", "packed", "stale"})
_ONLY_BY_TIME: Final = frozenset({"mute", "freeze"})
_MAX_DELAY_S: Final = 600.0
_MAX_SIZE: Final = 65_535
_CHOICES: Final = {"how": ("reset", "close"), "then": ("silence", "reset")}


@dataclass
class Fault:
    """One activated fault.

    `left`: how often it may still strike, None without such a bound. `until`: monotonic instant, None
    likewise. `struck`: how often it has struck.
    """

    number: int
    kind: str
    params: Mapping[str, Any]
    left: int | None
    until: float | None
    struck: int = field(default=0)


class Faults:
    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._active: list[Fault] = []
        self._numbers = 0

    def add(
        self, kind: str, *, count: int | None = None, duration_s: float | None = None, **params: Any
    ) -> Fault:
        """Activate a fault, such as `add("reject", reason=807, count=2)`.

        Raises:
            InputError: unknown kind or parameter, or a value of the wrong type.
        """
        if kind not in KINDS:
            raise InputError("kind", str(kind), "one of " + ", ".join(KINDS))
        if count is not None and (type(count) is not int or count < 1 or kind in _ONLY_BY_TIME):
            raise InputError(
                "count",
                str(count),
                f"{kind} has no count" if kind in _ONLY_BY_TIME else "a whole number above 0",
            )
        if duration_s is not None and not (_is_number(duration_s) and 0 < duration_s <= 86_400):
            raise InputError("duration_s", str(duration_s), "seconds, above 0 and up to 86400")
        checked = {
            name: _checked(kind, name, params.pop(name, default), default)
            for name, default in KINDS[kind].items()
        }
        if params:
            raise InputError(
                next(iter(params)),
                "",
                f"{kind} takes " + (", ".join(KINDS[kind]) or "nothing but duration_s"),
            )
        if count is None and duration_s is None:
            count, duration_s = (None, _DEFAULT_DURATION_S) if kind in _BY_TIME else (1, None)
        with self._lock:
            self._numbers += 1
            until = None if duration_s is None else self._monotonic() + duration_s
            fault = Fault(self._numbers, kind, checked, count, until)
            self._active = [*self._active, fault]
        return fault

    def clear(self) -> None:
        with self._lock:
            self._active = []

    @property
    def any(self) -> bool:
        """Whether any fault is active; cheap, because it is read for every trade."""
        return bool(self._active)

    def active(self) -> list[Fault]:
        with self._lock:
            now = self._monotonic()
            self._active = [
                fault
                for fault in self._active
                if fault.left != 0 and (fault.until is None or now < fault.until)
            ]
            return list(self._active)

    def lasts(self, kind: str, segment: str = "") -> bool:
        """Return whether a fault of this kind is active, without using it up.

        `segment`: for faults with a list of segments.
        """
        return self.any and any(fault.kind == kind and _concerns(fault, segment) for fault in self.active())

    def take(self, kind: str, *, key: str = "") -> Fault | None:
        """Let the oldest active fault of this kind strike once.

        `key`: the instrument, for faults with a list of instruments.
        """
        if not self.any:
            return None
        for fault in self.active():
            keys = fault.params.get("keys")
            if fault.kind == kind and (not keys or key in keys):
                with self._lock:
                    if fault.left == 0:
                        continue
                    fault.left = None if fault.left is None else fault.left - 1
                    fault.struck += 1
                return fault
        return None


def _concerns(fault: Fault, segment: str) -> bool:
    segments = fault.params.get("segments")
    return not segments or segment in segments


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _checked(kind: str, name: str, value: Any, default: Any) -> Any:
    if name in _CHOICES:
        good = value in _CHOICES[name]
    elif name == "value":
        good = _is_number(value) or value in ("nan", "inf", "-inf")
    elif isinstance(default, list):
        good = isinstance(value, list) and all(isinstance(item, str) for item in value)
    elif isinstance(default, str):
        good = isinstance(value, str)
    elif isinstance(default, float):
        good = _is_number(value) and 0 <= value <= _MAX_DELAY_S
    elif name == "age_s":
        good = type(value) is int and abs(value) < 2**32
    else:
        good = type(value) is int and (1 if name == "n" else 0) <= value <= _MAX_SIZE
    if not good:
        raise InputError(f"{kind}.{name}", str(value), f"such as {default!r}")
    return value
