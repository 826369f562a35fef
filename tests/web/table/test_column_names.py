from __future__ import annotations

from ltp.web.table.column_names import suggestion


def test_a_near_name_or_label_is_asked_for() -> None:
    accepted = ["rsi", "volume", "high52", "weekly_rsi"]
    assert suggestion("volum", accepted) == "there is no such column; did you mean volume?"
    assert suggestion("52w high", accepted) == "there is no such column; did you mean high52?"
    assert suggestion("qqqq", accepted) == ""
    assert suggestion("rsi", accepted) == ""
