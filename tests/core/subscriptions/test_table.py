from __future__ import annotations

from typing import Any

import pytest

from ltp.core.subscriptions.table import STATES, in_turn, state_of

NOW = 1_795_408_200_000_000


@pytest.mark.parametrize(
    ("known", "state"),
    [
        ({"place": 0, "sent": True, "seen": True}, "waiting"),
        ({"place": 1}, "wanted"),
        ({"sent": True}, "sent"),
        ({"sent": True, "never_ticked": True}, "never_ticked"),
        ({"sent": True, "seen": True, "never_ticked": True, "last_us": NOW}, "ticking"),
        ({"sent": True, "seen": True, "last_us": NOW - 60_000_000}, "ticking"),
        ({"sent": True, "seen": True, "last_us": NOW - 60_000_001}, "stale"),
        ({"sent": True, "seen": True, "last_us": 0}, "stale"),  # packets without a price came
    ],
)
def test_the_state_is_that_of_the_present_connection(known: dict[str, Any], state: str) -> None:
    base = {"place": 1, "sent": False, "seen": False, "never_ticked": False, "last_us": 0}
    assert state_of(**{**base, **known}, now_us=NOW) == state
    assert state in STATES


def test_lists_take_turns() -> None:
    assert in_turn(["a", "b", "c"], ["x"], [], ["b", "y"]) == ["a", "x", "b", "y", "c"]
    assert in_turn() == []
