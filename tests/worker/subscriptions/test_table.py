from __future__ import annotations

from ltp.core.subscriptions.table import Reason, Subscription
from ltp.worker.subscriptions.table import Known, rows

NOW = 1_795_408_200_000_000


def test_each_wanted_instrument_has_a_row_with_all_reasons_in_the_order_of_places() -> None:
    known = Known(
        now_us=NOW,
        wanted=["IDX_I:13", "NSE_EQ:1333", "NSE_EQ:2", "NSE_EQ:3"],
        waiting=["NSE_EQ:4"],
        modes={"IDX_I:13": "quote", "NSE_EQ:1333": "full", "NSE_EQ:2": "quote"},
        seen={"IDX_I:13", "NSE_EQ:1333"},
        never_ticked={"NSE_EQ:2"},
        last_us={"IDX_I:13": NOW - 5, "NSE_EQ:1333": NOW - 90_000_000},
        per_min={"IDX_I:13": 60},
        viewers={"NSE_EQ:1333": 3},
        clients={"NSE_EQ:3": 1},
    )
    reasons = [(Reason("probe"), ["IDX_I:13"]), (Reason("page"), ["NSE_EQ:1333", "IDX_I:13", "NSE_EQ:9"])]
    reasons += [(Reason("watchlist", f"list-{number}"), ["NSE_EQ:4"]) for number in range(30)]
    assert rows(known, reasons) == [
        Subscription("IDX_I:13", 1, "ticking", "quote", NOW - 5, 60, 0, 0, (0, 1)),
        Subscription("NSE_EQ:1333", 2, "stale", "full", NOW - 90_000_000, 0, 3, 0, (1,)),
        Subscription("NSE_EQ:2", 3, "never_ticked", "quote", 0, 0, 0, 0, ()),
        Subscription("NSE_EQ:3", 4, "wanted", "", 0, 0, 0, 1, ()),
        Subscription("NSE_EQ:4", 0, "waiting", "", 0, 0, 0, 0, tuple(range(2, 26))),
    ]
    [first, *_] = rows(known._replace(per_min=None), reasons)
    assert first.per_min is None
