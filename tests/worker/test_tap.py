"""Several taps are one, and a fault of one costs the others nothing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ltp.core.ticks.tick import UNKNOWN_DAY, TickFields
from ltp.worker.tap import Taps

TICK: TickFields = ("NSE_EQ:1333", 10, None, 1, None, UNKNOWN_DAY, None, "", 0, False)


def test_each_tap_sees_every_tick_though_another_fails(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[TickFields] = []

    def broken(_: Sequence[TickFields]) -> None:
        raise ValueError("of the test")

    taps = Taps(broken, seen.extend)
    taps([TICK])
    taps([TICK])
    assert seen == [TICK, TICK]
    assert caplog.text.count("The tap failed on 1 tick") == 1
