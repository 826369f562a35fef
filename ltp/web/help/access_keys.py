"""The access keys of links and fields; templates read them as `keys.search` and so on."""

from __future__ import annotations

from typing import Final

# Browsers use D, E and F with Alt themselves.
KEYS: Final = {
    "search": "q",
    "screeners": "s",
    "watchlists": "w",
    "alerts": "a",
    "help": "h",
    "next": "n",
    "previous": "p",
}
MEANINGS: Final = {
    "search": "the field that finds an instrument",
    "screeners": "the list of screeners",
    "watchlists": "the watchlists",
    "alerts": "the alerts",
    "help": "this page",
    "next": "the next page of a table, or the next row",
    "previous": "the previous page of a table, or the previous row",
}
