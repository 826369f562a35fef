"""A process of which a thread has ended does not go on without it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ltp.vital import Vital


@pytest.fixture(autouse=True)
def hook() -> Iterator[None]:
    before = threading.excepthook
    yield
    threading.excepthook = before


def fails() -> None:
    raise KeyError("NSE_EQ:1333")


def leaves() -> None:
    raise SystemExit(0)


@pytest.mark.parametrize(
    ("work", "reason"),
    [(fails, "KeyError: 'NSE_EQ:1333'"), (lambda: None, "it returned"), (leaves, "SystemExit: 0")],
    ids=["raises", "returns", "leaves"],
)
def test_an_ended_thread_is_logged_in_one_line_with_the_reason(
    work: Callable[[], None], reason: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    thread = threading.Thread(target=work, name="flush", daemon=True)
    vital = Vital(thread)
    thread.start()
    thread.join(10)
    assert vital.ended()
    (record,) = caplog.records
    assert record.levelno == logging.CRITICAL
    assert record.getMessage() == (
        f"The thread flush ended ({reason}). This process cannot do its work without it and ends with status 1"
    )
    assert capfd.readouterr().err == ""


def test_threads_that_live_and_those_that_nothing_depends_on_change_nothing(caplog: Any) -> None:
    shown = []
    threading.excepthook = shown.append
    go = threading.Event()
    thread = threading.Thread(target=go.wait, daemon=True)
    vital = Vital()
    thread.start()
    vital.add([thread])
    other = threading.Thread(target=fails, name="account", daemon=True)
    other.start()
    other.join(10)
    assert not vital.ended()
    assert [args.exc_type for args in shown] == [KeyError]
    go.set()
    thread.join(10)
    assert vital.ended()
