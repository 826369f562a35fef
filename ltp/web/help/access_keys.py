"""The access keys of links and fields; templates read them as `keys.search` and so on."""

from __future__ import annotations

from typing import Final

# Browsers use D, E and F with Alt themselves.
KEYS: Final = {"search": "q", "screeners": "s", "help": "h", "next": "n", "previous": "p"}
MEANINGS: Final = {
    "search": "the field that finds an instrument",
    "screeners": "the list of screeners",
    "help": "this page",
    "next": "the next page of a table, or the next row",
    "previous": "the previous page of a table, or the previous row",
}
