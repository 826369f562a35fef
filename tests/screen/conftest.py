"""Histories for tests: from given closes, one a weekday, and random walks with a fixed seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from ltp.screen.history import History

MONDAY = 19723  # 2024-01-01, in days since 1970-01-01


def weekdays(count: int) -> np.ndarray:
    return np.array([MONDAY + 7 * (n // 5) + n % 5 for n in range(count)], np.int32)


def of_closes(closes: Sequence[float], swing: float = 0.01, volume: float = 100_000.0) -> History:
    """Candles that open at the close before and reach `swing` (a share of the close) past both."""
    close = np.array(closes, np.float64)
    opened = np.concatenate([close[:1], close[:-1]])
    high, low = np.maximum(opened, close) * (1 + swing), np.minimum(opened, close) * (1 - swing)
    return History(weekdays(close.size), opened, high, low, close, np.full(close.size, volume))


def walk_of(sessions: int, seed: int = 7) -> History:
    chance = random.Random(seed)
    closes = [500.0]
    for _ in range(sessions - 1):
        closes.append(closes[-1] * (1 + chance.gauss(0.0005, 0.02)))
    made = of_closes(closes)
    gaps = np.array([1 + chance.gauss(0, 0.004) for _ in closes])
    volume = np.array([float(chance.randint(50_000, 400_000)) for _ in closes])
    return made._replace(open=np.clip(made.open * gaps, made.low, made.high), volume=volume)


@pytest.fixture
def closes_history() -> Callable[..., History]:
    return of_closes


@pytest.fixture
def walk() -> Callable[..., History]:
    return walk_of
