"""The whole product for tests that break it, one per module, and requests to its site."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.path.stack import Stack, running
from tests.ports import free_port

HDFC = "NSE_EQ:1333"
_PRICE = re.compile(r'id="ltp-NSE_EQ-1333"[^>]*><b[^>]*>([^<]+)</b> <i[^>]*>([a-z]+)')


class Site:
    """The site of a stack, as its visitors reach it."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    def get(self, path: str) -> tuple[int, str]:
        return self._answer(urllib.request.Request(f"{self.stack.url}{path}"))

    def post(self, path: str) -> tuple[int, str]:
        """Send an empty form as a browser does, and follow its redirect."""
        return self._answer(
            urllib.request.Request(f"{self.stack.url}{path}", data=b"", headers={"Origin": self.stack.url})
        )

    def page(self, path: str) -> str:
        status, text = self.get(path)
        assert status == 200, text
        return text

    def price(self) -> tuple[str, str]:
        """Return price and state of a share from its page."""
        found = _PRICE.search(self.page(f"/instruments/{HDFC.replace(':', '/')}"))
        assert found
        return found[1], found[2]

    def state(self) -> str:
        return self.price()[1]

    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.page(f"/api/v1/current_prices?keys={HDFC}"))
        return found

    def _answer(self, request: urllib.request.Request) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running(tmp_path_factory.mktemp("stack"), free_port, WEB_CONCURRENCY="2") as stack:
        site = Site(stack)
        stack.until(lambda: site.state() == "live", "worker")
        yield site
