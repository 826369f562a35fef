"""The views of this site's catalog, by the names in addresses."""

from __future__ import annotations

from collections.abc import Iterable

from ltp.errors import NotFoundError
from ltp.web.services import services
from ltp.web.table.views.chooser import BUILT_IN, Pairs, expand


def expanded(pairs: Iterable[tuple[str, str]]) -> Pairs:
    """Return the parameters of an address with those of the view that it names.

    Raises:
        InputError: `view` comes twice.
        NotFoundError: there is no such view.
    """
    return expand(pairs, _query_of)


def _query_of(slug: str) -> str:
    view = BUILT_IN.get(slug) or services().catalog.views().get(slug)
    if view is None:
        raise NotFoundError("view", slug)
    return view.query
