from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ltp.core.history.corporate_action import Action
from ltp.db import corporate_actions
from ltp.db.engine import open_engine, writing
from ltp.errors import NotFoundError

HDFC, BAJAJ = "NSE_EQ:1333", "NSE_EQ:317"
SPLIT = Action(BAJAJ, date(2025, 6, 16), 10, 1, "detected", "opened at 1/9.76", "candles")
BONUS = Action(HDFC, date(2025, 8, 26), 2, 1, "detected", "opened at 1/2.01", "candles")


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    assert corporate_actions.replace_detected(engine, [HDFC, BAJAJ], [SPLIT, BONUS]) == [SPLIT, BONUS]
    return engine


def test_detected_actions_are_read_by_instrument(engine: Engine) -> None:
    assert corporate_actions.fetch(engine) == [SPLIT, BONUS]
    assert corporate_actions.fetch(engine, HDFC) == [BONUS]
    assert corporate_actions.fetch(engine, "NSE_EQ:7") == []


def test_only_actions_that_are_new_are_returned(engine: Engine) -> None:
    again = BONUS._replace(evidence="opened at 1/2.01; 10 sessions since")
    assert corporate_actions.replace_detected(engine, [HDFC, BAJAJ], [SPLIT, again]) == []
    assert corporate_actions.fetch(engine) == [SPLIT, again]


def test_a_suspicion_that_did_not_last_goes(engine: Engine) -> None:
    assert corporate_actions.replace_detected(engine, [HDFC], []) == []
    assert corporate_actions.fetch(engine) == [SPLIT]


def test_a_confirmed_or_dismissed_action_stays_and_is_not_suspected_again(engine: Engine) -> None:
    announced = SPLIT._replace(ex_day=date(2025, 6, 13), state="confirmed", source="ca.csv")
    corporate_actions.confirm(engine, [announced])
    dismissed = corporate_actions.dismiss(engine, HDFC, BONUS.ex_day, "command line")
    assert dismissed == BONUS._replace(state="dismissed", source="command line")
    assert corporate_actions.replace_detected(engine, [HDFC, BAJAJ], [SPLIT, BONUS]) == []
    assert corporate_actions.fetch(engine) == [announced, dismissed]


def test_replaced_actions_that_differ_are_returned_and_an_equal_one_stays(engine: Engine) -> None:
    assert corporate_actions.confirm(engine, [SPLIT]) == [], "the ratio that was detected"
    confirmed = SPLIT._replace(state="confirmed")
    assert corporate_actions.confirm(engine, [SPLIT._replace(source="ca.csv")]) == []
    assert corporate_actions.fetch(engine, BAJAJ) == [confirmed]
    other = SPLIT._replace(ex_day=date(2025, 6, 17), numerator=5, state="confirmed")
    assert corporate_actions.confirm(engine, [other]) == [confirmed]
    assert corporate_actions.fetch(engine, BAJAJ) == [other]
    dismissed = corporate_actions.dismiss(engine, BAJAJ, other.ex_day, "command line")
    assert corporate_actions.confirm(engine, [other]) == [dismissed]


def test_an_unexplained_step_is_a_suspicion_too(engine: Engine) -> None:
    step = BONUS._replace(state="unexplained", numerator=284185, denominator=258000)
    assert corporate_actions.replace_detected(engine, [HDFC], [step]) == []
    assert corporate_actions.fetch(engine, HDFC) == [step]
    assert corporate_actions.replace_detected(engine, [HDFC], []) == []
    assert corporate_actions.fetch(engine, HDFC) == []


def test_an_announced_step_waits_even_if_candles_show_none(engine: Engine) -> None:
    step = BONUS._replace(state="unexplained", numerator=284185, denominator=258000, source="ca.csv")
    assert corporate_actions.suspect(engine, [step]) == [step]
    assert corporate_actions.fetch(engine, HDFC) == [step]
    assert corporate_actions.replace_detected(engine, [HDFC], []) == []
    assert (
        corporate_actions.replace_detected(engine, [HDFC], [BONUS._replace(ex_day=date(2025, 8, 28))]) == []
    )
    assert corporate_actions.fetch(engine, HDFC) == [step]
    corporate_actions.dismiss(engine, HDFC, step.ex_day, "command line")
    assert corporate_actions.suspect(engine, [step]) == []
    assert [each.state for each in corporate_actions.fetch(engine, HDFC)] == ["dismissed"]


def test_a_dismissed_action_can_be_confirmed(engine: Engine) -> None:
    corporate_actions.dismiss(engine, HDFC, BONUS.ex_day, "command line")
    corporate_actions.confirm(engine, [BONUS._replace(numerator=3, denominator=2)])
    assert corporate_actions.fetch(engine, HDFC) == [
        BONUS._replace(numerator=3, denominator=2, state="confirmed")
    ]


def test_the_same_share_s_actions_of_other_years_stay(engine: Engine) -> None:
    earlier = BONUS._replace(ex_day=date(2019, 9, 19), state="confirmed")
    corporate_actions.confirm(engine, [earlier])
    assert corporate_actions.fetch(engine, HDFC) == [earlier, BONUS]


def test_nothing_can_be_dismissed_that_is_not_known(engine: Engine) -> None:
    with pytest.raises(NotFoundError, match="corporate action"):
        corporate_actions.dismiss(engine, HDFC, date(2025, 8, 25), "command line")


def test_actions_move_to_another_key(engine: Engine) -> None:
    mine = BONUS._replace(key=BAJAJ, numerator=5)
    corporate_actions.replace_detected(engine, [BAJAJ], [SPLIT, mine])
    with writing(engine) as connection:
        corporate_actions.move(connection, HDFC, BAJAJ)
    assert corporate_actions.fetch(engine) == [SPLIT, mine]
