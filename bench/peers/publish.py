"""Publishes events to a peer that does not make its own: `python -m bench.peers.publish nchan|flask-sse
ADDRESS HZ SIZE`.
"""

from __future__ import annotations

import http.client
import json
import sys
import time
from collections.abc import Callable

import redis


def to_nchan(port: str) -> Callable[[int, str], None]:
    connection = http.client.HTTPConnection("127.0.0.1", int(port))

    def send(at_us: int, body: str) -> None:
        connection.request("POST", "/publish", body=f"{at_us} {body}")
        connection.getresponse().read()

    return send


def to_flask_sse(url: str) -> Callable[[int, str], None]:
    """Sends the message of `sse.publish`, which itself only works inside an application."""
    client = redis.Redis.from_url(url)

    def send(at_us: int, body: str) -> None:
        client.publish("sse", json.dumps({"data": body, "id": str(at_us)}))

    return send


def main() -> None:
    peer, address, hz, size = sys.argv[1:]
    send = {"nchan": to_nchan, "flask-sse": to_flask_sse}[peer](address)
    body, due = "x" * int(size), time.monotonic()
    while True:
        due += 1 / float(hz)
        time.sleep(max(0.0, due - time.monotonic()))
        send(time.time_ns() // 1000, body)


if __name__ == "__main__":
    main()
