"""The lists among themselves: made, ordered, deleted and restored; and those of an older database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, insert, text, update

from ltp.core.watchlists import edits
from ltp.core.watchlists.watchlist import MAX_LISTS, Line
from ltp.db import universes, upgrade
from ltp.db.alerts import tables as alert_tables  # noqa: F401 (adds its tables to `metadata`)
from ltp.db.engine import open_engine, writing
from ltp.db.pins import tables as pin_tables  # noqa: F401
from ltp.db.schema import metadata
from ltp.db.views import tables as view_tables  # noqa: F401
from ltp.db.watchlists import lists, store
from ltp.db.watchlists.tables import watchlists
from ltp.errors import InputError, NotFoundError

A, B = "NSE_EQ:1333", "NSE_EQ:11536"


def slugs(engine: Engine) -> list[str]:
    return [head.slug for head in lists.fetch(engine)]


def test_lists_are_made_behind_the_others_and_moved(engine: Engine) -> None:
    for title in ("One", "Two", "Two", "Three"):
        lists.create(engine, title, source="test")
    assert slugs(engine) == ["one", "two", "two-2", "three"]
    lists.move(engine, "three", "up")
    assert slugs(engine) == ["one", "two", "three", "two-2"]
    lists.move(engine, "two-2", "top")
    lists.move(engine, "one", "bottom")
    assert slugs(engine) == ["two-2", "two", "three", "one"]
    lists.move(engine, "one", "down")
    assert slugs(engine) == ["two-2", "two", "three", "one"]
    with pytest.raises(NotFoundError):
        lists.move(engine, "four", "up")


def test_a_slug_is_given_or_refused(engine: Engine) -> None:
    lists.create(engine, "One", slug="first", source="test")
    with pytest.raises(InputError, match="slug: 'first' is not accepted; there is such a list already"):
        lists.create(engine, "Other", slug="first", source="test")
    with pytest.raises(InputError, match="a slug is small letters"):
        lists.create(engine, "Other", slug="My List", source="test")
    assert slugs(engine) == ["first"]


def test_a_deleted_list_is_restored_as_it_was(engine: Engine) -> None:
    lines = (Line("SECTION:1", "Banks"), Line(A, "", "note", "red"), Line(B))
    lists.create(engine, "One", lines, source="test")
    lists.create(engine, "Two", source="test")
    lists.remove(engine, "one")
    assert slugs(engine) == ["two"]
    assert "list-one" not in universes.fetch(engine)
    with pytest.raises(NotFoundError):
        store.fetch(engine, "one")
    with pytest.raises(NotFoundError):
        lists.remove(engine, "one")
    [deleted] = lists.fetch_deleted(engine)
    assert (deleted.slug, deleted.size) == ("one", 2)
    assert lists.create(engine, "One", source="test").slug == "one-2"  # the deleted one keeps its address
    restored = lists.restore(engine, "one", "test")
    assert (restored.lines, restored.version) == (lines, 2)
    assert store.fetch(engine, "one") == restored
    assert universes.keys(engine, "list-one") == [A, B]
    assert slugs(engine) == ["one", "two", "one-2"]
    assert lists.restore(engine, "one", "test") == restored  # a second click
    assert lists.fetch_deleted(engine) == []


def test_a_deleted_list_is_kept_for_two_days(engine: Engine) -> None:
    lists.create(engine, "One", source="test")
    lists.remove(engine, "one")
    with writing(engine) as connection:
        long_ago = datetime.now(UTC) - lists.KEPT_DELETED - timedelta(minutes=1)
        connection.execute(update(watchlists).values(deleted_at=long_ago))
    assert lists.fetch_deleted(engine) == []
    with pytest.raises(NotFoundError):
        lists.restore(engine, "one", "test")
    assert lists.create(engine, "One", source="test").slug == "one"


def test_a_list_with_the_address_of_a_deleted_one_takes_its_place(engine: Engine) -> None:
    lists.create(engine, "One", [Line(A)], source="test")
    lists.remove(engine, "one")
    lists.create(engine, "New", [Line(B)], slug="one", source="test")
    assert store.fetch(engine, "one").lines == (Line(B),)
    assert lists.fetch_deleted(engine) == []


def test_a_hundred_lists(engine: Engine) -> None:
    now = datetime.now(UTC)
    made = {"version": 1, "size": 0, "changed_at": now, "members_at": now, "deleted_at": None}
    with writing(engine) as connection:
        connection.execute(
            insert(watchlists),
            [{"slug": f"l{each}", "title": "L", "place": each, **made} for each in range(MAX_LISTS)],
        )
    with pytest.raises(InputError, match="there are 100 lists, and no more are kept; delete one first"):
        lists.create(engine, "One more", source="test")
    lists.remove(engine, "l7")
    lists.create(engine, "One more", source="test")
    with pytest.raises(InputError, match="there are 100 lists"):
        lists.restore(engine, "l7", "test")


def test_watchlists_of_an_older_database_become_lists(empty_database: str) -> None:
    engine = open_engine(empty_database)
    universes.replace(engine, "list-old", "Old ones", "mine.txt", [B, A])
    universes.replace(engine, "nifty50", "NIFTY 50", "test", [A])
    with writing(engine) as connection:
        for table in reversed(metadata.sorted_tables):  # those that revisions after 0015 made
            if table.name.startswith(("watchlist", "pin", "view", "alert")):
                table.drop(connection)
        connection.execute(text("UPDATE alembic_version SET version_num = '0015'"))
    upgrade.to_head(engine)
    older = open_engine(str(engine.url))
    assert [(head.slug, head.title, head.size) for head in lists.fetch(older)] == [("old", "Old ones", 2)]
    assert store.fetch(older, "old").lines == (Line(A), Line(B))
    edited = store.change(older, "old", edits.move(B, "up"), "page").watchlist
    assert store.fetch(older, "old").lines == edited.lines == (Line(B), Line(A))
