"""`create_app` alone: it needs its settings and no Redis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app import create_app
from ltp.errors import ConfigError, DatabaseError
from ltp.settings import Settings


def test_it_starts_and_serves_without_redis(tmp_path: Path, free_port: Any) -> None:
    settings = Settings(
        _env_file=None,
        database_url=f"sqlite:///{tmp_path}/a.sqlite3",
        redis_url=f"redis://127.0.0.1:{free_port()}/0",
    )
    app = create_app(settings)
    answer = app.test_client().get("/screeners/swing")
    assert answer.status_code == 200
    assert "Nothing received from the worker" in answer.text
    app.extensions["ltp"].hub.stop()


def test_an_unusable_setting_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError):
        create_app(Settings(_env_file=None, database_url="nonsense"))
    with pytest.raises(ConfigError, match="REDIS_URL"):
        create_app(
            Settings(_env_file=None, database_url=f"sqlite:///{tmp_path}/b.sqlite3", redis_url="http://x")
        )


def test_it_serves_while_the_database_is_away(free_port: Any) -> None:
    settings = Settings(
        _env_file=None,
        database_url=f"postgresql+psycopg://ltp:hush@127.0.0.1:{free_port()}/ltp",
        redis_url=f"redis://127.0.0.1:{free_port()}/0",
    )
    with pytest.raises(DatabaseError, match="Connection refused"):
        create_app(settings)
    app = create_app(settings, database_may_be_away=True)
    client = app.test_client()
    assert [client.get(path).status_code for path in ("/healthz", "/screeners/swing", "/status")] == [
        200,
        200,
        200,
    ]
    assert "hush" not in client.get("/instruments/NSE_EQ/1333").text
    app.extensions["ltp"].hub.stop()
