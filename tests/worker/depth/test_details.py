"""When the details of instruments on quote pages are asked for by REST."""

from __future__ import annotations

from collections.abc import Iterable

from ltp.core.ticks.depth import QuoteDetails
from ltp.worker.depth.details import AGAIN_S, FRESH_S, DetailRequests

ONE, TWO = "NSE_EQ:1", "NSE_EQ:2"


class Rig:
    def __init__(self) -> None:
        self.now = 100.0
        self.written: list[QuoteDetails] = []
        self.details = DetailRequests(self.write, lambda: self.now)

    def write(self, details: Iterable[QuoteDetails]) -> None:
        self.written += details


def test_nothing_is_due_while_no_page_is_open() -> None:
    assert Rig().details.due() == []


def test_a_wanted_instrument_is_due_at_once_and_again_until_it_is_answered() -> None:
    rig = Rig()
    rig.details.want([ONE])
    assert rig.details.due() == [ONE]
    assert rig.details.due() == []
    rig.now += AGAIN_S
    assert rig.details.due() == [ONE]
    rig.details.take({ONE: QuoteDetails(ONE, 5), TWO: QuoteDetails(TWO, 6)})
    assert rig.written == [QuoteDetails(ONE, 5), QuoteDetails(TWO, 6)]
    rig.now += FRESH_S - 0.1
    assert rig.details.due() == []
    rig.now += 0.1
    assert rig.details.due() == [ONE]


def test_an_instrument_that_is_wanted_anew_is_due_at_once() -> None:
    rig = Rig()
    rig.details.want([ONE])
    assert rig.details.due() == [ONE]
    rig.details.want([ONE, TWO])
    assert rig.details.due() == [TWO]
    rig.details.want([])
    assert rig.details.due() == []
    rig.details.want([ONE])
    assert rig.details.due() == [ONE]


def test_due_keys_come_behind_those_that_api_calls_wait_for() -> None:
    rig = Rig()
    rig.details.want([ONE])
    asked: list[float] = []
    requested = rig.details.beside(lambda now: asked.append(now) or [TWO])
    assert requested(7.0) == [TWO, ONE]
    assert requested(8.0) == [TWO]
    assert asked == [7.0, 8.0]
