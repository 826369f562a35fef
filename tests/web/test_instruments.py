from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from app import create_app
from ltp.core.instrument import Instrument
from ltp.db import instruments
from ltp.db.catalog import Catalog
from ltp.db.engine import open_engine
from ltp.settings import Settings


def test_an_instrument_page_has_every_value(site: Any) -> None:
    page = site.page("/instruments/NSE_EQ/1333")
    assert (
        '<span id="ltp-NSE_EQ-1333" data-instrument-key="NSE_EQ:1333" hx-ignore><b>₹1,650.35</b> <i>live</i></span>'
        in page
    )
    for column, text in (
        ("open", "1,641.00"),
        ("high", "1,660.00"),
        ("low", "1,635.00"),
        ("prev", "1,640.00"),
        ("volume", "12,34,567"),
    ):
        assert (
            f'<dd id="{column}-NSE_EQ-1333" data-instrument-key="NSE_EQ:1333" hx-ignore>{text}</dd>' in page
        )
    assert 'href="/screeners/swing/NSE_EQ/1333"' in page.partition("In screeners")[2]


def test_an_unknown_instrument_is_a_404_with_its_key(site: Any) -> None:
    assert "NSE_EQ:999" in site.page("/instruments/NSE_EQ/999", 404)
    assert site.client.get("/instruments/NSE_EQ/NOPE").status_code == 404
    assert site.client.get("/instruments/NOWHERE/1333").status_code == 404
    assert site.client.get("/instruments/NSE_EQ/01333").status_code == 404


def test_a_symbol_in_place_of_the_id_redirects_to_the_page(site: Any) -> None:
    assert site.client.get("/instruments/NSE_EQ/hdfcbank").location == "/instruments/NSE_EQ/1333"
    assert (
        site.client.get("/instruments/NSE_EQ/hdfcbank?live=0").location == "/instruments/NSE_EQ/1333?live=0"
    )


@pytest.fixture
def fresh(tmp_path: Path, free_port: Any) -> Iterator[tuple[FlaskClient, Catalog, Engine]]:
    """A site whose database is empty and has not been read."""
    settings = Settings(
        _env_file=None,
        database_url=f"sqlite:///{tmp_path}/fresh.sqlite3",
        redis_url=f"redis://127.0.0.1:{free_port()}/0",
    )
    engine = open_engine(settings.database)
    catalog = Catalog(engine)
    app = create_app(settings, catalog=catalog)
    yield app.test_client(), catalog, engine
    app.extensions["ltp"].hub.stop()


PATHS = (
    "/instruments/NSE_EQ/1333",
    "/instruments/NSE_EQ/1333/stream",
    "/instruments/NSE_EQ/1333/poll",
    "/instruments?q=hdfc",
    "/instruments/suggest?q=hdfc",
)


@pytest.mark.parametrize(
    "path", [*PATHS, "/screeners/swing/NSE_EQ/1333", "/screeners/mine", "/screeners/swing?run=7"]
)
def test_before_the_first_read_of_the_database_nothing_is_a_404(fresh: Any, path: str) -> None:
    response = fresh[0].get(path)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "2")
    assert "not been read since the start; try again in 2 s." in response.text


def test_an_instrument_is_a_404_only_after_the_first_import(fresh: Any) -> None:
    client, catalog, engine = fresh
    catalog.refresh()  # no worker has filled the database
    assert [client.get(path).status_code for path in PATHS] == [503] * 5
    assert client.get("/screeners/mine").status_code == 404
    instruments.seed(
        engine, [Instrument("NSE_EQ", 1333, "HDFCBANK", "HDFC Bank Limited", "INE040A01034", 1, 500)]
    )
    catalog.refresh()
    assert client.get("/instruments/NSE_EQ/1333").status_code == 200
    assert client.get("/instruments/NSE_EQ/999").status_code == 404


def test_a_page_before_the_first_read_repeats_its_request(fresh: Any) -> None:
    page = fresh[0].get("/instruments/NSE_EQ/1333?live=0").text
    assert '<p id="again" hx-get="/instruments/NSE_EQ/1333?live=0" hx-trigger="every 2s"' in page
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in page
    assert 'id="again"' not in fresh[0].get("/nowhere").text
