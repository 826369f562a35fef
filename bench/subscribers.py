"""So many subscribers of the worker's channel that only count: `python -m bench.subscribers PORT COUNT
SECONDS` prints JSON.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time

from ltp.store.keys import CHANNEL


def main() -> None:
    port, count, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    ready = select.epoll()
    connections = {}
    for _ in range(count):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.sendall(f"SUBSCRIBE {CHANNEL}\r\n".encode())
        connections[connection.fileno()] = connection
        ready.register(connection, select.EPOLLIN)
    received, messages, end = 0, 0, time.monotonic() + seconds
    while (left_s := end - time.monotonic()) > 0:
        for fd, _ in ready.poll(left_s):
            body = connections[fd].recv(1 << 20)
            received += len(body)
            messages += body.count(b"*3\r\n$7\r\nmessage")
    print(json.dumps({"bytes": received, "messages": messages}))


if __name__ == "__main__":
    main()
