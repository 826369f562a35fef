"""The cost of a moving page for the drawing thread of a browser."""

from __future__ import annotations

import os
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import NamedTemporaryFile
from typing import Any, Final

from playwright.sync_api import Error, Page, sync_playwright

from bench import machine, servers, stage, tools
from bench.model import OURS, Bar, Case, Contender, Figures, Line, Turn
from bench.servers import Failed, Server

_ROWS: Final = 200
_CELLS: Final = 100
_HZ: Final = 4.0
_PATH: Final = f"/screeners/swing?size={_ROWS}&columns=ltp"
_FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)
_SETTLE_S: Final = 1.5
_CALM: Final = "without flash"
_BY_HAND: Final = "hand-written JavaScript"
# Counts in the page itself how many cells change, so that no contender is fast because it stood still.
_COUNT_CHANGES: Final = """() => {
  window.changed = 0;
  const cell = (node) => (node.nodeType === 1 ? node : node.parentElement)?.closest('[data-instrument-key]')?.id;
  new MutationObserver((records) => {
    const ids = new Set();
    for (const record of records) for (const node of [record.target, ...record.addedNodes]) ids.add(cell(node));
    ids.delete(undefined);
    window.changed += ids.size;
  }).observe(document.querySelector('tbody'), {subtree: true, childList: true, characterData: true});
}"""


def _our_page(*, flash: bool) -> Contender:
    def measure(turn: Turn) -> Figures:
        with _site() as web, _opened(f"http://127.0.0.1:{web.port}{_PATH}", flash=flash) as page:
            return _main_thread(page, turn.scale.seconds)

    return measure


def _peer_page(kind: str) -> Contender:
    def measure(turn: Turn) -> Figures:
        port = machine.free_port()
        with _site() as web, NamedTemporaryFile() as saved:
            with urllib.request.urlopen(f"http://127.0.0.1:{web.port}{_PATH}", timeout=10) as answer:
                saved.write(answer.read())
            saved.flush()
            command = [sys.executable, "-m", "bench.peers.pages", port, saved.name, _CELLS, _HZ]
            with (
                servers.running(command, port),
                _opened(f"http://127.0.0.1:{port}/{kind}", flash=False) as page,
            ):
                return _main_thread(page, turn.scale.seconds)

    return measure


@contextmanager
def _site() -> Iterator[Server]:
    with stage.ready(_ROWS) as ready, stage.prices(ready, _ROWS, _CELLS, _HZ), stage.web(ready) as web:
        yield web


@contextmanager
def _opened(url: str, *, flash: bool) -> Iterator[Page]:
    """Open a page in a browser of its own on the load generator's core. Without flash: as for users who
    prefer less motion.
    """
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(allowed)[-1]})  # processes started now inherit it
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=tools.installed("chromium"), args=list(_FLAGS)
            )
            page = browser.new_page(reduced_motion="no-preference" if flash else "reduce")
            page.goto(url, wait_until="load")
            page.wait_for_timeout(_SETTLE_S * 1000)
            yield page
            browser.close()
    except Error as error:
        raise Failed(f"the browser: {error.message.splitlines()[0]}") from None
    finally:
        os.sched_setaffinity(0, allowed)


def _main_thread(page: Page, seconds: float) -> dict[str, float]:
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.evaluate(_COUNT_CHANGES)
    before = _metrics(session)
    page.wait_for_timeout(seconds * 1000)
    after = _metrics(session)
    elapsed_s = after["Timestamp"] - before["Timestamp"]
    spent = {
        name: (after[name] - before[name]) / elapsed_s * 1000 for name in ("TaskDuration", "ScriptDuration")
    }
    return {
        "task_ms_per_s": spent["TaskDuration"],
        "script_ms_per_s": spent["ScriptDuration"],
        "cells_per_s": page.evaluate("window.changed") / elapsed_s,
    }


def _metrics(session: Any) -> dict[str, float]:
    return {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}


def _checks(name: str, figures: Figures) -> str:
    expected = _CELLS * _HZ
    if not 0.7 * expected <= figures["cells_per_s"] <= 1.3 * expected:
        return f"{name} changed {figures['cells_per_s']:.0f} cells a second instead of {expected:.0f}"
    return ""


CASES: Final = (
    Case(
        "browser",
        "browser: 200 rows, 100 cells change 4 times a second",
        {
            OURS: _our_page(flash=True),
            _CALM: _our_page(flash=False),
            _BY_HAND: _peer_page("script"),
            "htmx 2 out-of-band": _peer_page("htmx2"),
        },
        (
            Line(
                "main thread",
                "task_ms_per_s",
                "ms/s",
                (Bar(2, _CALM), Bar(1.25, _CALM, wish=True), Bar(3, _BY_HAND)),
            ),
            Line("of that in scripts", "script_ms_per_s", "ms/s"),
        ),
        _checks,
    ),
)
