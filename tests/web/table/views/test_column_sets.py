from __future__ import annotations

from collections import Counter

from ltp.web.table.columns import BY_NAME, TABS
from ltp.web.table.views.column_sets import OTHER, SETS, SUBJECTS
from ltp.web.table.views.form import columns_of


def test_each_column_has_one_subject() -> None:
    found = Counter(name for names in SUBJECTS.values() for name in names)
    assert found == Counter(list(BY_NAME))
    assert SUBJECTS[OTHER] == ()


def test_each_set_has_columns_in_both_tabs_and_the_price_first() -> None:
    for each in SETS:
        assert set(each.names) <= set(BY_NAME)
        for tab in TABS:
            names = columns_of(each.names, tab)
            assert "ltp" in names
            assert 3 <= len(names) <= 14
