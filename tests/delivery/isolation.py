"""A fixture that undoes `push_services.isolate` for the tests that follow in this process."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import urllib3.util.connection


@pytest.fixture(name="restored")
def restored() -> Iterator[None]:
    before = urllib3.util.connection.create_connection
    environment = dict(os.environ)
    yield
    urllib3.util.connection.create_connection = before
    os.environ.clear()
    os.environ.update(environment)
