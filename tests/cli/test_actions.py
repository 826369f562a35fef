"""`python -m ltp actions`, as an operator types it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ltp.cli.main import main
from ltp.core.history.corporate_action import Action
from ltp.db import corporate_actions
from ltp.db.engine import open_engine

SPLIT_DAY = date(2025, 7, 23)
NSE = '"SYMBOL","COMPANY NAME","SERIES","PURPOSE","FACE VALUE","EX-DATE","RECORD DATE"\n'


@pytest.fixture(autouse=True)
def engine(database_url: str) -> Engine:
    return open_engine(database_url)


def history(symbol: str, before: float, after: float) -> str:
    """A share that costs `before` for thirty days and `after` from SPLIT_DAY on, for about as many rupees a
    day.
    """
    lines = ["date,symbol,open,high,low,close,volume"]
    for number in range(60):
        price = before if number < 30 else after
        volume = round((1000 + number % 7) * before / price)
        day = date(2025, 6, 23) + timedelta(days=number)
        lines.append(f"{day},{symbol},{price},{price * 1.002:.2f},{price * 0.998:.2f},{price},{volume}")
    return "\n".join(lines)


@pytest.fixture
def split(tmp_path: Path) -> Path:
    """HDFCBANK costs 2,000 for thirty days and 400 from SPLIT_DAY on."""
    file = tmp_path / "h.csv"
    file.write_text(history("HDFCBANK", 2000, 400))
    assert main(["candles", "import", str(file)]) == 0
    return file


def announce(tmp_path: Path, *rows: tuple[str, str, str]) -> None:
    """Import NSE's list of symbols, purposes and ex-dates."""
    lines = [f'"{symbol}","Limited","EQ","{purpose}","2","{day}","-"' for symbol, purpose, day in rows]
    file = tmp_path / "ca.csv"
    file.write_text(NSE + "\n".join(lines) + "\n")
    assert main(["actions", "import", str(file)]) == 0


def known(engine: Engine) -> list[tuple[str, date, str, str]]:
    return [(each.key, each.ex_day, each.ratio, each.state) for each in corporate_actions.fetch(engine)]


