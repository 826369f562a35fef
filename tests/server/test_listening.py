"""Probes of an address: a taken one is named with its reason, a dead program's socket file is free."""

from __future__ import annotations

import socket
from pathlib import Path

from ltp.server import listening


def test_a_port(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = taken.getsockname()
        port = address[1]
        assert (
            listening.taken(address)
            == f"Address 127.0.0.1 port {port} is taken by another program: stop it or set PORT"
        )
        assert listening.answers(address)
    assert listening.taken(address) == ""
    assert not listening.answers(address)
    assert listening.taken(("203.0.113.7", port)).startswith(
        f"Address 203.0.113.7 port {port} cannot be used: "
    )


def test_a_path(tmp_path: Path) -> None:
    path = str(tmp_path / "web.sock")
    assert listening.taken(path) == ""
    with socket.socket(socket.AF_UNIX) as taken:
        taken.bind(path)
        taken.listen()
        assert (
            listening.taken(path) == f"Address unix:{path} is taken by another program: stop it or set BIND"
        )
    assert listening.taken(path) == ""  # the file is left behind


def test_a_path_that_cannot_be_one(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert (
        listening.taken(f"{tmp_path}/file")
        == f"Address unix:{tmp_path}/file cannot be used: there is a file that is no socket"
    )
    missing = f"{tmp_path}/missing"
    assert (
        listening.taken(f"{missing}/web.sock")
        == f"Address unix:{missing}/web.sock cannot be used: {missing} is no folder to write to"
    )


def test_a_socket_that_is_open_already() -> None:
    assert listening.taken(3) == ""
