"""The addresses that load balancers and operators ask: they are answered when everything else is refused."""

from __future__ import annotations

from typing import Final

ALIVE: Final = "/healthz"
READY: Final = "/readyz"
MARKET_STREAM: Final = "/api/v1/health/market_stream"
PATHS: Final = frozenset({ALIVE, READY, MARKET_STREAM})
