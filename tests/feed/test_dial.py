"""A name with several addresses: each gets its turn, even while others hang or refuse."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from ltp.feed.dial import Dialer


class Mute:
    """A port whose queue of connections is full: packets to it are dropped silently, as by a firewall."""

    def __init__(self) -> None:
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.place = self.listener.getsockname()
        self.fillers = []
        for _ in range(8):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(self.place)
            self.fillers.append(filler)

    def close(self) -> None:
        for each in (*self.fillers, self.listener):
            each.close()


@pytest.fixture
def mute() -> Iterator[Mute]:
    made = Mute()
    yield made
    made.close()


@pytest.fixture
def answering() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Places that the resolver knows for every name, in its order."""
    places: list[Any] = []

    def resolve(*_: object) -> list[Any]:
        family = socket.AF_INET
        return [
            (family if len(place) == 2 else socket.AF_INET6, socket.SOCK_STREAM, 6, "", place)
            for place in places
        ]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return places


def dialed(dialer: Dialer, timeout_s: float = 10.0) -> Any:
    dialer.resolve("broker.test", 443)
    with dialer.dial(timeout_s) as connected:
        return connected.getpeername()


def test_an_address_that_swallows_everything_does_not_keep_the_next_from_answering(
    mute: Mute, answering: socket.socket, names: list[Any]
) -> None:
    names += [mute.place, answering.getsockname()]
    assert dialed(Dialer()) == answering.getsockname()


def test_an_address_that_refuses_is_followed_by_the_next(
    answering: socket.socket, names: list[Any], free_port: Any
) -> None:
    names += [("127.0.0.1", free_port()), ("127.0.0.1", free_port()), answering.getsockname()]
    assert dialed(Dialer()) == answering.getsockname()


def test_a_family_that_the_machine_has_no_way_to_is_passed_over(
    answering: socket.socket, names: list[Any]
) -> None:
    names += [("2001:db8::1", 443, 0, 0), answering.getsockname()]
    assert dialed(Dialer()) == answering.getsockname()


def test_no_address_that_answers_ends_in_time(mute: Mute, names: list[Any]) -> None:
    names += [mute.place] * 3
    with pytest.raises(TimeoutError):
        dialed(Dialer(), timeout_s=0.6)


def test_refusing_addresses_raise_connection_refused(names: list[Any], free_port: Any) -> None:
    names += [("127.0.0.1", free_port()), ("127.0.0.1", free_port())]
    with pytest.raises(ConnectionRefusedError):
        dialed(Dialer())


def test_an_address_that_took_the_connection_in_vain_comes_last_the_next_time(names: list[Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as first, socket.create_server(("127.0.0.1", 0)) as second:
        names += [first.getsockname(), second.getsockname()]
        dialer = Dialer()
        assert dialed(dialer) == first.getsockname()
        dialer.distrust()
        assert dialed(dialer) == second.getsockname()
        dialer.distrust()
        assert dialed(dialer) == first.getsockname()


def test_families_take_turns(names: list[Any]) -> None:
    names += [("2001:db8::1", 1, 0, 0), ("2001:db8::2", 1, 0, 0), ("192.0.2.1", 1), ("192.0.2.2", 1)]
    dialer = Dialer()
    dialer.resolve("broker.test", 1)
    places = [address[3][0] for address in dialer._addresses]
    assert places == ["2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2"]


def test_no_socket_of_a_lost_race_stays_open(mute: Mute, answering: socket.socket, names: list[Any]) -> None:
    names += [mute.place, answering.getsockname()]
    dialed(Dialer())  # an unclosed socket fails the test by its ResourceWarning
