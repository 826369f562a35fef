from __future__ import annotations

import pytest

from ltp.errors import InputError
from ltp.web import params
from ltp.web.table.columns import COLUMNS, TABS, sorts
from ltp.web.table.screen_query import SIZES, ScreenQuery, parse

FULL = [
    ("q", "bank"),
    ("setup", "Breakout"),
    ("sort", "-chgp"),
    ("columns", "ltp,chg,volume"),
    ("size", "25"),
    ("page", "3"),
    ("live", "0"),
]


def test_an_empty_query_is_the_default_page() -> None:
    assert parse([]) == ScreenQuery()
    assert ScreenQuery().url("/screeners/swing") == "/screeners/swing"


def test_every_value_is_read() -> None:
    query = parse(FULL)
    assert query == ScreenQuery("chgp", True, "bank", "Breakout", ("ltp", "chg", "volume"), 25, 3, False)


def test_a_query_is_parsed_back_from_its_url() -> None:
    query = parse([*FULL, ("run", "17"), ("rows", "3,1,200"), ("sector", "IT")])
    assert parse(list(query.pairs())) == query
    assert (
        query.url("/s")
        == "/s?q=bank&setup=Breakout&sector=IT&sort=-chgp&columns=ltp,chg,volume&size=25&page=3&live=0&run=17&rows=3,1,200"
    )


def test_reserved_characters_are_quoted_in_links() -> None:
    assert ScreenQuery(q="M&M=?#").url("/s") == "/s?q=M%26M%3D%3F%23"


def test_an_empty_parameter_is_an_absent_one() -> None:
    assert parse([("q", "  "), ("setup", ""), ("sort", ""), ("page", "")]) == ScreenQuery()


def test_dir_and_a_minus_sign_are_equal() -> None:
    assert parse([("sort", "chg"), ("dir", "desc")]) == parse([("sort", "-chg")])
    assert parse([("sort", "chg"), ("dir", "asc")]) == parse([("sort", "chg")])


def test_columns_are_in_table_order_and_have_the_price() -> None:
    assert parse([("columns", "sector,volume")]).columns == ("ltp", "volume", "sector")


@pytest.mark.parametrize(("tab", "name"), [(tab, name) for tab in TABS for name in sorts(tab)])
def test_every_column_of_a_tab_sorts_both_ways(tab: str, name: str) -> None:
    query = parse([("tab", tab), ("sort", f"-{name}")])
    assert (query.tab, query.sort, query.descending) == (tab, name, True)
    assert parse([("tab", tab), ("sort", name)]).descending is False


@pytest.mark.parametrize("size", SIZES)
def test_every_size_is_accepted(size: int) -> None:
    assert parse([("size", str(size))]).size == size


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sort", "nothing"),
        ("sort", "setup"),
        ("columns", "ltp,to_entry"),
        ("tab", "all"),
        ("sector", "a\tb"),
        ("sort", "--chg"),
        ("sort", "-"),
        ("dir", "up"),
        ("size", "51"),
        ("size", "5e1"),
        ("page", "0"),
        ("page", "-1"),
        ("page", "1.5"),
        ("page", "²"),
        ("page", "9" * 400),
        ("run", "x"),
        ("columns", "ltp,nope"),
        ("columns", "ltp,ltp"),
        ("columns", "ltp,"),
        ("q", "x" * 201),
        ("rows", "1,,2"),
        ("rows", ",".join("1" * 201)),
        ("q", "a\x00b"),
        ("setup", "a\nb"),
        ("live", "no"),
    ],
)
def test_a_bad_value_is_refused_with_the_accepted_ones(name: str, value: str) -> None:
    with pytest.raises(InputError) as refused:
        parse([(name, value)])
    assert refused.value.where == name
    assert refused.value.accepted


def test_a_column_of_the_other_tab_is_refused_with_its_tab() -> None:
    with pytest.raises(
        InputError, match=r"setup.*it belongs to the tab recommendations, and this is candidates"
    ):
        parse([("columns", "setup,ltp")])
    with pytest.raises(
        InputError, match=r"rsi.*it belongs to the tab candidates, and this is recommendations"
    ):
        parse([("tab", "recommendations"), ("sort", "-rsi")])
    assert parse([("tab", "recommendations"), ("columns", "state,setup")]).columns == (
        "ltp",
        "setup",
        "state",
    )


def test_another_tab_keeps_the_rows_and_drops_columns_that_it_lacks() -> None:
    query = parse(
        [
            ("sort", "-rsi"),
            ("columns", "rsi"),
            ("q", "x"),
            ("setup", "READY"),
            ("sector", "IT"),
            ("run", "7"),
            ("page", "2"),
        ]
    )
    assert (
        query.in_tab("recommendations").url("/s") == "/s?tab=recommendations&q=x&setup=READY&sector=IT&run=7"
    )
    assert parse([("sort", "-chgp")]).in_tab("recommendations").sort == "chgp"


def test_carried_parameters_are_before_the_query() -> None:
    assert (
        ScreenQuery(q="x").url("/s", [("c", "rsi > 60"), ("c", "adx > 20")])
        == "/s?c=rsi+%3E+60&c=adx+%3E+20&q=x"
    )


def test_a_direction_beside_a_minus_sign_is_refused() -> None:
    with pytest.raises(InputError, match="dir"):
        parse([("sort", "-chg"), ("dir", "asc")])


def test_a_parameter_given_twice_is_refused_even_with_equal_values() -> None:
    with pytest.raises(InputError, match=r"sort: 'chg' is not accepted; it may be given once"):
        parse([("sort", "chg"), ("sort", "chg")])


