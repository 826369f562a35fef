"""Paths of the health checks, which are answered even while all other requests are refused."""

from __future__ import annotations

from typing import Final

ALIVE: Final = "/healthz"
READY: Final = "/readyz"
MARKET_STREAM: Final = "/api/v1/health/market_stream"
PATHS: Final = frozenset({ALIVE, READY, MARKET_STREAM})
