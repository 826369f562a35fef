"""The commands about watchlists."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from ltp.cli.main import main
from ltp.core.watchlists import edits
from ltp.db import universes
from ltp.db.engine import open_engine
from ltp.db.watchlists import lists, store


@pytest.fixture(autouse=True)
def engine(database_url: str) -> Engine:
    return open_engine(database_url)


def test_a_watchlist_from_symbols_and_a_file(
    tmp_path: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("# mine\nTCS\nNSE_EQ:2885\n")
    assert main(["watchlists", "set", "my-few", "hdfcbank", "--file", str(file)]) == 0
    assert capsys.readouterr().out == "list-my-few (My few) has 3 members.\n"
    assert universes.keys(engine, "list-my-few") == ["NSE_EQ:1333", "NSE_EQ:2885", "NSE_EQ:11536"]
    assert main(["watchlists", "set", "my-few", "IDX_I:NIFTY", "--title", "Just one"]) == 0
    assert universes.keys(engine, "list-my-few") == ["IDX_I:13"]
    assert universes.fetch(engine)["list-my-few"].title == "Just one"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["my-few", "HDFCBANK", "NOPE", "NEVER"], "SYMBOL: 'NOPE, NEVER' is not accepted"),
        (["my-few"], "SYMBOL: '' is not accepted; name at least one symbol"),
        (["My Few", "TCS"], "SLUG: 'My Few' is not accepted; a slug is small letters"),
        (["my-few", "--file", "nothing.txt"], "file: 'nothing.txt' is not accepted; it cannot be read"),
    ],
)
def test_a_watchlist_that_is_not_accepted_changes_nothing(
    arguments: list[str], sentence: str, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["watchlists", "set", *arguments]) == 2
    assert capsys.readouterr().err.startswith(sentence)
    assert "list-my-few" not in universes.fetch(engine)


def test_a_list_is_shown_as_it_can_be_set_again(
    tmp_path: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["watchlists", "set", "my-few", "TCS", "INE002A01018"])
    store.change(engine, "my-few", edits.mark("NSE_EQ:11536", 'a, "b"', "red"), "test")
    store.change(engine, "my-few", edits.add_section("Rest"), "test")
    store.change(engine, "my-few", edits.add(["NSE_EQ:1333"]), "test")
    before = store.fetch(engine, "my-few")
    capsys.readouterr()
    assert main(["watchlists", "show", "my-few"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines() == [
        "key,symbol,note,flag", 'NSE_EQ:11536,TCS,"a, ""b""",red', "NSE_EQ:2885,RELIANCE,,", "[Rest]",
        "NSE_EQ:1333,HDFCBANK,,",
    ]  # fmt: skip
    file = tmp_path / "out.csv"
    file.write_text(out)
    assert main(["watchlists", "set", "copy", "--file", str(file)]) == 0
    assert store.fetch(engine, "copy").lines == before.lines
    assert main(["watchlists", "set", "my-few", "HDFCBANK", "TCS"]) == 0
    assert store.fetch(engine, "my-few").lines[1] == before.lines[0]  # with its note


def test_lists_are_printed_and_deleted(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    main(["watchlists", "set", "my-few", "TCS", "TCS"])
    main(["watchlists", "set", "other", "NIFTY", "--title", "Other ones"])
    capsys.readouterr()
    assert main(["watchlists", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["my-few", "1"], ["other", "1"]]
    assert "Other ones  (version 1, " in lines[1]
    assert main(["watchlists", "delete", "my-few"]) == 0
    assert "restores it for two days" in capsys.readouterr().out
    assert [head.slug for head in lists.fetch(engine)] == ["other"]
    for command in ("delete", "show"):
        assert main(["watchlists", command, "my-few"]) == 2
        assert capsys.readouterr().err == "There is no watchlist called 'my-few'\n"


def test_bytes_that_are_no_text_are_named(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("delete", "show"):
        assert main(["watchlists", command, "\udc80"]) == 2
        assert capsys.readouterr().err == "There is no watchlist called '\\udc80'\n"
    assert main(["watchlists", "set", "my-few", "\udc80"]) == 2
    assert "the instrument master knows none of that name" in capsys.readouterr().err
