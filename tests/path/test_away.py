"""Worker and web server start while their database or Redis is away, or refuses them."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = {
    "worker": [sys.executable, "worker.py"],
    "web": [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"],
}


class Started:
    """A process of the product; `log`: its whole output."""

    def __init__(self, name: str, folder: Path, env: dict[str, str]) -> None:
        self.path = folder / f"{name}.log"
        with self.path.open("wb") as log:
            self.process = subprocess.Popen(COMMANDS[name], cwd=ROOT, env=env, stdout=log, stderr=log)

    @property
    def log(self) -> str:
        return self.path.read_text()


@pytest.fixture
def start(tmp_path: Path, valkey: Any, free_port: Callable[[], int]) -> Iterator[Callable[..., Started]]:
    started = []
    port = str(free_port())

    def one(name: str, **settings: str) -> Started:
        env = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
        env |= {
            "STATE_DIR": str(tmp_path),
            "REDIS_URL": valkey.url,
            "PORT": port,
            "WEB_CONCURRENCY": "1",
        } | settings
        started.append(Started(name, tmp_path, env))
        return started[-1]

    one.port = port  # type: ignore[attr-defined]
    yield one
    for each in started:
        each.process.terminate()
        try:
            each.process.wait(20)
        except subprocess.TimeoutExpired:
            each.process.kill()
            each.process.wait()


def status(port: str, path: str) -> int:
    try:
        return int(urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5).status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def test_a_database_that_is_away_is_waited_for_by_both(
    start: Any, postgresql: Any, wait_for: Callable[..., Any]
) -> None:
    postgresql.stop()
    url = postgresql.url()
    try:
        worker, web = start("worker", DATABASE_URL=url), start("web", DATABASE_URL=url)
        wait_for(lambda: "The worker waits for it." in worker.log)
        wait_for(lambda: "The web server waits for it." in web.log)
        assert (worker.process.poll(), web.process.poll()) == (None, None)
    finally:
        postgresql.start()
    wait_for(lambda: "Worker started" in worker.log or "the worker idles" in worker.log)
    wait_for(lambda: status(start.port, "/screeners/swing") == 200)
    assert "Traceback" not in worker.log + web.log
    assert "secret" not in worker.log + web.log


def test_a_web_server_that_waits_ends_on_sigterm(
    start: Any, free_port: Any, wait_for: Callable[..., Any]
) -> None:
    web = start("web", DATABASE_URL=f"postgresql+psycopg://ltp:hush@127.0.0.1:{free_port()}/ltp")
    wait_for(lambda: "The web server waits for it." in web.log)
    web.process.terminate()
    assert web.process.wait(20) == 0
    assert "Traceback" not in web.log


@pytest.mark.parametrize("name", ["worker", "web"])
def test_a_password_that_the_database_refuses_ends_both(start: Any, postgresql: Any, name: str) -> None:
    started = start(name, DATABASE_URL=postgresql.url(password="hush"))
    assert started.process.wait(60) != 0
    assert "password authentication failed" in started.log.splitlines()[-1]
    assert "hush" not in started.log
    assert "Traceback" not in started.log


@pytest.mark.parametrize("name", ["worker", "web"])
def test_a_password_that_redis_refuses_ends_both(start: Any, valkey: Any, name: str) -> None:
    started = start(name, REDIS_URL=valkey.url.replace("//", "//stranger:hush@"))
    assert started.process.wait(60) != 0
    assert started.log.splitlines()[-1].endswith("Correct the user and password in REDIS_URL")
    assert "hush" not in started.log
    assert "Traceback" not in started.log


@pytest.mark.parametrize(("name", "without"), [("worker", "-publish"), ("web", "-zadd")])
def test_a_right_that_redis_does_not_give_ends_both(start: Any, valkey: Any, name: str, without: str) -> None:
    valkey.client.execute_command("ACL", "SETUSER", "few", "on", ">hush", "+@all", without, "~*", "&*")
    try:
        started = start(name, REDIS_URL=valkey.url.replace("//", "//few:hush@"))
        assert started.process.wait(60) != 0
        assert started.log.splitlines()[-1].endswith("Give the user in REDIS_URL this right")
    finally:
        valkey.client.execute_command("ACL", "DELUSER", "few")


def test_a_redis_that_is_away_is_named_by_both_and_neither_ends(
    start: Any, free_port: Any, wait_for: Any
) -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"
    worker, web = start("worker", REDIS_URL=url), start("web", REDIS_URL=url)
    wait_for(lambda: "The worker waits for Redis" in worker.log)
    wait_for(lambda: "Pages are served without live prices until it answers" in web.log)
    wait_for(lambda: status(start.port, "/screeners/swing") == 200)
    assert (worker.process.poll(), web.process.poll()) == (None, None)
