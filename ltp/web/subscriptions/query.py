"""What the address of `/subscriptions` selects: filter, order and page. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

from ltp.core.instrument import SEGMENTS
from ltp.core.subscriptions.table import REASONS, STATES
from ltp.errors import InputError
from ltp.web import params, urls

PATH: Final = "/subscriptions"
SIZES: Final = (50, 100, 200)
_SIZE: Final = 100
_MAX_PAGE: Final = 10_000
_SORT: Final = "place"
# Columns that can be sorted with their heads, and whether the first press sorts the largest first.
HEADS: Final = {
    "symbol": ("Instrument", False),
    "place": ("Place", False),
    "state": ("State", False),
    "mode": ("Mode", False),
    "age": ("Last packet", False),
    "rate": ("A minute", True),
    "viewers": ("Pages", True),
    "clients": ("API", True),
    "reasons": ("Why", False),
}
_REASON: Final = "it is one of " + ", ".join(REASONS) + ", or saved:NAME, screen:NAME, watchlist:NAME"


class Query(NamedTuple):
    """`state`, `segment`: "" for all. `reason`: a kind or kind:name, "" for all. `size`: 0 for all rows."""

    state: str = ""
    reason: str = ""
    segment: str = ""
    words: str = ""
    sort: str = _SORT
    page: int = 1
    size: int = _SIZE

    @property
    def column(self) -> str:
        return self.sort.removeprefix("-")

    @property
    def descending(self) -> bool:
        return self.sort.startswith("-")

    def pairs(self) -> list[tuple[str, str]]:
        """Return the parameters; those by default are left out."""
        values = {
            "state": self.state,
            "reason": self.reason,
            "segment": self.segment,
            "q": self.words,
            "sort": "" if self.sort == _SORT else self.sort,
            "size": "" if self.size in (0, _SIZE) else str(self.size),
            "page": "" if self.page == 1 else str(self.page),
        }
        return [(name, value) for name, value in values.items() if value]

    def url(self, path: str = PATH, **changed: str | int) -> str:
        """Return the address with some values changed; of another selection it is the first page."""
        new = self._replace(**{"page": 1, **changed})  # type: ignore[arg-type]
        return urls.address(path, new.pairs(), safe=",():")


def parse(given: dict[str, str], *, size: int = _SIZE) -> Query:
    """Parse parameters.

    Args:
        size: without a parameter for it.
    Raises:
        InputError: names the parameter that is not accepted.
    """
    unknown = next((name for name in given if name not in _NAMES), None)
    if unknown is not None:
        raise InputError(unknown, given[unknown], "the parameters are " + ", ".join(_NAMES))
    sorts = [f"{sign}{name}" for name in HEADS for sign in ("", "-")]
    return Query(
        params.choice(given, "state", ("", *STATES), ""),
        _reason(given.get("reason", "")),
        params.choice(given, "segment", ("", *SEGMENTS), ""),
        params.text(given, "q"),
        params.choice(given, "sort", sorts, _SORT),
        params.whole(given, "page", _MAX_PAGE, 1),
        int(params.choice(given, "size", [str(each) for each in SIZES], str(size)))
        if "size" in given
        else size,
    )


def _reason(text: str) -> str:
    kind = text.partition(":")[0]
    if text and (kind not in REASONS or len(text) > params.MAX_TEXT or not text.isprintable()):
        raise InputError("reason", text, _REASON)
    return text


_NAMES: Final = ("state", "reason", "segment", "q", "sort", "size", "page", "live")
