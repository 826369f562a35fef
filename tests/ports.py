"""TCP ports of 127.0.0.1 for servers that a test starts, none of them given to two processes."""

from __future__ import annotations

import functools
import itertools
import socket
from collections.abc import Iterator

# Below the ports that the kernel picks for outgoing connections and for port 0: 32,768 and up on Linux.
_FIRST, _LAST = 20_000, 32_000
_BLOCK = 400


def free_port() -> int:
    """Return a port to which nothing is bound.

    A port picked by the kernel (port 0) can be picked for another process before the server under test binds
    it. So each test process takes its ports from a block of its own, in turn.
    """
    _, ports = _own_block()
    for port in itertools.islice(ports, _BLOCK):
        with socket.socket() as probe:
            if _binds(probe, port):
                return port
    raise RuntimeError(f"all {_BLOCK} ports of this process are taken")


@functools.cache
def _own_block() -> tuple[socket.socket, Iterator[int]]:
    """Claim a block: its first port stays bound for the life of this process, so no other can claim it."""
    for first in range(_FIRST, _LAST, _BLOCK):
        claim = socket.socket()
        if _binds(claim, first):
            return claim, itertools.cycle(range(first + 1, first + _BLOCK))
        claim.close()
    raise RuntimeError(f"every block of ports from {_FIRST} to {_LAST} is taken")


def _binds(probe: socket.socket, port: int) -> bool:
    try:
        probe.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True
