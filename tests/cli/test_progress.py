from __future__ import annotations

import io

from ltp.cli.progress import Stages


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_a_terminal_a_line_a_second() -> None:
    out, now = io.StringIO(), [0.0]
    with Stages(out, monotonic=lambda: now[0]) as stages:
        stages("fetching", 500, 0)
        stages("fetching", 900, 0)
        now[0] = 0.9
        stages("checking", 1, 4)
        now[0] = 1.0
        stages("checking", 2, 4)
        now[0] = 2.5
        stages("storing", 3, 4)
    assert out.getvalue() == "fetching 500\nchecking 50%\nstoring 75%\n"


def test_on_a_terminal_a_bar_for_each_stage_with_rate_and_time_left() -> None:
    out = Terminal()
    with Stages(out) as stages:
        stages("checking", 0, 2048)
        stages("checking", 2048, 2048)
        stages("storing", 5, 10)
        stages("storing", 10, 10)
    bars = out.getvalue().replace("\r", "\n").split("\n")
    assert any(line.startswith("checking: 100%") and "2.05k/2.05k" in line for line in bars)
    assert any(
        line.startswith("storing: 100%") and "10/10" in line and "instruments/s" in line for line in bars
    )


def test_a_bar_names_its_unit() -> None:
    out = Terminal()
    with Stages(out) as stages:
        stages("reading", 1, 2048)
        stages("storing sessions", 1, 10)
        stages("verifying", 1, 10)
    bars = out.getvalue().replace("\r", "\n").split("\n")
    for stage, unit in (("reading", "B/s"), ("storing sessions", "sessions/s"), ("verifying", "blocks/s")):
        assert [line for line in bars if line.startswith(stage) and unit in line], (stage, bars)
