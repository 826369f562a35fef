"""Types of settings whose values are trimmed and accepted in any case."""

from __future__ import annotations

from typing import Any

from pydantic import BeforeValidator


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def _upper(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


LOWER_CASE = BeforeValidator(_lower)
UPPER_CASE = BeforeValidator(_upper)
