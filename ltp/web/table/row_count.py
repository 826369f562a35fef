"""The number of rows that the filter of a table would leave, while it is typed."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response
from markupsafe import escape

from ltp.core.counted import counted
from ltp.core.money import group_indian
from ltp.core.screener import Run
from ltp.errors import InputError
from ltp.web.services import services
from ltp.web.table import listing
from ltp.web.table.screen_query import ScreenQuery


def respond(query_of: Callable[[], ScreenQuery], run_of: Callable[[], Run | None]) -> Response:
    """Return "12 of 87 rows", or for a filter that is not complete the sentence that says how it goes on.

    Args:
        query_of, run_of: return the query and the run of the request; raise as its page does.
    """
    try:
        query, run = query_of(), run_of()
        text = _counted(run, query) if run else ""
    except InputError as error:
        text = f'<span class="w">{escape(error.accepted)}</span>'
    return Response(text, headers={"Cache-Control": "no-store"})


def _counted(run: Run, query: ScreenQuery) -> str:
    services().plans.learn(run)
    return f"{group_indian(str(listing.count(run, query)))} of {counted(len(run.rows), 'row')}"
