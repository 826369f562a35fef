"""The sentences and numbers of a finding."""

from __future__ import annotations

from ltp.screen.finding import NOT_READY, Weakness, blended, not_ready, price_text, rupees_text


def test_money_is_written_the_indian_way() -> None:
    assert rupees_text(1402.1) == price_text(14_021_000) == "₹1,402.10"
    assert rupees_text(1234567.891) == "₹12,34,567.89"
    assert rupees_text(16.546) == "₹16.55"


def test_scores_are_blended_and_rounded() -> None:
    assert blended(80, 50) == 68.0
    assert blended(33.333, 66.666) == 46.7


def test_weaknesses_become_two_sentences() -> None:
    found = not_ready("No uptrend", [Weakness("it fell", "it rises"), Weakness("it is dear", "it is cheap")])
    assert (found.setup, found.score, found.entry) == (NOT_READY, None, None)
    assert found.why == "No uptrend: it fell; it is dear."
    assert found.invalid == "Another look once it rises and it is cheap."