def test_unknown_parameters_are_ignored() -> None:
    assert parse([("utm_source", "x")]) == ScreenQuery()
    assert params.single([("a", " 1 "), ("b", "")]) == {"a": "1"}


def test_column_names_are_unique() -> None:
    assert len({column.name for column in COLUMNS}) == len(COLUMNS)


def test_a_misspelt_column_gets_a_suggestion() -> None:
    with pytest.raises(
        InputError, match=r"^sort: '-volum' is not accepted; there is no such column; did you mean volume\?$"
    ):
        parse([("sort", "-volum")])
    with pytest.raises(
        InputError, match=r"^columns: 'chgpp' is not accepted; there is no such column; did you mean chgp\?$"
    ):
        parse([("columns", "ltp,chgpp")])
    with pytest.raises(InputError, match=r"did you mean [a-z0-9_]+(, [a-z0-9_]+){0,3} or [a-z0-9_]+\?$"):
        parse([("sort", "dist_ema")])
    with pytest.raises(InputError, match=r"did you mean high52\?$"):
        parse([("sort", "52w high")])
    with pytest.raises(
        InputError,
        match=r"^sort: 'zzzzz' is not accepted; it is one of [\w, ]{1,60} and so on, with - in front",
    ):
        parse([("sort", "zzzzz")])
    with pytest.raises(InputError, match="it is one of rank, symbol, ltp"):
        parse([("sort", "zzzzz")])
    with pytest.raises(InputError, match="without repetition"):
        parse([("columns", "ltp,volume,volume")])


def test_a_second_column_orders_rows_with_equal_values() -> None:
    query = parse([("sort", "-score,chgp")])
    assert query.orders == (("score", True), ("chgp", False))
    assert query.url("/s") == "/s?sort=-score,chgp"
    assert parse([("sort", "-score"), ("then", "chgp")]) == query
    assert parse([("sort", "score,-chgp"), ("dir", "asc")]).orders == (("score", False), ("chgp", True))


def test_a_second_column_that_orders_nothing_is_dropped() -> None:
    for sort in ("rank,chgp", "rank,-chgp"):
        assert parse([("sort", sort)]) == ScreenQuery()
    assert parse([("then", "-chgp")]) == ScreenQuery()
    assert parse([("sort", "-score,rank")]) == parse([("sort", "-score")])
    assert parse([("sort", "-score,-rank")]).then == "rank"


@pytest.mark.parametrize(
    ("pairs", "where"),
    [
        ([("sort", "score,score")], "sort"),
        ([("sort", "score,-score")], "sort"),
        ([("sort", "score,")], "sort"),
        ([("sort", "score,chgp,rsi")], "sort"),
        ([("sort", "score,chgp"), ("then", "rsi")], "sort"),
        ([("sort", "score,nothing")], "sort"),
        ([("sort", "score"), ("then", "entry")], "then"),
        ([("sort", "score"), ("then", "score")], "then"),
    ],
)
def test_a_wrong_second_column_is_refused(pairs: list[tuple[str, str]], where: str) -> None:
    with pytest.raises(InputError) as refused:
        parse(pairs)
    assert refused.value.where == where


def test_another_first_column_drops_the_second_and_another_tab_those_that_it_lacks() -> None:
    query = parse([("sort", "-chgp,rsi")])
    assert query.sorted_by("chgp", descending=False).orders == (("chgp", False), ("rsi", False))
    assert query.sorted_by("score", descending=True).orders == (("score", True),)
    assert query.in_tab("recommendations").orders == (("chgp", True),)
    assert parse([("sort", "rsi,-chgp")]).in_tab("recommendations").orders == (("rank", False),)
    assert parse([("sort", "chgp,-volume")]).in_tab("recommendations").then == "volume"


def test_columns_of_a_form_and_filters_come_several_times() -> None:
    query = parse(
        [("columns", "rsi"), ("columns", "ltp,chg"), ("columns", ""), ("f", "rsi>60"), ("f", "chg<0")]
    )
    assert query.columns == ("ltp", "chg", "rsi")
    assert query.url("/s") == "/s?f=rsi%3E60&f=chg%3C0&columns=ltp,chg,rsi"
    assert not query.is_shortest([("columns", "rsi"), ("columns", "chg"), ("f", "rsi>60"), ("f", "chg<0")])
    assert not query.is_shortest([("columns", "ltp,chg,rsi"), ("f", "rsi > 60"), ("f", "chg<0")])
    assert query.is_shortest([("columns", "chg,rsi"), ("f", "chg<0"), ("f", "rsi>60")])
    assert parse([("rows", "0")]).rows == (0,)


def test_the_own_address_of_every_query_is_the_shortest() -> None:
    """A page whose own address counted as too long would redirect to itself without end."""
    query = parse(
        [
            *[
                ("tab", "plans"),
                ("q", "x"),
                ("setup", "READY"),
                ("sector", "IT"),
                ("f", "rsi>60"),
                ("f", "ltp<2"),
            ],
            *[("sort", "-chgp,-symbol"), ("group", "setup,score"), ("columns", "ltp,chg"), ("size", "25")],
            *[("page", "2"), ("capital", "2000"), ("risk", "20"), ("live", "0"), ("run", "3")],
        ]
    )
    assert all(getattr(query, name) != getattr(ScreenQuery(), name) for name in vars(query) if name != "rows")
    assert query.is_shortest(query.pairs())
    assert parse(query.pairs()) == query


@pytest.mark.parametrize("value", ["why", "rsi", "sector,", "sector,name", ",score", "nothing"])
def test_only_texts_that_rows_share_make_groups(value: str) -> None:
    with pytest.raises(InputError, match=r"group: .*it is one of .*sector"):
        parse([("group", value)])
