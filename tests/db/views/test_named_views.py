from __future__ import annotations

import pytest
from sqlalchemy import Engine

from ltp.db.engine import open_engine, reading, writing
from ltp.db.views import named_views
from ltp.db.views.named_views import MAX_OF_CLIENT, MAX_VIEWS, View
from ltp.errors import InputError, NotFoundError


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> Engine:
    if request.param == "sqlite":
        return open_engine(request.getfixturevalue("empty_database"))
    server = open_engine(request.getfixturevalue("postgresql").url())
    with writing(server) as connection:
        connection.exec_driver_sql("TRUNCATE views")
    return server


def saved(engine: Engine) -> list[View]:
    with reading(engine) as connection:
        return named_views.all_in(connection)


def save(engine: Engine, name: str, query: str = "sort=-rsi", client: str = "", **more: object) -> str:
    return named_views.save(engine, name, query, "candidates", client, **more)  # type: ignore[arg-type]


def test_a_view_is_saved_replaced_renamed_and_deleted(engine: Engine) -> None:
    assert save(engine, "  My   momentum ") == "my-momentum"
    assert save(engine, "My momentum", "sort=-adx") == "my-momentum"
    assert [(view.slug, view.name, view.query, view.tab) for view in saved(engine)] == [
        ("my-momentum", "My momentum", "sort=-adx", "candidates")
    ]
    named_views.rename(engine, "my-momentum", "Strength")
    assert [(view.slug, view.name) for view in saved(engine)] == [("my-momentum", "Strength")]
    named_views.remove(engine, "my-momentum")
    assert saved(engine) == []


def test_names_with_equal_slugs_get_different_addresses(engine: Engine) -> None:
    assert [save(engine, name) for name in ("A b", "A-b", "a b!", "मेरी सूची", "ताज़ा")] == [
        "a-b", "a-b-2", "a-b-3", "view", "view-2",
    ]  # fmt: skip
    assert save(engine, "Levels", reserved={"levels", "levels-2"}) == "levels-3"
    assert len(save(engine, "x" * 80)) <= 64
    assert len(save(engine, "x" * 79)) <= 64


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "a\x00b", "price\u202e321"])
def test_a_name_without_a_shape_is_refused(engine: Engine, name: str) -> None:
    save(engine, "Good")
    for change in (lambda: save(engine, name), lambda: named_views.rename(engine, "good", name)):
        with pytest.raises(InputError, match="a name is 1 to 80 printable characters"):
            change()
    assert [view.name for view in saved(engine)] == ["Good"]


def test_a_name_of_another_view_is_refused_and_the_own_one_is_not(engine: Engine) -> None:
    save(engine, "One")
    save(engine, "Two")
    with pytest.raises(InputError, match="it is the name of another view"):
        named_views.rename(engine, "two", "One")
    named_views.rename(engine, "two", "Two")


def test_a_view_that_is_not_there_is_neither_renamed_nor_deleted(engine: Engine) -> None:
    for change in (lambda: named_views.rename(engine, "x", "Y"), lambda: named_views.remove(engine, "x")):
        with pytest.raises(NotFoundError, match="There is no view called 'x'"):
            change()
    for slug in ("\x00", "\ud800"):  # characters that a database does not take
        with pytest.raises(NotFoundError, match="There is no view called"):
            named_views.remove(engine, slug)
        with pytest.raises(NotFoundError, match="There is no view called"):
            named_views.rename(engine, slug, "Y")


def test_one_client_cannot_take_the_places_of_all(engine: Engine) -> None:
    for number in range(MAX_OF_CLIENT):
        save(engine, f"Own {number}", client="10.0.0.1")
    with pytest.raises(InputError, match=f"at most {MAX_OF_CLIENT} views of yours"):
        save(engine, "One more", client="10.0.0.1")
    save(engine, "Own 3", "sort=rank", client="10.0.0.1")  # of a stored name: no new place
    for number in range(MAX_VIEWS - MAX_OF_CLIENT):
        save(engine, f"Local {number}")
    with pytest.raises(InputError, match=f"at most {MAX_VIEWS} views are saved"):
        save(engine, "One more")
