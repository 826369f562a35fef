from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.worker.alerts.desk import Desk


@pytest.fixture
def desk(empty_database: str) -> Iterator[Desk]:
    made = Desk(empty_database)
    yield made
    made.engine.dispose()
