"""The import rule: arrows point down, siblings never import each other, and each outside package has its one place.

Imports inside functions and under TYPE_CHECKING count: a name needed for a type is a dependency all the same.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]

# What a layer may import of ours: another layer, or one module of it.
OURS = {
    "core": {"errors"},
    "dhan": {"core", "errors"},
    "screen": {"core", "errors"},
    "feed": {"dhan", "core", "errors", "metrics"},
    "store": {"core", "errors", "metrics"},
    "db": {"core", "errors", "metrics"},
    "hub": {"core", "errors", "metrics"},
    "jobs": {"feed", "screen", "store", "db", "core", "errors", "metrics", "dhan.scrip_master"},
    "web": {"hub", "store", "db", "core", "errors", "metrics"},
    "errors": set(),
    "metrics": set(),
    "logs": set(),
    "settings": {"core", "errors"},
}
# What a layer may import from outside, besides the standard library.
THEIRS = {
    "screen": {"numpy", "talib"},
    "feed": {"websocket", "requests", "urllib3"},
    "feed.simulator": {"flask", "flask_sock", "simple_websocket", "werkzeug"},
    "store": {"redis", "hiredis", "orjson", "msgspec"},
    "db": {"sqlalchemy", "alembic"},
    "hub.sockets": {"gevent"},
    "jobs": {"apscheduler"},
    "web": {"flask", "werkzeug", "markupsafe", "jinja2"},
    "settings": {"pydantic", "pydantic_settings"},
}
# These put the layers together and may import anything.
FREE = {"cli", "cli_candles", "cli_files", "cli_instruments", "cli_screeners", "cli_stages", "__main__", "runner", "processes"}
# core asks nothing of the machine: no socket, no thread, no clock, no chance.
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
PURE = {"core", "dhan", "screen"}


class Import(NamedTuple):
    file: Path
    line: int
    module: str  # dotted, below ltp: "hub.sockets"
    target: str  # dotted: "ltp.core.tick", "redis"


def dotted(file: Path, root: Path) -> str:
    parts = file.relative_to(root / "ltp").with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(root: Path) -> Iterator[Import]:
    for file in sorted((root / "ltp").rglob("*.py")):
        module = dotted(file, root)
        package = f"ltp.{module}".rstrip(".") if file.name == "__init__.py" else f"ltp.{module}".rpartition(".")[0]
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
                    # `from ltp import settings` names a module; `from ltp.core.tick import Tick` a name in one.
                    yield Import(file, node.lineno, module, f"{base}.{alias.name}" if base.split(".")[0] == "ltp" else base)


def within(name: str, places: set[str]) -> bool:
    return any(name == place or name.startswith(f"{place}.") for place in places)


def forbidden(each: Import) -> str:
    """Say what the import breaks, nothing when it is allowed."""
    layer, top = each.module.partition(".")[0], each.target.partition(".")[0]
    if layer in FREE or top == "__future__":
        return ""
    if layer not in OURS and each.module:
        return f"ltp/{layer} is in no layer"
    if top == "ltp":
        below = each.target.removeprefix("ltp").removeprefix(".")
        return "" if not below or within(below, OURS.get(layer, set()) | {layer}) else f"{layer} may not import ltp.{below}"
    if top in sys.stdlib_module_names:
        return f"{layer} is pure and may not import {top}" if layer in PURE and top in IMPURE else ""
    allowed = {name for place, names in THEIRS.items() if within(each.module, {place}) for name in names}
    return "" if top in allowed else f"{each.module} may not import {top}"


def broken(root: Path) -> list[str]:
    found = ((each, forbidden(each)) for each in imports(root))
    return [f"{each.file.relative_to(root)}:{each.line}: {reason}" for each, reason in found if reason]


def test_the_rule_holds() -> None:
    assert broken(ROOT) == []


@pytest.mark.parametrize(
    ("file", "text", "reason"),
    [
        ("web/a.py", "from ltp.feed.client import FeedClient", "web may not import ltp.feed"),
        ("web/a.py", "def f():\n    import ltp.dhan.codes", "web may not import ltp.dhan.codes"),
        ("web/a.py", "if TYPE_CHECKING:\n    from ltp.jobs import ingest", "web may not import ltp.jobs.ingest"),
        ("web/a.py", "from ..feed import client", "web may not import ltp.feed.client"),
        ("web/a.py", "from ltp import settings", "web may not import ltp.settings"),
        ("core/deep/a.py", "from ...hub import board", "core may not import ltp.hub.board"),
        ("jobs/a.py", "from ltp.dhan.codes import X", "jobs may not import ltp.dhan.codes.X"),
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
        ("jobs/a.py", "from ltp.dhan.scrip_master import parse"),
        ("core/a.py", "from . import b\nfrom .b import c\nfrom datetime import datetime"),
        ("cli.py", "import redis, ltp.feed, ltp.web"),
        ("web/a.py", "from ltp import metrics\nfrom ltp.hub import hub"),
    ],
)
def test_what_is_allowed_is_left_alone(tmp_path: Path, file: str, text: str) -> None:
    path = tmp_path / "ltp" / file
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert broken(tmp_path) == []


def test_nothing_below_the_edges_reads_the_settings() -> None:
    readers = {each.module for each in imports(ROOT) if within(each.target, {"ltp.settings"})}
    assert readers <= FREE


def test_modules_and_functions_stay_small() -> None:
    """300 lines a module and 50 a function are where a reader loses the thread."""
    too_long = []
    for file in sorted((ROOT / "ltp").rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
        long = [f"{file}:{node.lineno} {node.name}" for node in functions if (node.end_lineno or 0) - node.lineno >= 50]
        too_long += long + ([str(file)] if len(text.splitlines()) > 300 else [])
    assert [name for name in too_long if "/migrations/versions/" not in name] == []
