"""A captured file into bars, with the times of the file as the clock."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ltp.core.bars.bar import PARTIAL, Bar
from ltp.core.bars.builder import ClosedBar
from ltp.errors import InputError
from ltp.feed.capture.bars import bars
from ltp.feed.capture.file import FRAMES, LOST, CaptureFile, Record, event
from ltp.feed.capture.ticks import Step, steps
from ltp.feed.capture.writer import CaptureWriter
from tests.captured import KEYS, OPEN, captured, records

HDFC = KEYS[0]


def built(path: Path) -> list[ClosedBar]:
    with CaptureFile(path) as file:
        closed = bars(file, Counter(), is_open=lambda _, start: start >= OPEN, tick_size=lambda _: 5)
        return [bar for some in closed for bar in some]


def of_hdfc(closed: list[ClosedBar]) -> list[Bar]:
    return [bar for key, bar in closed if key == HDFC]


def test_a_file_gives_the_bars_of_its_trades(tmp_path: Path) -> None:
    closed = built(captured(tmp_path, 5 + 130))
    assert [(bar.start - OPEN, bar.volume, bar.marks) for bar in of_hdfc(closed)] == [
        (0, 600, 0),
        (60, 600, 0),
        (120, 100, PARTIAL),
    ]
    assert of_hdfc(closed)[0][1:5] == (1000_0000, 1006_0000, 1000_0000, 1003_0000)
    assert {key for key, _ in closed} == set(KEYS)


def test_equal_files_give_equal_bars(tmp_path: Path) -> None:
    path = captured(tmp_path / "a", 200, breaks_at=70)
    first = built(path)
    assert len(first) == 8
    assert built(path) == first
    assert built(captured(tmp_path / "b", 200, breaks_at=70)) == first


def test_a_broken_connection_marks_the_bar(tmp_path: Path) -> None:
    closed = of_hdfc(built(captured(tmp_path, 5 + 190, breaks_at=70)))
    assert [(bar.start - OPEN, bar.marks) for bar in closed] == [
        (0, 0),
        (60, PARTIAL),
        (120, 0),
        (180, PARTIAL),
    ]


def test_frames_that_were_not_captured_mark_the_bar(tmp_path: Path) -> None:
    whole = list(records(5 + 190))
    place = next(
        n for n, each in enumerate(whole) if each.kind == FRAMES and each.at_us > (OPEN + 70) * 1_000_000
    )
    writer = CaptureWriter(tmp_path, source="dhanhq", mode="quote")
    writer.write([*whole[:place], event(LOST, whole[place + 3].at_us, reads=3), *whole[place + 3 :]])
    writer.close()
    closed = of_hdfc(built(next(tmp_path.iterdir())))
    assert [(bar.start - OPEN, bar.marks) for bar in closed] == [
        (0, 0),
        (60, PARTIAL),
        (120, 0),
        (180, PARTIAL),
    ]


def test_frames_before_a_connection_are_nothing(tmp_path: Path) -> None:
    first, *_ = (each for each in records(10) if each.kind == FRAMES)
    writer = CaptureWriter(tmp_path, source="dhanhq", mode="quote")
    writer.write([first, Record(FRAMES, first.at_us + 1, first.payload)])
    writer.close()
    with CaptureFile(next(tmp_path.iterdir())) as file:
        assert list(steps(file)) == [Step(first.at_us, 0, [], frozenset())]


def test_an_unknown_mode_is_refused(tmp_path: Path) -> None:
    writer = CaptureWriter(tmp_path, source="dhanhq", mode="depth")
    writer.write(list(records(3)))
    writer.close()
    with CaptureFile(next(tmp_path.iterdir())) as file:
        with pytest.raises(InputError, match="ticker, quote, full"):
            next(steps(file))
