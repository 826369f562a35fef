from __future__ import annotations

import pytest

from ltp.core.counted import counted, listed


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 files"), (1, "1 file"), (2, "2 files"), (1_000, "1,000 files")]
)
def test_one_is_one_file_and_two_are_two_files(number: int, text: str) -> None:
    assert counted(number, "file") == text


def test_a_verb_goes_with_the_number() -> None:
    assert counted(1, "row was left out", "rows were left out") == "1 row was left out"
    assert counted(2, "row was left out", "rows were left out") == "2 rows were left out"


@pytest.mark.parametrize(
    ("names", "text"),
    [([], ""), (["A"], "A"), (["A", "B"], "A, B"), (["A", "B", "C"], "A, B and 1 more")],
)
def test_names_past_the_most_are_counted(names: list[str], text: str) -> None:
    assert listed(names, 2) == text
