"""The import rule, and the bounds on the size of folders, modules and functions.

Imports point down, siblings never import each other, and each outside package has one place. Imports inside
functions and under TYPE_CHECKING count: a name needed for a type is a dependency all the same.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Which of our rooms, or single modules of one, a room may import. A room inside a room has a line of its own.
_BASE = {"core", "errors", "metrics"}
OURS = {
    "core": {"errors"},
    "core.alerts": {"core", "core.bars", "core.criteria", "core.market", "core.ticks", "errors"},
    "core.bars": {"core", "core.ticks", "errors"},
    "core.chart": {"core"},
    "core.clients": {"core", "errors"},
    "core.criteria": {"core", "errors"},
    "core.formats": {"core", "core.bars", "core.history", "errors"},
    "core.history": {"core", "errors"},
    "core.market": {"core", "errors"},
    "core.subscriptions": {"core", "errors"},
    "core.ticks": {"core", "errors"},
    "core.watchlists": {"core", "errors"},
    "dhan": {"core", "errors"},
    "screen": {"core", "errors"},
    "feed": {"dhan", "vital", *_BASE},
    "store": _BASE,
    "db": {
        "db.bars",
        "db.history.tables",
        "db.alerts.keys",
        "db.pins.tables",
        "db.search",
        "db.views",
        "db.watchlists",
        *_BASE,
    },
    "db.views": {"db", *_BASE},
    "db.history": {"db", *_BASE},
    "db.pins": {"db", *_BASE},
    "db.bars": {"db", *_BASE},
    "db.alerts": {"db", *_BASE},
    "hub": {"hub.notices", *_BASE},
    "hub.notices": _BASE,
    "delivery": {"db", *_BASE},
    "db.search": {"core"},
    "db.watchlists": {"db", *_BASE},
    "worker": {
        "worker.alerts",
        "worker.bars",
        "worker.history",
        "feed",
        "store",
        "db",
        "batch.default_universe",
        "batch.master_import",
        "batch.seed",
        *_BASE,
    },
    "worker.alerts": {
        "worker.command_job",
        "worker.subprocess_job",
        "worker.tap",
        "feed",
        "store",
        "db",
        *_BASE,
    },
    "worker.bars": {"worker.command_job", "worker.subprocess_job", "feed", "store", "db", *_BASE},
    "worker.depth": {"worker", "feed", "store", *_BASE},
    "worker.history": {"worker", "db", *_BASE},
    "worker.subscriptions": {"worker", "feed", "store", "db", *_BASE},
    "batch": {"feed", "screen", "db", "dhan.scrip_master", *_BASE},
    "batch.alerts": {"batch", "screen", "db", *_BASE},
    "web": {"hub", "store", "db", "memory", *_BASE},
    "web.help": {"web", "web.table", *_BASE},
    "web.history": {"web", "db", *_BASE},
    "web.watchlists": {
        "web",
        "web.live",
        "web.table",
        "web.table.views.named",
        "web.screens.catalogue",
        "hub",
        "db",
        *_BASE,
    },
    "web.live": {"web", "hub", "store", *_BASE},
    "web.alerts": {"web", "web.live", "web.screens", "hub", "store", "db", *_BASE},
    "web.api": {"web", "web.alerts", "hub", "store", "db", *_BASE},
    "web.charts": {"web", "hub", "store", "db", *_BASE},
    "web.quote": {"web", "web.live", "web.table", "web.screens", "hub", "store", "db", *_BASE},
    "web.search": {"web", "db", *_BASE},
    "web.subscriptions": {
        "web",
        "web.live",
        "web.table",
        "web.screens",
        "hub",
        "store",
        "db",
        *_BASE,
    },
    "web.table.past": {"web", "web.table", "db", *_BASE},
    "web.table": {
        "web",
        "web.live",
        "web.table.filters",
        "web.table.past",
        "web.table.views",
        "hub",
        "db",
        *_BASE,
    },
    "web.table.filters": {"web", "web.table", *_BASE},
    "web.table.views": {"web", "web.table", "db", *_BASE},
    "web.views": {"web", "web.table", "db", *_BASE},
    "web.screens": {"web", "web.live", "web.table", "web.charts", "hub", "db", *_BASE},
    "server": {"core", "metrics", "vital"},
    "errors": set(),
    "metrics": set(),
    "logs": set(),
    "env_file": {"errors"},
    "settings": {
        "core",
        "env_file",
        "setting_types",
        "settings_access",
        "settings_alerts",
        "settings_broker",
        "errors",
    },
    "settings_alerts": {"setting_types"},
    "settings_access": {"core", "setting_types", "errors"},
    "settings_broker": {"core", "setting_types"},
    "setting_types": set(),
    "vital": set(),
    "memory": set(),
    "gunicorn_log": {"logs"},
}
# Pages that show parts of every room of `web`, and the templates' functions.
PAGES_OF_EVERY_ROOM = ("home", "instruments", "status", "templating")
_EVERY_WEB_ROOM = {
    "web", "web.live", "web.api", "web.charts", "web.help", "web.quote", "web.table", "web.screens", "hub", "store", *_BASE,
}  # fmt: skip
OURS |= {f"web.{page}": _EVERY_WEB_ROOM for page in PAGES_OF_EVERY_ROOM}
# Which outside packages a layer may import besides the standard library.
THEIRS = {
    "screen": {"numpy", "talib"},
    "feed": {"websocket", "requests", "urllib3"},
    "feed.capture": {"zstandard"},
    "feed.simulator": {"flask", "flask_sock", "simple_websocket", "werkzeug"},
    "store": {"redis", "hiredis", "orjson", "msgspec"},
    "db": {"sqlalchemy", "alembic"},
    "delivery": {"apprise", "requests", "urllib3", "sqlalchemy"},
    "db.search": {"rapidfuzz"},
    "hub.sockets": {"gevent"},
    "server": {"gevent", "gunicorn"},
    "worker": {"apscheduler"},
    "gunicorn_log": {"gunicorn", "gevent"},
    "web": {"flask", "werkzeug", "markupsafe", "jinja2"},
    "env_file": {"dotenv"},
    "settings": {"pydantic", "pydantic_settings"},
    "settings_access": {"pydantic", "pydantic_settings"},
    "settings_alerts": {"pydantic", "pydantic_settings"},
    "settings_broker": {"pydantic", "pydantic_settings"},
    "setting_types": {"pydantic"},
}
# These put the layers together and may import anything.
FREE = {
    "cli",
    "__main__",
    "web.pages",
    "worker.assembly",
    "runner",
    "processes",
    "checks",
    "embedded",
    "web_probe",
}
# core uses nothing of the machine: no socket, no thread, no clock, no random number.
IMPURE = {
    "socket",
    "ssl",
    "selectors",
    "select",
    "threading",
    "multiprocessing",
    "subprocess",
    "asyncio",
    "random",
    "secrets",
    "time",
    "os",
    "queue",
    "http",
    "urllib",
}
PURE_PARTS = {"urllib.parse"}
PURE = {"core", "dhan", "screen"}
LINES_OF_A_MODULE, LINES_OF_A_FUNCTION = 300, 50


class Import(NamedTuple):
    file: Path
    line: int
    module: str  # dotted, below ltp: "hub.sockets"
    target: str  # dotted: "ltp.core.ticks.tick", "redis"


def dotted(file: Path, root: Path) -> str:
    parts = file.relative_to(root / "ltp").with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(root: Path) -> Iterator[Import]:
    for file in sorted((root / "ltp").rglob("*.py")):
        module = dotted(file, root)
        package = (
            f"ltp.{module}".rstrip(".") if file.name == "__init__.py" else f"ltp.{module}".rpartition(".")[0]
        )
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), str(file))):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield Import(file, node.lineno, module, alias.name)
            elif isinstance(node, ast.ImportFrom):
                base = node.module or ""
                if node.level:
                    above = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1])
                    base = f"{above}.{base}".rstrip(".")
                for alias in node.names:
                    # `from ltp import settings` names a module; `from ltp.core.ticks.tick import Tick` a name
                    # in one.
                    yield Import(
                        file,
                        node.lineno,
                        module,
                        f"{base}.{alias.name}" if base.split(".")[0] == "ltp" else base,
                    )


def room_of(module: str) -> str:
    """Return the innermost room that a module lies in, "" for none."""
    return max((room for room in OURS if within(module, {room})), key=len, default="")


def within(name: str, places: set[str]) -> bool:
    return any(name == place or name.startswith(f"{place}.") for place in places)


def reaches(room: str, below: str, place: str) -> bool:
    """Whether a room that may import `place` may import the module `below`. A room inside another one may not
    import the rooms beside it, though it may import the room around both.
    """
    return room_of(below) == place if within(room, {place}) else within(below, {place})


def forbidden(each: Import) -> str:
    """Return the rule that the import breaks, "" when it is allowed."""
    room, top = room_of(each.module), each.target.partition(".")[0]
    if within(each.module, FREE) or top == "__future__":
        return ""
    if not room and each.module:
        return f"ltp/{each.module.partition('.')[0]} is in no layer"
    if top == "ltp":
        below = each.target.removeprefix("ltp").removeprefix(".")
        allowed = (
            not below
            or room_of(below) == room
            or any(reaches(room, below, place) for place in OURS.get(room, ()))
        )
        return "" if allowed else f"{room} may not import ltp.{below}"
    if top in sys.stdlib_module_names:
        impure = room.partition(".")[0] in PURE and top in IMPURE and each.target not in PURE_PARTS
        return f"{room} is pure and may not import {top}" if impure else ""
    allowed = {name for place, names in THEIRS.items() if within(each.module, {place}) for name in names}
    return "" if top in allowed else f"{each.module} may not import {top}"


def broken(root: Path) -> list[str]:
    found = ((each, forbidden(each)) for each in imports(root))
    return [f"{each.file.relative_to(root)}:{each.line}: {reason}" for each, reason in found if reason]


def test_the_rule_holds() -> None:
    assert sum(1 for _ in imports(ROOT)) > 1_000
    assert broken(ROOT) == []


@pytest.mark.parametrize(
    ("file", "text", "reason"),
    [
        ("web/a.py", "from ltp.feed.client import FeedClient", "web may not import ltp.feed"),
        ("core/a.py", "from ltp.core.ticks.tick import Tick", "core may not import ltp.core.ticks.tick.Tick"),
        (
            "core/ticks/a.py",
            "from ltp.core.market import session",
            "core.ticks may not import ltp.core.market.session",
        ),
        ("web/live/a.py", "from ltp.web.table import rows", "web.live may not import ltp.web.table.rows"),
        (
            "web/table/a.py",
            "from ltp.web.screens import show",
            "web.table may not import ltp.web.screens.show",
        ),
        ("web/services.py", "from ltp.web.live import poll", "web may not import ltp.web.live.poll"),
        ("worker/a.py", "from ltp.screen import plan", "worker may not import ltp.screen.plan"),
        ("worker/a.py", "from ltp.batch import evaluation", "worker may not import ltp.batch.evaluation"),
        ("batch/a.py", "from ltp.worker import ingest", "batch may not import ltp.worker.ingest"),
        ("web/a.py", "def f():\n    import ltp.dhan.codes", "web may not import ltp.dhan.codes"),
        (
            "web/a.py",
            "if TYPE_CHECKING:\n    from ltp.worker import ingest",
            "web may not import ltp.worker.ingest",
        ),
        ("web/a.py", "from ..feed import client", "web may not import ltp.feed.client"),
        ("web/a.py", "from ltp import settings", "web may not import ltp.settings"),
        ("core/deep/a.py", "from ...hub import board", "core may not import ltp.hub.board"),
        ("batch/a.py", "from ltp.dhan.codes import X", "batch may not import ltp.dhan.codes.X"),
        ("hub/a.py", "import gevent.socket", "hub.a may not import gevent"),
        ("hub/a.py", "import redis", "hub.a may not import redis"),
        ("feed/a.py", "from flask import Flask", "feed.a may not import flask"),
        ("db/a.py", "import requests", "db.a may not import requests"),
        ("store/a.py", "import sqlalchemy", "store.a may not import sqlalchemy"),
        ("core/a.py", "import time", "core is pure and may not import time"),
        ("core/a.py", "import socket", "core is pure and may not import socket"),
        ("stray/a.py", "import json", "ltp/stray is in no layer"),
        ("stray.py", "import json", "ltp/stray is in no layer"),
    ],
)
def test_a_breach_is_named_by_file_line_and_layer(tmp_path: Path, file: str, text: str, reason: str) -> None:
    path = tmp_path / "ltp" / file
    path.parent.mkdir(parents=True)
    path.write_text(f"{text}\n")
    [sentence] = broken(tmp_path)
    line = len(text.splitlines())
    assert sentence.startswith(f"ltp/{file}:{line}: {reason}")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("hub/sockets.py", "import gevent"),
        ("feed/simulator/server.py", "from flask_sock import Sock"),
        ("batch/a.py", "from ltp.dhan.scrip_master import parse"),
        ("worker/a.py", "from ltp.batch import seed"),
        ("web/screens/a.py", "from ltp.web.table import rows\nfrom ltp.web import services"),
        ("web/home.py", "from ltp.web.screens import show"),
        ("db/a.py", "from ltp.core.ticks.tick import Tick"),
        ("core/a.py", "from . import b\nfrom .b import c\nfrom datetime import datetime"),
        ("cli/a.py", "import redis, ltp.feed, ltp.web"),
        ("web/a.py", "from ltp import metrics\nfrom ltp.hub import hub"),
    ],
)
def test_an_allowed_import_is_no_breach(tmp_path: Path, file: str, text: str) -> None:
    path = tmp_path / "ltp" / file
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert broken(tmp_path) == []


def test_nothing_below_the_edges_reads_the_settings() -> None:
    readers = {each.module for each in imports(ROOT) if within(each.target, {"ltp.settings"})}
    assert readers
    assert {module for module in readers if not within(module, FREE)} == set()


def test_a_folder_is_read_at_a_glance() -> None:
    """In a folder of more than 24 files a reader searches instead of looking; then it needs folders of its own."""
    files = [file for top in ("ltp", "tests", "bench") for file in (ROOT / top).rglob("*.py")]
    counts = Counter(str(file.parent.relative_to(ROOT)) for file in files)
    assert len(counts) > 20
    assert {folder: count for folder, count in counts.items() if count > 24} == {}


def test_modules_and_functions_stay_small() -> None:
    """A reader loses the thread in more."""
    files = [file for file in (ROOT / "ltp").rglob("*.py") if file.parent.name != "versions"]
    assert len(files) > 100
    edges = [ROOT / "app.py", ROOT / "worker.py", ROOT / "wsgi.py"]
    assert [each for file in sorted([*edges, *files]) for each in too_long(file)] == []


def too_long(file: Path) -> Iterator[str]:
    name, text = file.relative_to(ROOT), file.read_text(encoding="utf-8")
    if len(text.splitlines()) > LINES_OF_A_MODULE:
        yield str(name)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= LINES_OF_A_FUNCTION:
            yield f"{name}:{node.lineno} {node.name}"