def test_a_suspected_action_is_listed_and_confirmed(
    split: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    main(["actions", "list"])
    assert capsys.readouterr().out.startswith(
        "HDFCBANK     2025-07-23    5:1 detected  opened at 1/5.00 of the close before"
    )
    assert main(["actions", "confirm", "hdfcbank", "23-Jul-2025"]) == 0
    [action] = corporate_actions.fetch(engine)
    assert (action.key, action.ex_day, action.ratio, action.state) == (
        "NSE_EQ:1333",
        SPLIT_DAY,
        "5:1",
        "confirmed",
    )
    capsys.readouterr()
    main(["actions", "list"])
    assert "confirmed command line: opened at" in capsys.readouterr().out


def test_a_ratio_given_wins_and_an_undetected_one_needs_it(
    split: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["actions", "confirm", "HDFCBANK", "2025-07-23", "bonus 1:1 / split 10:2"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Beware: 10:1 is given, but the candles of 2025-07-23 show 5.00:1 "
        "(close 2000.00 before it, then open 400.00 and close 400.00).",
        "HDFCBANK: 5:1 of 2025-07-23 (detected) is replaced by 10:1 of 2025-07-23.",
        "Candles of HDFCBANK before 2025-07-23 are adjusted by 10:1 from the next evaluation on.",
    ]
    assert main(["actions", "confirm", "TCS", "2018-05-31", "2:1"]) == 0
    assert sorted(action.ratio for action in corporate_actions.fetch(engine)) == ["10:1", "2:1"]
    assert main(["actions", "confirm", "TCS", "2020-05-31"]) == 2
    assert "nothing was detected for TCS on 2020-05-31" in capsys.readouterr().err


def test_a_ratio_of_prices_confirms_a_demerger(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["actions", "confirm", "RELIANCE", "2023-07-20", "2841.85:2580"]) == 0
    assert "adjusted by 1.1015:1 from" in capsys.readouterr().out
    [action] = corporate_actions.fetch(engine)
    assert (action.numerator, action.denominator) == (56837, 51600)


def test_a_step_without_a_simple_ratio_needs_a_ratio(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    step = Action("NSE_EQ:2885", date(2023, 7, 20), 284185, 258000, "unexplained", "evidence", "candles")
    corporate_actions.replace_detected(engine, [step.key], [step])
    assert main(["actions", "confirm", "RELIANCE", "2023-07-20"]) == 2
    assert (
        "is no split; give the ratio of its prices, by close and open 2841.85:2580" in capsys.readouterr().err
    )
    assert main(["actions", "list"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == "RELIANCE     2023-07-20 2841.85:2580 unexplained: demerger? evidence"
    assert second.startswith(
        "Bonuses below 1:5, and demergers that move a price by less than its band, do not show"
    )
    assert known(engine) == [("NSE_EQ:2885", date(2023, 7, 20), "2841.85:2580", "unexplained")]


def test_of_one_share_the_falls_that_candles_cannot_tell_are_listed(
    tmp_path: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "h.csv"
    file.write_text(history("ITC", 481.6, 455.6))
    assert main(["candles", "import", str(file)]) == 0
    capsys.readouterr()
    assert main(["actions", "list", "ITC"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "No split or bonus is known.",
        "Candles cannot tell these falls at the open from a small bonus or a demerger; the exchange's list "
        "can:",
        "             2025-07-23 481.60:455.60 lower by 5.4%, 55 times the usual gap",
    ]
    assert main(["actions", "confirm", "ITC", "2025-07-23", "481.6:455.6"]) == 0
    capsys.readouterr()
    assert main(["actions", "list", "ITC"]) == 0
    assert (
        capsys.readouterr()
        .out.splitlines()[1]
        .startswith("No other fall at the open stands out. Bonuses below 1:5")
    )
    assert main(["actions", "list", "TCS"]) == 0
    assert "No other fall at the open stands out." in capsys.readouterr().out
    assert main(["actions", "list", "NOBODY"]) == 2


def test_a_suspicion_can_be_dismissed(split: Path, engine: Engine) -> None:
    assert main(["actions", "dismiss", "HDFCBANK", "2025-07-23"]) == 0
    assert [action.state for action in corporate_actions.fetch(engine)] == ["dismissed"]
    assert main(["actions", "dismiss", "HDFCBANK", "2025-01-01"]) == 2


def test_a_list_of_suspicions_confirms_none_until_its_ratio_is_filled_in(
    split: Path, engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["actions", "list", "--csv"]) == 0
    listed = capsys.readouterr().out
    reviewed = tmp_path / "reviewed.csv"
    reviewed.write_text(listed)
    assert main(["actions", "import", str(reviewed)]) == 0
    assert capsys.readouterr().out == (
        "reviewed.csv, line 2: HDFCBANK 2025-07-23 '5:1' is not used; a suggestion alone confirms nothing; "
        "fill in the column ratio; the candles of 2025-07-23 show 5.00:1 "
        "(close 2000.00 before it, then open 400.00 and close 400.00)\n"
        "0 splits and bonuses confirmed; 1 row was not used.\n"
    )
    assert known(engine) == [("NSE_EQ:1333", SPLIT_DAY, "5:1", "detected")]
    reviewed.write_text(listed.replace("2025-07-23,,5:1", "2025-07-23,5:1,5:1") + "NOBODY,2025-01-01,2:1,,\n")
    assert main(["actions", "import", str(reviewed)]) == 0
    assert capsys.readouterr().out == (
        "reviewed.csv, line 3: NOBODY 2025-01-01 '2:1' is not used; the instrument master does not know "
        "NOBODY\n"
        "1 split or bonus confirmed; 1 row was not used.\n"
    )
    [action] = corporate_actions.fetch(engine)
    assert (action.ex_day, action.ratio, action.state, action.source) == (
        SPLIT_DAY,
        "5:1",
        "confirmed",
        "reviewed.csv",
    )


def test_a_bonus_of_preference_shares_adjusts_nothing(
    tmp_path: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    announce(tmp_path, ("HDFCBANK", "Bonus Ncrps 4:1", "25-Aug-2025"))
    assert capsys.readouterr().out.startswith(
        "ca.csv, line 2: HDFCBANK 2025-08-25 'Bonus Ncrps 4:1' is not used; 'ncrps' means"
    )
    assert known(engine) == []


def test_rows_of_one_day_multiply_and_a_known_action_stays(
    tmp_path: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    bonus, parted = (
        ("HDFCBANK", "Bonus 4:1", "16-Jun-2025"),
        ("HDFCBANK", "Fv Splt Frm Rs 2 To Re 1", "16-Jun-2025"),
    )
    for rows in ((bonus, parted), (parted, bonus), (bonus, bonus, parted)):
        announce(tmp_path, *rows)
        assert known(engine) == [("NSE_EQ:1333", date(2025, 6, 16), "10:1", "confirmed")]
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == "1 split or bonus confirmed, 1 of them known before."
    assert "replaced" not in out


def test_a_row_that_cannot_be_used_holds_the_others_of_its_day(
    tmp_path: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    announce(tmp_path, ("HDFCBANK", "Bonus 1:1", "16-Jun-2025"), ("HDFCBANK", "Demerger", "16-Jun-2025"))
    out = capsys.readouterr().out.splitlines()
    assert (
        "line 2: HDFCBANK 2025-06-16 'Bonus 1:1' is not used; line 3 of the same day cannot be used" in out[0]
    )
    assert "line 3: HDFCBANK 2025-06-16 'Demerger' is not used" in out[1]
    assert known(engine) == []


def test_every_row_about_shares_that_is_not_used_is_named_and_no_other(
    tmp_path: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    announce(
        tmp_path,
        ("RELIANCE", "Demerger", "20-Jul-2023"),
        ("ITC", "Dividend - Rs 6.50 Per Share", "12-Feb-2025"),
        ("TCS", "Capital Reduction", "06-Jan-2025"),
        ("INFY", "Rights 1:4 @ Premium Rs 90/-", "06-Jan-2025"),
        ("NOBODY", "Bonus 1:1", "06-Jan-2025"),
        ("WIPRO", "Bonus 1:1", "-"),
        ("WIPRO", "Bonus 1:1", "03-Dec-2024"),
    )
    *named, last = capsys.readouterr().out.splitlines()
    assert [line.split(" is not used")[0] for line in named] == [
        "ca.csv, line 2: RELIANCE 2023-07-20 'Demerger'",
        "ca.csv, line 4: TCS 2025-01-06 'Capital Reduction'",
        "ca.csv, line 6: NOBODY 2025-01-06 'Bonus 1:1'",
        "ca.csv, line 7: WIPRO without a day 'Bonus 1:1'",
    ]
    assert last == "1 split or bonus confirmed; 4 rows were not used."
    assert known(engine) == [("NSE_EQ:3787", date(2024, 12, 3), "2:1", "confirmed")]


def test_a_ratio_that_the_candles_contradict_is_not_used_and_both_are_printed(
    split: Path, tmp_path: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    announce(tmp_path, ("HDFCBANK", "Bonus 1:1", "23-Jul-2025"))
    assert (
        "2:1 is announced, but the candles of 2025-07-23 show 5.00:1 (close 2000.00 before it, then open "
        "400.00 and close 400.00)" in capsys.readouterr().out
    )
    announce(tmp_path, ("HDFCBANK", "Face Value Split From Rs 10 To Rs 2", "25-Jul-2025"))
    out = capsys.readouterr().out
    assert "5:1 is announced, but the candles of 2025-07-25 show 1.00:1" in out
    assert "; 5:1 is suspected on 2025-07-23" in out
    assert known(engine) == [("NSE_EQ:1333", SPLIT_DAY, "5:1", "detected")]


def test_an_announced_demerger_that_shows_in_the_candles_waits_for_its_ratio(
    tmp_path: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    """As ITC's, of 5.4% at the open: too little for a suspicion by prices alone."""
    file = tmp_path / "h.csv"
    file.write_text(history("ITC", 481.6, 455.6))
    assert main(["candles", "import", str(file)]) == 0
    assert known(engine) == []
    capsys.readouterr()
    announce(tmp_path, ("ITC", "Demerger", "23-Jul-2025"))
    assert capsys.readouterr().out.splitlines() == [
        "ca.csv, line 2: ITC 2025-07-23 'Demerger' is not used; 'demerger' gives no ratio of equity shares; "
        "its step of 481.60:455.60 waits for `actions confirm`",
        "0 splits and bonuses confirmed; 1 row was not used.",
    ]
    assert known(engine) == [("NSE_EQ:1660", SPLIT_DAY, "481.60:455.60", "unexplained")]
    announce(tmp_path, ("ITC", "Demerger", "28-Jul-2025"))
    assert "the candles of 2025-07-28 show 1.00:1 (close 455.60 before it" in capsys.readouterr().out
    assert main(["actions", "confirm", "ITC", "2025-07-23", "481.6:455.6"]) == 0
    announce(tmp_path, ("ITC", "Demerger", "23-Jul-2025"))
    assert known(engine) == [("NSE_EQ:1660", SPLIT_DAY, "1204:1139", "confirmed")]


def test_an_action_announced_for_two_days_of_a_week_is_not_used(
    tmp_path: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    announce(tmp_path, ("TCS", "Bonus 1:1", "16-Jun-2025"), ("TCS", "Bonus 1:1", "18-Jun-2025"))
    assert (
        "2:1 is announced for 2025-06-18 too, and only one of these days can be right"
        in capsys.readouterr().out
    )
    assert known(engine) == []


def test_an_action_replaced_by_an_announcement_is_printed(
    tmp_path: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["actions", "confirm", "TCS", "2018-05-31", "5:1"]) == 0
    capsys.readouterr()
    announce(tmp_path, ("TCS", "Bonus 1:1", "31-May-2018"))
    assert capsys.readouterr().out.splitlines()[0] == (
        "TCS: 5:1 of 2018-05-31 (confirmed) is replaced by 2:1 of 2018-05-31."
    )
    assert known(engine) == [("NSE_EQ:11536", date(2018, 5, 31), "2:1", "confirmed")]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["confirm", "NOBODY", "2025-01-01", "2:1"], "There is no instrument called 'NOBODY'"),
        (["confirm", "TCS", "soon", "2:1"], "DATE: 'soon' is not accepted"),
        (["confirm", "TCS", "2025-01-01", "two"], "RATIO: 'two' is not accepted; new shares for old ones"),
        (["confirm", "TCS", "2025-01-01", "bonus ncrps 4:1"], "'ncrps' means other securities"),
        (["import", "missing.csv"], "it cannot be read"),
    ],
)
def test_a_wrong_argument_is_one_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["actions", *arguments]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert len(error.splitlines()) == 1
