"""The lock of the book: the feed, which waits, comes before the thread that would take it again at once."""

from __future__ import annotations

import threading

from ltp.worker.alerts.turn_lock import TurnLock


def test_who_waits_comes_before_who_gave_it_up() -> None:
    lock, order = TurnLock(), list[str]()

    def wait() -> None:
        with lock:
            order.append("the one that waited")

    waiting = threading.Thread(target=wait)
    with lock:
        waiting.start()
        assert _until_it_waits(lock)
    with lock:
        order.append("the one that had it")
    waiting.join(10)
    assert order == ["the one that waited", "the one that had it"]


def test_an_exception_gives_it_up() -> None:
    lock = TurnLock()
    try:
        with lock:
            raise ValueError
    except ValueError:
        pass
    with lock:
        assert lock._lock.locked()
    assert not lock._lock.locked()


def _until_it_waits(lock: TurnLock) -> bool:
    pause = threading.Event()
    return any(lock._gate.locked() or pause.wait(0.01) for _ in range(1_000))
