from __future__ import annotations

import pytest

from ltp.errors import DatabaseError
from ltp.web.history.patience import TRIES, patiently


class Locked:
    """Fails so many times, then answers."""

    def __init__(self, failures: int, *, permanent: bool = False) -> None:
        self.left, self.calls, self.permanent = failures, 0, permanent

    def __call__(self) -> str:
        self.calls += 1
        self.left -= 1
        if self.left >= 0:
            raise DatabaseError("locked", permanent=self.permanent)
        return "read"


@pytest.mark.parametrize("failures", [0, 1, TRIES - 1])
def test_a_locked_database_is_tried_again(failures: int) -> None:
    waits: list[float] = []
    assert patiently(Locked(failures), waits.append) == "read"
    assert len(waits) == failures


def test_patience_ends() -> None:
    action = Locked(TRIES)
    with pytest.raises(DatabaseError):
        patiently(action, lambda _: None)
    assert action.calls == TRIES


def test_a_failure_that_stays_is_not_waited_for() -> None:
    action = Locked(1, permanent=True)
    with pytest.raises(DatabaseError):
        patiently(action, lambda _: None)
    assert action.calls == 1
