from __future__ import annotations

from pathlib import Path

from ltp.core.criteria.facts import FACT
from ltp.core.criteria.nodes import DAILY
from ltp.core.criteria.parser import MAX_DEPTH
from ltp.core.criteria.spec import canonical
from ltp.core.criteria.tokens import MAX_LENGTH, MAX_TOKENS
from ltp.core.criteria.vocabulary import FACT_WORDS, FUNCTIONS, MAX_DAYS, OTHER_NAMES, SERIES, hint_for

PAGE = (Path(__file__).parents[3] / "docs" / "screeners.md").read_text(encoding="utf-8")


def test_the_page_for_users_names_every_word_and_bound():
    for name in FUNCTIONS:
        assert f"`{name}(" in PAGE, name
    for name in (*SERIES, *DAILY, *FACT_WORDS):
        assert f"`{name}`" in PAGE, name
    for bound in (
        f"{MAX_LENGTH} characters",
        f"{MAX_TOKENS} words",
        f"signs {MAX_DEPTH} deep",
        f"to {MAX_DAYS}",
    ):
        assert bound in " ".join(PAGE.split()), bound


def test_names_mean_one_thing():
    assert set(DAILY) <= set(FACT)
    # Without parentheses these are the fact, of 14 sessions.
    assert set(FUNCTIONS) & (set(FACT) | set(SERIES)) == {"rsi", "atr", "adx"} <= set(DAILY)
    assert set(SERIES) & set(FACT) == {"volume"}  # the newest session's, both


def test_a_name_that_is_nearly_right_is_hinted_at():
    assert hint_for("ema_50") == "; did you mean ema50?"
    assert hint_for("turnovr") == "; did you mean turnover?"
    assert hint_for("zzz") == hint_for("x" * 500) == ""


def test_a_call_is_hinted_at_functions_alone():
    assert hint_for("stdev", call=True) == "; did you mean stddev?"
    assert hint_for("highs", call=True) == hint_for("ltp", call=True) == ""


def test_names_of_other_programs_give_a_hint():
    assert hint_for("avg") == hint_for("avg", call=True) == "; did you mean sma?"
    assert hint_for("chg") == "; did you mean change_pct?"
    known = {*SERIES, *FACT, *FUNCTIONS}
    for name, known_name in OTHER_NAMES.items():
        assert name not in known
        assert known_name in known or canonical(f"close > {known_name}")
