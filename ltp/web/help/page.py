"""`/help`, one page. Its columns are those of the tables, so a new column is explained without a change here."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, render_template

from ltp.core.ticks.tick import LINK_DEAD_AFTER_S, LIVE_FOR_S
from ltp.web.help.access_keys import KEYS, MEANINGS
from ltp.web.table.columns import COLUMNS, Column

bp = Blueprint("help", __name__)
STATES: Final = {
    "live": f"The feed is alive, and the instrument was traded within the last {LIVE_FOR_S:.0f} seconds.",
    "quiet": f"The feed is alive, but nothing was traded for {LIVE_FOR_S:.0f} seconds: the price is the present one.",
    "stale": "The price may have moved since: the feed or a part of it is silent or late, or this site has"
    f" heard nothing of the feed for {LINK_DEAD_AFTER_S:.0f} seconds.",
    "closed": "The market is shut. The price is the last one, with the date of its session where that is another.",
    "unknown": "No price of the instrument has come yet.",
}
PRESSES: Final = (
    ("Chrome, Edge", "Alt and the key; on a Mac Control, Option and the key"),
    ("Firefox", "Alt, Shift and the key; on a Mac Control, Option and the key"),
    ("Safari", "Control, Option and the key"),
)


@bp.get("/help")
def page() -> str:
    return render_template(
        "help/index.html",
        live=None,
        states=STATES,
        keys_shown=[(KEYS[name].upper(), meaning) for name, meaning in MEANINGS.items()],
        presses=PRESSES,
        groups=_groups(),
    )


def _groups() -> dict[str, list[Column]]:
    """Return the columns by where they are: in every table, or in one tab of a screener."""
    titles = {"": "In every table", "candidates": "Candidates of a screener", "recommendations": "Plans"}
    return {title: [column for column in COLUMNS if column.tab == tab] for tab, title in titles.items()}
