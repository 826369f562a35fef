from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, insert

from ltp.core.criteria.spec import Spec, kind_of
from ltp.db import saved_screens
from ltp.db.engine import open_engine, reading, writing
from ltp.db.schema import saved_screens as table
from ltp.errors import InputError, NotFoundError

SPEC = Spec(("rsi14 > 60", "close > ema50"), "nifty100", 125_000, 10_000_000)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")


def test_a_screen_is_saved_found_and_forgotten(engine: Engine) -> None:
    saved = saved_screens.save(engine, "strong-trend", "Strong trend", SPEC)
    assert (saved.slug, saved.name, saved.spec, saved.kind) == (
        "strong-trend",
        "Strong trend",
        SPEC,
        kind_of(SPEC),
    )
    assert saved_screens.fetch(engine, "strong-trend") == saved
    assert saved_screens.fetch(engine, "strong") is None
    saved_screens.remove(engine, "strong-trend")
    assert saved_screens.fetch(engine, "strong-trend") is None
    with pytest.raises(NotFoundError):
        saved_screens.remove(engine, "strong-trend")


def test_a_screen_of_the_same_name_is_replaced_and_one_of_another_is_not(engine: Engine) -> None:
    first = saved_screens.save(engine, "mine", "Mine", SPEC)
    changed = saved_screens.save(engine, "mine", "Mine", SPEC._replace(universe="all"))
    assert changed.spec.universe == "all"
    assert changed.created_at == first.created_at
    with pytest.raises(InputError, match="it is the address of the screen 'Mine'"):
        saved_screens.save(engine, "mine", "Other", SPEC)
    assert saved_screens.fetch(engine, "mine") == changed


@pytest.mark.parametrize(
    "slug",
    [
        "",
        "-a",
        "a-",
        "A",
        "a b",
        "a/b",
        "..",
        "ä",
        "a" * 65,
        "swing",
        "custom",
        "custom-1",
        "poll",
        "runs",
        "a.csv",
    ],
)
def test_a_bad_address_is_refused(engine: Engine, slug: str) -> None:
    with pytest.raises(InputError, match=r"^Address: "):
        saved_screens.save(engine, slug, "Mine", SPEC)


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "a\nb", "a\u202eb"])
def test_a_bad_name_is_refused(engine: Engine, name: str) -> None:
    with pytest.raises(InputError, match=r"^Name: "):
        saved_screens.save(engine, "mine", name, SPEC)


def test_a_screen_without_criteria_is_not_saved(engine: Engine) -> None:
    with pytest.raises(InputError, match="at least one criterion"):
        saved_screens.save(engine, "mine", "Mine", Spec(universe="all"))


def test_the_number_of_saved_screens_is_limited(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_screens, "MAX_SAVED", 2)
    saved_screens.save(engine, "a", "A", SPEC)
    saved_screens.save(engine, "b", "B", SPEC)
    with pytest.raises(InputError, match="at most 2 screens are saved"):
        saved_screens.save(engine, "c", "C", SPEC)
    saved_screens.save(engine, "b", "B", SPEC)


def test_all_are_listed_by_name_without_those_of_another_grammar(engine: Engine) -> None:
    saved_screens.save(engine, "z", "Alpha", SPEC)
    second = saved_screens.save(engine, "a", "Beta", SPEC)
    with writing(engine) as connection:
        old = {
            "slug": "old",
            "name": "Old",
            "spec": '{"criteria":["moon > 3"]}',
            "created_at": second.created_at,
        }
        connection.execute(insert(table).values(old))
    with reading(engine) as connection:
        assert [screen.slug for screen in saved_screens.all_in(connection)] == ["z", "a"]
    with pytest.raises(InputError, match="there is no such name"):
        saved_screens.fetch(engine, "old")


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Strong trend!", "strong-trend"),
        ("  RSI > 60  ", "rsi-60"),
        ("ÄÖ", ""),
        ("a" * 70, "a" * 64),
        ("--x--", "x"),
    ],
)
def test_a_name_suggests_an_address(name: str, slug: str) -> None:
    assert saved_screens.slug_of(name) == slug
