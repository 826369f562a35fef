"""Unfinished requests are counted by client, limited, and no longer counted once they end."""

from __future__ import annotations

from ltp.core.clients.unfinished import UnfinishedRequests


def test_a_client_has_as_many_as_it_may_and_others_have_theirs() -> None:
    unfinished = UnfinishedRequests(2)
    first, second = unfinished.enter("198.51.100.1"), unfinished.enter("198.51.100.1")
    assert first is not None
    assert second is not None
    assert unfinished.enter("198.51.100.1") is None
    assert unfinished.enter("198.51.100.2") is not None
    first.leave()
    first.leave()
    assert unfinished.enter("198.51.100.1") is not None
    assert unfinished.enter("198.51.100.1") is None


def test_a_client_without_a_quota_is_never_refused() -> None:
    unfinished = UnfinishedRequests(1)
    assert all(unfinished.enter("") for _ in range(5))


def test_a_client_that_has_none_is_forgotten() -> None:
    unfinished = UnfinishedRequests(1)
    places = [unfinished.enter(f"198.51.100.{number}") for number in range(100)]
    assert len(unfinished) == 100
    for place in places:
        assert place is not None
        place.leave()
    assert len(unfinished) == 0
