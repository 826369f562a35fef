"""The table of a page as a CSV or JSON file, with the same rows, order and columns.

Prices in rupees, per cent and multiples as numbers; an unknown value is empty in CSV and null in JSON.
"""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any, Final

from flask import Response

from ltp.core.money import rupees
from ltp.core.screener import Row, Run
from ltp.core.ticks.quote import Quote
from ltp.web.services import services
from ltp.web.table.columns import Column
from ltp.web.table.prepare import Table
from ltp.web.table.screen_query import ScreenQuery
from ltp.web.table.sizes import Totals
from ltp.web.table.values import export_value

_SPLIT: Final = {"ltp": ("ltp", "ltp_state", "ltp_as_of"), "zone": ("entry_low", "entry_high")}
# A spreadsheet runs a text that begins with one of these as a formula; it reads the wide forms as the narrow
# ones.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def respond(table: Table, suffix: str) -> Response:
    """Return the table as a file of type `suffix`, csv or json."""
    body, mimetype = (
        (_csv(table), "text/csv; charset=utf-8") if suffix == "csv" else (_json(table), "application/json")
    )
    response = Response(body, content_type=mimetype)
    response.headers["Content-Disposition"] = f'inline; filename="{table.path.rpartition("/")[2]}.{suffix}"'
    return response


def _csv(table: Table) -> str:
    """Return the table as CSV.

    Without a byte order mark: programs would read it as part of the first column's name.
    """
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    names = [name for column in table.file_columns for name in _fields(column)]
    writer.writerow(["symbol", "name", "key", *names])
    for row in table.listing.rows:
        values = _values(table, row)
        writer.writerow(
            [safe(each) for each in (row.symbol, row.name, row.key, *(values[name] for name in names))]
        )
    return target.getvalue()


def safe(value: Any) -> Any:
    """Return a value for CSV: a list as one text, and "'" before a text that a spreadsheet would run."""
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(str(each) for each in value)
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA):
        return f"'{value}"
    return value


def _json(table: Table) -> str:
    run = table.run
    document = {
        "screener": table.screener.slug or table.screener.kind,
        "title": table.screener.title,
        "tab": table.query.tab,
        "generated_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "price_source": services().source(),
        "run": None if run is None else _run(run),
        "query": _query(table.query),
        "sizing": None if table.totals is None else _sizing(table.totals),
        "matching": table.listing.matching,
        "page": table.listing.page,
        "pages": table.listing.pages,
        "columns": [_described(column) for column in table.file_columns],
        "rows": [
            {"symbol": row.symbol, "name": row.name, "key": row.key, **_values(table, row)}
            for row in table.listing.rows
        ],
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False)


def _query(query: ScreenQuery) -> dict[str, Any]:
    """Return the parameters of the address, the filters as a list."""
    single: dict[str, Any] = {name: value for name, value in query.pairs() if name != "f"}
    return {**single, "f": [str(each) for each in query.filters]} if query.filters else single


def _sizing(totals: Totals) -> dict[str, Any]:
    """Return the capital and risk of the view, and the cost and risk of the page's plans together."""
    return {
        "capital": totals.sizing.capital,
        "risk_per_trade": totals.sizing.risk_per_trade,
        "plans": totals.plans,
        "cost": rupees(totals.cost),
        "cost_pct": totals.cost_pct,
        "open_risk": rupees(totals.risk),
        "open_risk_pct": totals.risk_pct,
        "ended": totals.ended,
        "without_quantity": totals.without,
    }


def _run(run: Run) -> dict[str, Any]:
    return {
        "id": run.id if run.is_stored else None,
        "as_of": run.as_of.isoformat() if run.as_of else None,
        "created_at": run.created_at.isoformat(timespec="seconds"),
        "universe": run.universe or None,
        "evaluated": run.evaluated or None,
        "rows": len(run.rows),
        "sample": run.sample,
        "source": run.source or None,
        "notes": run.notes or None,
    }


def _described(column: Column) -> dict[str, Any]:
    return {"name": column.name, "label": column.label, "unit": column.unit or None, "live": column.live}


def _fields(column: Column) -> tuple[str, ...]:
    """Return the fields of a column: a price has its state and time too, a zone two ends."""
    return _SPLIT.get(column.name, (column.name,))


def _values(table: Table, row: Row) -> dict[str, Any]:
    quote, plans = table.quotes[row.key], services().plans.of(table.run.id if table.run else 0)
    values = {
        column.name: export_value(column.name, row, quote, plans, services().year)
        for column in table.file_columns
    }
    if "ltp" in values:
        values |= {"ltp_state": quote.state, "ltp_as_of": _as_of(quote)}
    if "zone" in values:
        values |= dict(zip(_SPLIT["zone"], values.pop("zone") or (None, None), strict=True))
    return {name: values[name] for column in table.file_columns for name in _fields(column)}


def _as_of(quote: Quote) -> str | None:
    """Return the instant of the last trade in Indian time, None when it is not known."""
    at = None if quote.tick is None else quote.tick.traded
    return None if at is None else at.isoformat(timespec="seconds")
