"""A screener page of fifty rows, warm: CPU of the web process, and its queries to Redis and SQL."""

from __future__ import annotations

import http.client
import statistics
from typing import Final

import redis
from flask.testing import FlaskClient
from sqlalchemy import Engine, event

from app import create_app
from bench import machine, stage
from bench.model import OURS, Bar, Case, Figures, Line, Turn
from bench.stage import Stage
from ltp import settings as ltp_settings
from ltp.db.catalog import Catalog
from ltp.db.engine import open_engine

_ROWS: Final = 50
_FEW: Final = 25
_MANY: Final = 200
_PATH: Final = "/screeners/swing"
_WARM: Final = 20
_REQUESTS: Final = 200


def _page(turn: Turn) -> Figures:
    with stage.ready(_MANY) as ready, stage.prices(ready, _MANY, _MANY, 1.0):
        with stage.web(ready) as web:
            connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=10)
            spent = [_cpu_ms(connection, web.pids[0]) for _ in range(_WARM + turn.scale.of(_REQUESTS))][
                _WARM:
            ]
            connection.close()
        more = _queries(ready, _MANY) - _queries(ready, _FEW)
    return {"cpu_ms": statistics.median(spent), "queries_a_row": more / (_MANY - _FEW)}


def _cpu_ms(connection: http.client.HTTPConnection, pid: int) -> float:
    began = machine.cpu_s([pid])
    connection.request("GET", _PATH)
    answer = connection.getresponse()
    rows = answer.read().count(b'<th scope="row">')
    if answer.status != 200 or rows != _ROWS:
        raise ValueError(f"the page answered {answer.status} with {rows} rows")
    return (machine.cpu_s([pid]) - began) * 1e3


def _queries(ready: Stage, rows: int) -> int:
    """Return how many statements and commands one page of so many rows takes, in a process where nothing else
    runs.
    """
    settings = ltp_settings.load(state_dir=ready.folder, redis_url=ready.url)
    catalog = Catalog(open_engine(settings.database))
    catalog.refresh()
    client = create_app(settings, catalog=catalog).test_client()
    return _commands(ready.url, client, rows)


def _commands(url: str, client: FlaskClient, rows: int) -> int:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        with redis.Redis.from_url(url) as server:
            before = _reads(server)
            client.get(f"{_PATH}?size={rows}")
            return _reads(server) - before + len(statements)
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def _reads(server: redis.Redis) -> int:
    """Count commands that read prices; those that write them are the publisher's."""
    commands = server.info("commandstats")
    return sum(
        int(commands.get(f"cmdstat_{name}", {}).get("calls", 0))
        for name in ("get", "mget", "hgetall", "zrangebyscore")
    )


CASES: Final = (
    Case(
        "page",
        "GET /screeners/swing, 50 rows, warm",
        {OURS: _page},
        (
            Line("CPU of the web process, p50", "cpu_ms", "ms", (Bar(10),)),
            Line("SQL and Redis queries a row", "queries_a_row", "", (Bar(0),)),
        ),
    ),
)
