"""Every case, in the order of the table. A module each; CASES lists its cases."""

from __future__ import annotations

from typing import Final

from bench.cases import (
    alerts,
    bars,
    browser,
    burst,
    chart,
    end_to_end,
    evaluation,
    fan_out,
    growth,
    ingest,
    many_views,
    memory,
    page,
    price_api,
    redis_fan_out,
    relay,
    render,
    stalled,
)
from bench.model import Case

EVERY: Final[tuple[Case, ...]] = (
    *fan_out.CASES,
    *many_views.CASES,
    *memory.CASES,
    *stalled.CASES,
    *burst.CASES,
    *ingest.CASES,
    *bars.CASES,
    *alerts.CASES,
    *relay.CASES,
    *render.CASES,
    *end_to_end.CASES,
    *price_api.CASES,
    *page.CASES,
    *chart.CASES,
    *browser.CASES,
    *growth.CASES,
    *evaluation.CASES,
    *redis_fan_out.CASES,
)
