"""How cost per unit grows with browsers, instruments and web workers. Our figure is that of the largest size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from bench import load, streams
from bench.cases.ingest import worker_figures
from bench.model import OURS, Bar, Case, Contender, Figures, Line, Turn
from bench.streams import floor_figures, our_figures

_EVENTS_PER_S: Final = 20_000
_FLAT: Final = 1.2


_AT_LEAST: Final = 4  # events of a browser in a turn: fewer, and events in flight at its edges count


def _hz(browsers: int) -> float:
    """All sizes deliver the same number of events, so that only their size differs."""
    return _EVENTS_PER_S / browsers


def _sized(figures: Callable[[int, float], Contender], browsers: int) -> Contender:
    hz = _hz(browsers)
    measure = figures(browsers, hz)

    def longer(turn: Turn) -> Figures:
        return measure(
            replace(turn, scale=replace(turn.scale, seconds=max(turn.scale.seconds, _AT_LEAST / hz)))
        )

    return longer


def _of_browsers() -> dict[str, Contender]:
    ours = {"1,000": 1_000, "5,000": 5_000, "10,000": 10_000, OURS: 18_000}
    floors = {"floor of 1,000": 1_000, "floor of 18,000": 18_000}  # growth there is the kernel's
    return {name: _sized(our_figures, count) for name, count in ours.items()} | {
        name: _sized(floor_figures, count) for name, count in floors.items()
    }


CASES: Final = (
    Case(
        "growth-browsers",
        "growth: 18,000 browsers",
        _of_browsers(),
        (Line("CPU per delivered event", "cpu_us", "us", (Bar(_FLAT, "1,000"),)),),
        load.wrong_with,
        repeats=True,
    ),
    Case(
        "growth-instruments",
        "growth: 5,000 instruments",
        {
            "500": worker_figures(500, 20_000),
            "2,000": worker_figures(2_000, 20_000),
            OURS: worker_figures(5_000, 20_000),
        },
        (Line("CPU of the worker per tick", "cpu_us", "us", (Bar(_FLAT, "500"),)),),
        repeats=True,
    ),
    Case(
        "growth-workers",
        "growth: 2 web workers, 5,000 browsers, 5 events/s",
        {"1 worker": our_figures(5_000, 5.0), OURS: streams.our_figures(5_000, 5.0, workers=2)},
        (Line("CPU per delivered event", "cpu_us", "us", (Bar(_FLAT, "1 worker"),)),),
        load.wrong_with,
    ),
)
