from __future__ import annotations

from datetime import UTC, datetime

from ltp.db.universes import Universe
from ltp.errors import DatabaseError, NotFoundError
from ltp.worker.subscriptions.known_watchlists import KnownWatchlists


def universe(name: str, minute: int) -> Universe:
    return Universe(name, f"Title of {name}", "", datetime(2026, 11, 23, 10, minute, tzinfo=UTC), 2)


def test_only_watchlists_that_have_changed_are_read() -> None:
    members = {"list-a": ["NSE_EQ:1"], "list-b": ["NSE_EQ:2"]}
    read: list[str] = []
    away = [False]

    def fetch(name: str) -> list[str]:
        read.append(name)
        if away[0]:
            raise DatabaseError("away")
        if name not in members:
            raise NotFoundError("universe", name)
        return list(members[name])

    universes = {name: universe(name, 0) for name in ("nifty50", "list-a", "list-b", "list-deleted")}
    lists = KnownWatchlists(lambda: universes, fetch)
    lists.refresh()
    lists.refresh()
    assert read == ["list-a", "list-b", "list-deleted"]
    assert (lists.members, lists.title("list-a")) == (members, "Title of list-a")

    members["list-b"], away[0] = ["NSE_EQ:3"], True
    universes = {"list-a": universe("list-a", 0), "list-b": universe("list-b", 1)}
    lists.refresh()
    assert lists.members["list-b"] == ["NSE_EQ:2"]
    away[0] = False
    lists.refresh()
    assert (lists.members, read[3:]) == (members, ["list-b", "list-b"])
