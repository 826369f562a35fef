"""The grammar of criteria: accepted ones become canonical texts, errors name the character."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltp.core.criteria.facts import FACTS
from ltp.core.criteria.nodes import node_text
from ltp.core.criteria.parser import MAX_DEPTH, parse
from ltp.core.criteria.tokens import MAX_LENGTH, MAX_TOKENS
from ltp.core.criteria.vocabulary import FACT_WORDS, FUNCTIONS, SERIES
from ltp.errors import CriterionError


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("rsi14 > 60", "rsi14 > 60"),
        ("close > ema50", "close > ema50"),
        ("volume > 2 * sma(volume, 20)", "volume > 2 * sma(volume, 20)"),
        ("pct_from_high52 < 5", "pct_from_high52 < 5"),
        ("RSI(14)>=60.50", "rsi14 >= 60.5"),
        ("rsi>60", "rsi14 > 60"),
        ("rsi(close,14)>60", "rsi14 > 60"),
        ("rsi(volume, 5) > 60", "rsi(volume, 5) > 60"),
        ("price > ema(close, 200)", "close > ema200"),
        ("close > max(high, 252)", "close > high52"),
        ("close = 100", "close == 100"),
        ("trend = up", "trend == up"),
        ("weekly_trend != down", "weekly_trend != down"),
        ("close - (open - low) > 0", "close - (open - low) > 0"),
        ("(close - open) - low > 0", "close - open - low > 0"),
        ("close * (open + 1) / 2 > .5", "close * (open + 1) / 2 > 0.5"),
        ("close / (open * low) > 1", "close / (open * low) > 1"),
        ("-close < --1", "-close < --1"),
        ("-(close - open) < 1", "-(close - open) < 1"),
        ("close > 1 and close > 2 or not close > 3", "close > 1 and close > 2 or not close > 3"),
        ("close > 1 and (close > 2 or close > 3)", "close > 1 and (close > 2 or close > 3)"),
        ("not (close > 1 and close > 2)", "not (close > 1 and close > 2)"),
        ("crosses_above(close, ema20)", "crosses_above(close, ema20)"),
        ("close > ago(max(high, 20), 1)", "close > high20"),
        ("abs(gap_pct) > 2", "abs(gap_pct) > 2"),
        ("weekly(rsi14) > 55 and weekly(close > 0)", None),
        ("weekly(sma(close, 10)) > weekly(sma30)", "weekly(sma10) > weekly(sma30)"),
        ("atr14 / close < 0.05 and adx(20) > 25", "atr14 / close < 0.05 and adx20 > 25"),
        ("000060 > close", "60 > close"),
    ],
)
def test_equal_criteria_become_one_text(text, canonical):
    if canonical is None:
        with pytest.raises(CriterionError):
            parse(text)
        return
    assert node_text(parse(text)) == canonical
    assert parse(canonical) == parse(text)


@pytest.mark.parametrize(
    ("text", "at", "sentence"),
    [
        ("", 1, "a criterion is expected"),
        ("   ", 4, "a criterion is expected"),
        ("close", 6, "a comparison is expected"),
        ("rsi14 >", 8, "is expected here"),
        ("> 60", 1, "is expected here"),
        ("close > 5 6", 11, "the end is expected here"),
        ("close > 5 > 3", 11, "a comparison has two sides"),
        ("(close > 5", 11, "a closing parenthesis"),
        ("close > 5)", 10, "the end is expected here"),
        ("sma(volume, 100000) > 1", 13, "from 2 to 400"),
        ("sma(volume, 1) > 1", 13, "from 2 to 400"),
        ("sma(volume, 2.5) > 1", 13, "a whole number of sessions"),
        ("sma(volume, -5) > 1", 13, "a whole number of sessions"),
        ("sma(volume, close) > 1", 13, "a whole number of sessions"),
        ("sma100000 > 1", 1, "from 2 to 400"),
        ("ema99999999999999999999999 > 1", 1, "from 2 to 400"),
        ("ago(close, 0) > 1", 12, "from 1 to 400"),
        ("sma(volume 20) > 1", 12, "a comma is expected"),
        ("sma(volume, 20 > 1", 16, "sma ends here"),
        ("sma() > 1", 5, "is expected here"),
        ("sma(close, 20, 5) > 1", 14, "sma ends here"),
        ("sma > 4", 1, "sma is a function, such as sma(volume, 20)"),
        ("ago(relvol, 1) > 2", 5, "ago takes prices, volume or a function of them"),
        ("sma(close > 1, 5) > 2", 11, "a comma is expected"),
        ("close / 0 > 1", 9, "nothing is divided by zero"),
        ("close / 0.000 > 1", 9, "nothing is divided by zero"),
        ("1e999 > close", 2, "a number is digits"),
        ("close > 1.2.3", 12, "a number is digits"),
        ("close > 0x10", 10, "a number is digits"),
        ("close > 9999999999999", 9, "at most 12 before and 6 after the point"),
        ("close > 1.0000001", 9, "at most 12 before and 6 after the point"),
        ("close > nan", 9, "there is no such name"),
        ("close > inf", 9, "there is no such name"),
        ("__import__ > 1", 1, "there is no such name"),
        ("__import__('os')", 12, '"\'" has no meaning'),
        ("close.real > 1", 6, "'.' has no meaning"),
        ("close ** 2 > 1", 8, "is expected here"),
        ("close >> 1", 8, "is expected here"),
        ("close ! 1", 7, "'!' has no meaning"),
        ("close > 1; drop table x", 10, "';' has no meaning"),
        ("сlose > 1", 1, "CYRILLIC SMALL LETTER ES"),
        ("close ＞ 1", 7, "FULLWIDTH GREATER-THAN SIGN"),
        ("close > １", 9, "FULLWIDTH DIGIT ONE"),
        ("close > \u200b1", 9, "ZERO WIDTH SPACE"),
        ("close >\n1", 8, "U+000A"),
        ("close > \x001", 9, "U+0000"),
        ("rsi_14 > 60", 1, "there is no such name"),
        ("volme > 60", 1, "did you mean volume?"),
        ("foo(close) > 1", 1, "there is no such function"),
        ("highest(high, 20) > 1", 1, "there is no such function, there are sma, ema, "),
        ("highest(high, 20) > 1", 1, "crosses_below, weekly; did you mean max?"),
        ("sma20() > 1", 1, "weekly; did you mean sma?"),
        ("ltp > 100", 1, "there is no such name; did you mean close?"),
        ("close > prev_close", 9, "there is no such name; did you mean ago(close, 1)?"),
        ("close => ema50", 7, "'=>' has no meaning in a criterion; write >="),
        ("close =< ema50", 7, "'=<' has no meaning in a criterion; write <="),
        ("close <> ema50", 7, "'<>' has no meaning in a criterion; write !="),
        ("close > 5 && rsi > 60", 11, "'&&' has no meaning in a criterion; write and"),
        ("close > 5 || rsi > 60", 11, "'||' has no meaning in a criterion; write or"),
        ("!(rsi > 60)", 1, "'!' has no meaning in a criterion; write not"),
        ("close ≥ 5", 7, "the character GREATER-THAN OR EQUAL TO has no meaning in a criterion; write >="),
        ("close − 5 > 0", 7, "the character MINUS SIGN has no meaning in a criterion; write -"),
        ("pct_from_high52 < 5%", 20, "'%' has no meaning in a criterion; write the number alone, 5 for 5%"),
        ("close > 1,000", 10, "a comma stands between what a function takes; 1,000 is written 1000"),
        ("trend == high", 10, "trend is one of up, down, sideways"),
        ("trend == bullish", 10, "trend is one of up, down, sideways"),
        ("trend == weekly(close)", 10, "trend is one of up, down, sideways"),
        ("supertrend_side == sideways", 20, "supertrend_side is one of up, down"),
        ("trend > up", 7, "compared by == or !="),
        ("up == trend", 1, "a fact that is a word stands first"),
        ("close > up", 9, "a number, or a name that stands for one"),
        ("close > trend", 9, "a number, or a name that stands for one"),
        ("trend + 1 > 2", 1, "only numbers are added"),
        ("-trend > 2", 2, "expected after the sign"),
        ("1 + (close > 2) > 1", 5, "a number, or a name that stands for one"),
        ("(close > 2) > 1", 1, "a comparison compares numbers"),
        ("not close", 5, "'not' turns a comparison round"),
        ("close and close > 1", 1, "'and' joins comparisons"),
        ("close > 1 and close", 15, "'and' joins comparisons"),
        ("close > 1 or 5", 14, "'or' joins comparisons"),
        ("weekly(relvol) > 1", 8, "weekly() takes prices"),
        ("weekly(weekly(close)) > 1", 8, "weekly() within weekly()"),
        ("ago(weekly(close), 1) > 1", 5, "ago takes prices"),
    ],
)
def test_a_refusal_points_at_the_character(text, at, sentence):
    with pytest.raises(CriterionError) as caught:
        parse(text, "c")
    assert caught.value.at + 1 == at
    assert str(caught.value).startswith(f"c, character {at}: ")
    assert sentence in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_the_caret_stands_below_the_character():
    with pytest.raises(CriterionError) as caught:
        parse("close > 5 and volme > 2 and close < 100")
    line, caret = caught.value.caret().split("\n")
    assert line[caret.index("^") :].startswith("volme")


def test_the_caret_of_a_long_criterion_is_cut_around_its_character():
    text = "close > 1 and " * 8 + "volme > 2 and " + "close > 1 and " * 8
    with pytest.raises(CriterionError) as caught:
        parse(text)
    line, caret = caught.value.caret().split("\n")
    assert line.startswith("...")
    assert line.endswith("...")
    assert len(line) < 80
    assert line[caret.index("^") :].startswith("volme")


@pytest.mark.parametrize(
    "text", ["x" * 10_000, "(" * 10_000, "close > " + "9" * 10_000, "close > 1 and " * 700]
)
def test_a_criterion_of_ten_thousand_characters_is_refused_at_the_first_that_is_too_many(text):
    with pytest.raises(CriterionError, match=f"at most {MAX_LENGTH} characters") as caught:
        parse(text)
    assert caught.value.at == MAX_LENGTH


@pytest.mark.parametrize("opening", ["(", "-", "not ", "abs("])
def test_nesting_is_bounded(opening):
    with pytest.raises(CriterionError, match=f"nested at most {MAX_DEPTH} deep") as caught:
        parse(opening * 30 + "close > 1")
    assert caught.value.at == MAX_DEPTH * len(opening) + len(opening)


def test_the_deepest_allowed_nesting_is_parsed():
    text = "(" * MAX_DEPTH + "close" + ")" * MAX_DEPTH + " > 1"
    assert node_text(parse(text)) == "close > 1"


def test_a_chain_is_bounded_too():
    with pytest.raises(CriterionError, match=f"at most {MAX_TOKENS} words"):
        parse("close" + "+1" * 200 + " > 1")
    longest = "close" + "+1" * ((MAX_TOKENS - 3) // 2) + ">1"
    assert parse(node_text(parse(longest))) == parse(longest)


def test_every_name_of_the_vocabulary_is_accepted():
    for name in [*SERIES, *(fact.name for fact in FACTS)]:
        text = f"{name} == {FACT_WORDS[name][0]}" if name in FACT_WORDS else f"{name} > 1"
        assert parse(node_text(parse(text))) == parse(text)
    for function in FUNCTIONS.values():
        text = function.example if function.example.startswith("crosses") else f"{function.example} > 1"
        assert parse(node_text(parse(text))) == parse(text)


def test_the_facts_with_words_are_those_with_the_unit_text():
    assert set(FACT_WORDS) == {fact.name for fact in FACTS if fact.unit == "text"}


_PIECES = st.sampled_from(
    ["close", "volume", "rsi14", "trend", "up", "and", "or", "not", "(", ")", ",", "+", "-", "*", "/", ">",
     "<=", "==", "1", "20", "2.5", "sma(", "ago(", "weekly(", "crosses_above(", "relvol", " ", "e", "é", "\0"]
)  # fmt: skip


def refusal_of(text: str) -> CriterionError | None:
    try:
        parse(text)
    except CriterionError as error:
        return error
    return None


@given(st.lists(_PIECES, max_size=25).map(" ".join) | st.text(max_size=40))
def test_any_text_is_parsed_or_refused_and_a_parsed_one_keeps_its_meaning(text):
    refused = refusal_of(text)
    if refused is not None:
        assert 0 <= refused.at <= len(text)
        return
    node = parse(text)
    assert parse(node_text(node)) == node
    assert node_text(parse(node_text(node))) == node_text(node)
