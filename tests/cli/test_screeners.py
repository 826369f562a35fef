"""`python -m ltp screeners`, as an operator types it and as the worker starts it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from ltp.batch import evaluation
from ltp.cli import files
from ltp.cli.main import main
from ltp.core.criteria.spec import BUILT_IN, Spec, kind_of, text_of
from ltp.core.screener import Run
from ltp.core.watchlists.watchlist import Line
from ltp.core.watchlists.watchlist import kind_of as list_kind
from ltp.db import candles, evaluations, instruments, runs, saved_screens, universes
from ltp.db.engine import open_engine, reading, writing
from ltp.db.evaluations import Evaluation
from ltp.db.watchlists import lists
from ltp.feed import simulator
from tests.batch.trading import LAST, open_market, sessions

FIRST = sessions(300)[0]
UP = Spec(("trend == up",), "all")


@pytest.fixture(autouse=True)
def address(database_url: str) -> str:
    return database_url


@pytest.fixture
def results(tmp_path: Path) -> Path:
    file = tmp_path / "swing.csv"
    file.write_text("symbol,score,setup,entry\nHDFCBANK,91.5,Breakout,1650.35\nTCS,88,Pullback,\n")
    return file


@pytest.fixture
def market(address: str) -> Engine:
    engine = open_engine(address)
    open_market(engine)
    return engine


def of_kind(engine: Engine, kind: str) -> Evaluation:
    with reading(engine) as connection:
        return evaluations.newest_in(connection)[kind]


def current(engine: Engine, kind: str) -> Run:
    run = runs.fetch_run(engine, current_id(engine, kind) or 0)
    assert run is not None
    return run


def current_id(engine: Engine, kind: str) -> int | None:
    with reading(engine) as connection:
        heads = runs.heads_in(connection).get(kind)
    return heads[0].id if heads else None


def noted(engine: Engine) -> object:
    with reading(engine) as connection:
        return evaluations.newest_in(connection)


def test_a_run_searches_the_default_universe_and_is_printed_in_one_line(
    market: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["screeners", "run", "swing"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"swing: 5 of 5 instruments of nifty50 as of {LAST}, stored as run 1 in ")
    run = current(market, "swing")
    assert (run.as_of, run.universe, run.evaluated, len(run.rows)) == (LAST, "nifty50", 5, 5)
    assert run.spec == text_of(BUILT_IN._replace(universe="nifty50"))
    seen = of_kind(market, "swing")
    assert (seen.state, seen.run_id, seen.done, seen.total, seen.found) == ("done", run.id, 5, 5, 5)
    assert [best.symbol for best in seen.best] == [row.symbol for row in run.rows]


def test_both_at_once_over_a_universe_of_ones_own(market: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["screeners", "run", "swing", "longterm", "--universe", "all"]) == 0
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == ["swing", "longterm"]
    for kind in ("swing", "longterm"):
        assert (current(market, kind).universe, of_kind(market, kind).state) == ("all", "done")


def test_the_universe_of_the_settings(
    market: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SCREENER_UNIVERSE", "all")
    assert main(["screeners", "run", "swing"]) == 0
    assert current(market, "swing").universe == "all"
    monkeypatch.setenv("SCREENER_UNIVERSE", "list-none")
    assert main(["screeners", "run", "swing"]) == 2
    assert capsys.readouterr().err.endswith("There is no universe called 'list-none'\n")
    monkeypatch.setenv("SCREENER_UNIVERSE", "nifty900")
    assert main(["screeners", "run", "swing"]) == 2
    assert capsys.readouterr().err.startswith("SCREENER_UNIVERSE='nifty900' is not accepted")
    assert current(market, "swing").universe == "all"
    assert of_kind(market, "swing").state == "done"


def test_sizing_comes_from_the_settings(market: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAPITAL", "5000000")
    monkeypatch.setenv("RISK_PER_TRADE", "25000")
    seen: list[object] = []
    real = evaluation.evaluate
    monkeypatch.setattr(
        evaluation, "evaluate", lambda *given, **named: seen.append(named["sizing"]) or real(*given, **named)
    )
    assert main(["screeners", "run", "swing"]) == 0
    assert seen == [(5_000_000, 25_000)]


def test_a_look_back_is_stored_and_does_not_become_the_current_run(market: Engine) -> None:
    back = sessions(30)[0]
    assert main(["screeners", "run", "swing"]) == 0
    assert main(["screeners", "run", "swing", "--as-of", back.isoformat()]) == 0
    assert current(market, "swing").as_of == LAST
    looked_back = runs.fetch_run(market, 2)
    assert looked_back is not None
    assert looked_back.as_of == back


def test_a_saved_screen_by_its_address(market: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    saved_screens.save(market, "rising", "Rising", UP)
    assert main(["screeners", "run", "rising"]) == 0
    run = current(market, kind_of(UP))
    assert (run.universe, run.spec, run.evaluated) == ("all", text_of(UP), 12)
    assert {row.facts["trend"] for row in run.rows} == {"up"}


def test_a_request_is_claimed_and_ended(market: Engine) -> None:
    request_id = evaluations.enqueue(market, kind_of(UP), text_of(UP))
    assert main(["screeners", "run", "--request", str(request_id)]) == 0
    seen = of_kind(market, kind_of(UP))
    assert (seen.state, seen.run_id) == ("done", current_id(market, kind_of(UP)))
    assert main(["screeners", "run", "--request", str(request_id)]) == 2


def test_a_request_names_its_universe(market: Engine) -> None:
    request_id = evaluations.enqueue(market, "longterm", text_of(BUILT_IN), "all")
    assert main(["screeners", "run", "--request", str(request_id)]) == 0
    assert current(market, "longterm").universe == "all"


def test_a_request_of_a_watchlist_has_no_criteria(market: Engine) -> None:
    made = lists.create(market, "Mine", [Line("NSE_EQ:1")], source="test")
    kind = list_kind(made.slug)
    request_id = evaluations.enqueue(market, kind, "", "list-mine")
    assert main(["screeners", "run", "--request", str(request_id)]) == 0
    run = current(market, kind)
    assert (run.universe, [row.key for row in run.rows]) == ("list-mine", ["NSE_EQ:1"])


@pytest.mark.parametrize(
    ("kind", "spec", "sentence"),
    [
        ("swing", text_of(UP), "There is no screener called 'swing'"),
        ("nonsense", "", "There is no screener called 'nonsense'"),
        ("custom-1", "{", "screen: '{' is not accepted"),
        ("custom-1", '{"criteria":["moon > 1"]}', "there is no such name"),
        ("custom-1", '{"criteria":["close > 1"],"universe":"x"}', "There is no universe called 'x'"),
    ],
)
def test_a_request_that_cannot_be_evaluated_stores_the_reason(
    market: Engine, capsys: pytest.CaptureFixture[str], kind: str, spec: str, sentence: str
) -> None:
    request_id = evaluations.enqueue(market, kind, spec)
    assert main(["screeners", "run", "--request", str(request_id)]) == 2
    assert sentence in capsys.readouterr().err
    seen = of_kind(market, kind)
    assert seen.state == "failed"
    assert sentence in seen.message


def test_no_candles_is_a_sentence_and_the_last_good_run_stays(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = open_engine(address)
    open_market(engine)
    main(["screeners", "run", "swing"])
    universes.replace(engine, "nifty50", "NIFTY 50", "test", ["NSE_EQ:999"])
    assert main(["screeners", "run", "swing"]) == 2
    assert "none of its 0 instruments has daily candles" in capsys.readouterr().err
    assert of_kind(engine, "swing").state == "failed"
    assert current(engine, "swing").id == 1


def test_a_fault_of_the_program_is_stored_too(market: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(evaluation, "evaluate", broken)
    with pytest.raises(ZeroDivisionError):
        main(["screeners", "run", "swing"])
    assert of_kind(market, "swing").message == "the evaluation ended unexpectedly (ZeroDivisionError)"


def test_a_request_that_was_given_up_ends_the_run(market: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluations, "beat", lambda *_, **__: False)
    assert main(["screeners", "run", "swing"]) == 2
    assert current_id(market, "swing") is None


def test_one_run_of_a_screener_at_a_time(market: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    evaluations.begin(market, "longterm")
    assert main(["screeners", "run", "swing", "longterm"]) == 2
    assert "it is being evaluated already" in capsys.readouterr().err
    assert of_kind(market, "swing").state == "failed"
    assert of_kind(market, "longterm").state == "running"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "one or both of swing and longterm, or a saved screen: rising"),
        (
            ["nosuch"],
            "NAME: 'nosuch' is not accepted; one or both of swing and longterm, or a saved screen: rising",
        ),
        (["swing", "nosuch"], "NAME: 'nosuch' is not accepted"),
        (
            ["swing", "--universe", "nifty05"],
            "--universe: 'nifty05' is not accepted; a universe: nifty50, all",
        ),
        (
            ["swing", "--as-of", "20.11.26x"],
            f"--as-of: '20.11.26x' is not accepted; a date such as 2026-11-20, from {FIRST} to {LAST}",
        ),
        (["swing", "--as-of", "2001-01-01"], f"from {FIRST} to {LAST}"),
        (["swing", "--as-of", "2026-11-21"], f"from {FIRST} to {LAST}"),
        (["rising", "swing"], "a saved screen is evaluated by itself"),
        (["--request", "99"], "a request that waits"),
    ],
)
def test_an_unknown_name_universe_day_or_request_is_a_sentence(
    market: Engine, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    saved_screens.save(market, "rising", "Rising", UP)
    assert main(["screeners", "run", *words]) == 2
    err = capsys.readouterr().err
    assert sentence in err
    assert len(err.splitlines()) == 1
    assert noted(market) == {}


def test_without_candles_or_universes_there_is_nothing_to_look_back_to(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for option, sentence in (
        ("--as-of=2026-11-20", "with daily candles, of which there are none yet"),
        ("--universe=all", "none yet"),
    ):
        assert main(["screeners", "run", "swing", option]) == 2
        assert sentence in capsys.readouterr().err
    assert noted(open_engine(address)) == {}


def test_a_day_without_a_session_looks_back_to_the_one_before(
    market: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["screeners", "run", "swing", "--as-of", "15-Nov-2026"]) == 0
    assert " as of 2026-11-13, " in capsys.readouterr().out


def test_shares_left_out_are_printed_in_the_same_line(
    market: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    candles.replace(market, "raw", "NSE_EQ:2", [])
    with writing(market) as connection:
        connection.execute(
            text("UPDATE daily_candles SET packed = substr(packed, 2) WHERE security_id = 3 AND year = 2026")
        )
    assert main(["screeners", "run", "swing"]) == 0
    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith("swing: 3 of 3 instruments of nifty50 as of ")
    assert "; 1 share left out: SHARE3 (damaged candles: " in line


def test_an_import_is_the_newest_run(results: Path, address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["screeners", "import", "swing", str(results)]) == 0
    assert capsys.readouterr().out.startswith("2 results stored as run 1 of the swing screener")
    run = runs.fetch_run(open_engine(address), 1)
    assert run is not None
    assert (run.kind, run.sample, run.source) == ("swing", False, "swing.csv")
    assert [(row.key, row.name, row.entry) for row in run.rows] == [
        ("NSE_EQ:1333", "HDFC Bank Ltd.", 16_503_500),
        ("NSE_EQ:11536", "Tata Consultancy Services Ltd.", None),
    ]


def test_a_sample_is_marked(results: Path, address: str) -> None:
    assert main(["screeners", "import", "longterm", str(results), "--sample"]) == 0
    run = runs.fetch_run(open_engine(address), 1)
    assert run is not None
    assert (run.kind, run.sample) == ("longterm", True)


def test_a_bad_row_names_file_line_and_column_and_imports_nothing(
    results: Path, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    results.write_text("symbol,score\nHDFCBANK,1\nTCS,many\n")
    assert main(["screeners", "import", "swing", str(results)]) == 2
    captured = capsys.readouterr()
    assert captured.err == f"{results}, line 3, column score: 'many' is not accepted; a number such as 87.5\n"
    assert captured.out == ""
    assert current_id(open_engine(address), "swing") is None


def test_an_import_leaves_the_master_as_it_is(results: Path, address: str) -> None:
    main(["screeners", "import", "swing", str(results)])
    assert instruments.fetch_all(open_engine(address)) == sorted(
        simulator.universe(), key=lambda i: (i.segment, i.security_id)
    )


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_a_file_that_cannot_be_read_is_a_sentence(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["screeners", "import", "swing", name]) == 2
    assert "it cannot be read" in capsys.readouterr().err


def test_a_file_of_no_sane_size_is_a_sentence(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 20)
    assert main(["screeners", "import", "swing", str(results)]) == 2
    assert "a file has at most" in capsys.readouterr().err


def test_a_database_that_cannot_be_used_is_a_sentence(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://u:CANARY@h/d")
    assert main(["screeners", "import", "swing", str(results)]) == 2
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    assert "CANARY" not in err


def test_a_study_is_a_table_of_setups(market: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["screeners", "study", "--universe", "all", "--every", "3"]) == 0
    first, head, *rows = capsys.readouterr().out.splitlines()
    assert first.startswith("12 shares of all, plans of 4 days from ")
    assert first.endswith(", followed for 30 sessions, before costs:")
    assert head.split() == ["setup", "plans", "filled", "mean", "R", "+-", "gained"]
    assert {row.split()[0] for row in rows} <= {"READY", "WAIT_BREAKOUT", "WAIT_PULLBACK"}
    assert rows


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--every", "0"], "--every: '0' is not accepted; a number of sessions from 1 to 250"),
        (["--sessions", "251"], "--sessions: '251' is not accepted"),
        (["--from", "yesterday"], "--from: 'yesterday' is not accepted; a date such as"),
        (["--universe", "nifty900"], "--universe: 'nifty900' is not accepted"),
    ],
)
def test_a_study_of_nonsense_is_a_sentence(
    market: Engine, capsys: pytest.CaptureFixture[str], options: list[str], sentence: str
) -> None:
    assert main(["screeners", "study", *options]) == 2
    assert sentence in capsys.readouterr().err
