"""Counters of this process by name, cheap enough for every packet; read by status page, logs and tests."""

from __future__ import annotations

from collections import Counter

_counts: Counter[str] = Counter()


def count(name: str, n: int = 1) -> None:
    """Add `n` to the counter `name`, a noun and where needed its kind: `feed_reconnects.silent`."""
    _counts[name] += n


def value(name: str) -> int:
    return _counts[name]


def snapshot() -> dict[str, int]:
    return dict(_counts)
