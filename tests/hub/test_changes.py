"""The log of changes: everything after a version, and honest about what it no longer knows."""

from __future__ import annotations

import pytest

from ltp.hub.changes import Changes


def test_everything_after_a_version_and_nothing_up_to_it() -> None:
    changes = Changes()
    changes.note(2, ["a", "b"])
    changes.note(3, ["a"])
    changes.note(5, ["c", "d"])
    assert [changes.since(version) for version in (0, 2, 3, 5)] == [
        {"a", "b", "c", "d"},
        {"a", "c", "d"},
        {"c", "d"},
        set(),
    ]


def test_what_comes_later_is_in_the_next_answer_to_the_same_question() -> None:
    changes = Changes()
    changes.note(1, ["a"])
    assert changes.since(1) == set()
    changes.note(2, ["b"])
    assert changes.since(1) == {"b"}


def test_what_is_longer_ago_than_is_kept_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ltp.hub.changes._KEPT", 2)
    changes = Changes()
    for version, key in enumerate("abcd", start=1):
        changes.note(version, [key])
    assert changes.since(1) is None
    assert changes.since(2) == {"c", "d"}
