from __future__ import annotations

from fractions import Fraction
from math import prod

import pytest

from ltp.core.history.announcement import parse


@pytest.mark.parametrize(
    ("text", "ratio"),
    [
        ("Bonus 1:1", "2"),
        ("BONUS ISSUE 3:2", "5/2"),
        ("Bonus - 1 : 2", "3/2"),
        ("1:1 Bonus Issue", "2"),
        ("Bonus Shares In The Ratio Of 1:1", "2"),
        ("Bonus one equity share for every two held", "3/2"),
        ("Bonus Issue - 1 New Equity Share For Every 2 Existing Shares", "3/2"),
        ("Bonus 1:10 / Dividend - Rs 5 Per Share", "11/10"),
        ("Agm/Div-20%/Bon-1:1", "2"),
        ("Dividend \u20b95 & Bonus 1\u22361", "2"),
        ("Face Value Split (Sub-Division) - From Rs 10/- Per Share To Rs 2/- Per Share", "5"),
        ("Face Value Split (Sub-Division) - From Rs 10/- Per Unit To Re 1/- Per Unit", "10"),
        ("Face Value Split From Rs. 10 To Rs. 2.50", "4"),
        ("FVSPLT FRM RS 10 TO RE 1", "10"),
        ("Fv Split Rs.10/- To Rs.5/-", "2"),
        ("FV SPLIT FROM RS.5/-TO RE.1/-", "5"),
        ("F.V. SPL-RS10/- TO RS2/-", "5"),
        ("FVSPLT RS100 TO RS2PERSH", "50"),
        ("FVSPLTFRM 761.25TO76.125", "10"),
        ("SUB - DIVISION FROM RS 10 TO RS 1", "10"),
        ("Split of 1 share of Rs 10 each into 5 shares of Rs 2 each", "5"),
        ("Stock Split 1:5", "5"),
        ("split 10:2", "5"),
        ("1st Interim Dividend Rs.2.50 Per Share And Face Value Split From Rs.10/- To Re.1/-", "10"),
        ("Agm/Div-20%/Spl Rs10-Rs2", "5"),
        ("Intdiv-Rs.3 + Bon 1:1", "2"),
        ("Agm/Spl/Bon-1:1/Div-20%", "2"),
        ("Bonus 4:1/Fv Splt Frm Rs 2 To Re 1", "10"),
        ("Fv Spl-Rs10tore1/Bon-1:1", "20"),
        ("BONUS1:2/FVSPLIT10TO2", "15/2"),
        ("Bonus-1:1 Spl-Rs 5/ To 2/", "5"),
        ("Bonus 1:1 And Face Value Split Rs.10/- To Rs.5/- Per Share", "4"),
        ("Consolidation Of Shares From Re 1/- Per Share To Rs 10/- Per Share", "1/10"),
        ("FV CONSOLIDATION FRM RS 1 TO RS 10", "1/10"),
        ("Reverse Split 10:1", "1/10"),
    ],
)
def test_every_spelling_of_a_ratio_of_equity_shares_is_read(text: str, ratio: str) -> None:
    reading = parse(text)
    assert (prod(part for _, part in reading.parts), reading.refusal, reading.relevant) == (
        Fraction(ratio),
        "",
        True,
    )


@pytest.mark.parametrize(
    "text",
    [
        "Bonus Ncrps 4:1",
        "Scheme Of Arrangement - Bonus Ncrps 4:1",
        "Bonus 1:1/Ncrps 4:1",
        "Bonus Deb1:1",
        "Bonus Dvr 1:10",
        "Bonus 1:1 (Warrants)",
        "Bonus Preference Shares 4:1",
        "Bonus",
        "Bonus 1:0",
        "Bonus 0:1",
        "Bonus 100%",
        "Bonus 1:1 / Rights 1:4 @ Premium Rs 90/-",
        "Bonus 1:1 / Bonus 1:2",
        "Bonus 1:1 / Demerger",
        "Bonus 1:1 / Pursuant To Order",
        "Bouns 1:1",
        "BONUSNCRPS 4:1",
        "Face Value Change From Rs 10 To Rs 2",
        "Agm / Fvs Rs 10 To Re 1",
        "Sub Dvsn Rs 10/- To Re 1/-",
        "Face Value Split",
        "FV SPLT FRM RS 299.92 TO",
        "Face Value Split From Rs 2 To Rs 10",
        "Face Value Split From Rs 2 To Rs 2",
        "Split Us 64 Into 2 Parts",
        "Split of 1 share of Rs 10 each into 5 shares of Rs 5 each",
        "Agm/Div-Rs.2/Fv Rs10tors5",
        "Consolidation",
        "Consolidation From Rs 10 To Re 1",
        "Capital Reduction",
        "Cap Redn",
        "Reduction Of Capital From Rs 10 To Re 1",
        "Demerger",
        "De-Merger",
        "Spin Off",
        "Scheme of Arrangement",
        "Sch Of Arngmnt",
        "Composite Scheme Of Amalgamation",
        f"Bonus 1:1 / {'of ' * 200}",
        f"Dividend Rs {'9' * 400} / Bonus 1:1",
    ],
)
def test_one_unknown_word_makes_the_whole_text_unusable(text: str) -> None:
    reading = parse(text)
    assert (reading.parts, reading.relevant) == ((), True)
    assert reading.refusal


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Dividend - Rs 5 Per Share",
        "Dividend 50% On Face Value Of Rs 2",
        "Annual General Meeting/Dividend - Rs 2.50 Per Share",
        "Agm/Div Fin-10% + Spl-5%",
        "Spl Int Div-30%",
        "Rights 1:15 @ Premium Rs 1247",
        "Buy Back",
        "Ex-Date Changed From 12-Mar To 15-Mar",
        "Interest Payment",
        "Income Distribution",
    ],
)
def test_announcements_that_do_not_change_the_number_of_shares_are_not_relevant(text: str) -> None:
    assert parse(text) == ((), "", False, False)


@pytest.mark.parametrize(
    ("text", "divides"),
    [
        ("Demerger", True),
        ("Scheme Of Arrangement", True),
        ("Bonus 1:1 / Demerger", True),
        ("Capital Reduction", True),
        ("Scheme Of Arrangement - Bonus Ncrps 4:1", False),
        ("Bonus", False),
        ("Bonus 1:1", False),
        ("Rights 1:4", False),
    ],
)
def test_divisions_of_the_company_are_marked(text: str, divides: bool) -> None:
    assert parse(text).divides == divides
