"""Prices for programs: requests a second that one process answers, fifty instruments each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from bench import load, stage
from bench.model import OURS, Bar, Case, Contender, Figures, Line, Turn
from bench.peers import prices as peers
from bench.servers import Server
from bench.stage import Stage

_KEYS: Final = stage.keys(50)
_STARLETTE: Final = "Starlette"


def _answers(start: Callable[[Stage], AbstractContextManager[Server]], path: str) -> Contender:
    def measure(turn: Turn) -> Figures:
        with (
            stage.ready(len(_KEYS)) as ready,
            stage.prices(ready, len(_KEYS), len(_KEYS), 1.0),
            start(ready) as server,
        ):
            return load.requests_per_s(server, path, turn.scale.seconds)

    return measure


CASES: Final = (
    Case(
        "prices-api",
        "GET /api/v1/current_prices, 50 keys",
        {
            OURS: _answers(stage.web, f"/api/v1/current_prices?keys={','.join(_KEYS)}"),
            _STARLETTE: _answers(peers.starlette, f"/prices?keys={','.join(_KEYS)}"),
            "Flask": _answers(peers.flask, f"/prices?keys={','.join(_KEYS)}"),
            "webdis": _answers(peers.webdis, f"/MGET/{'/'.join(f'ltp:{key}' for key in _KEYS)}"),
        },
        (
            Line(
                "requests a second",
                "requests_per_s",
                "1/s",
                (Bar(1.5, _STARLETTE, at_least=True), Bar(2, _STARLETTE, at_least=True, wish=True)),
            ),
            Line("CPU per request", "cpu_us", "us"),
            Line("time to answer at 32 connections, p99", "p99_ms", "ms"),
        ),
    ),
)
