from __future__ import annotations

from datetime import UTC, datetime

from ltp.core.subscriptions.pins import Pin
from ltp.errors import DatabaseError
from ltp.worker.subscriptions.known_pins import KnownPins

AT = datetime(2026, 11, 23, tzinfo=UTC)


def test_pins_are_read_when_their_version_changes_and_stay_while_the_database_is_away() -> None:
    stored, read = [Pin("NSE_EQ:1333", "full", "", AT), Pin("IDX_I:13", "default", "", AT)], []
    version: list[int | DatabaseError] = [1]

    def current() -> int:
        if isinstance(version[0], DatabaseError):
            raise version[0]
        return version[0]

    def fetch() -> list[Pin]:
        read.append(version[0])
        return stored

    pins = KnownPins(current, fetch)
    for _ in range(2):
        pins.refresh()
        assert (pins.keys, pins.modes) == (["NSE_EQ:1333", "IDX_I:13"], {"NSE_EQ:1333": "full"})
    assert read == [1]
    stored, version[0] = [], DatabaseError("away")
    pins.refresh()
    assert pins.keys == ["NSE_EQ:1333", "IDX_I:13"]
    version[0] = 2
    pins.refresh()
    assert (pins.keys, pins.modes, read) == ([], {}, [1, 2])


def test_pins_are_read_again_after_an_import_that_may_have_moved_them() -> None:
    keys = ["NSE_EQ:1333"]
    pins = KnownPins(lambda: 1, lambda: [Pin(keys[0], "default", "", AT)])
    pins.refresh("before")
    keys[0] = "NSE_EQ:7"
    pins.refresh("before")
    assert pins.keys == ["NSE_EQ:1333"]
    pins.refresh("after")
    assert pins.keys == ["NSE_EQ:7"]
