"""The first seconds of a feed connection: refusals before the upgrade, and ends right after it.

The real broker rarely answers bad credentials with an HTTP error: mostly with 101 and then code 50, or a bare
drop. Empty ones are refused here at once; the `reject` and `drop_after_accept` faults and a killed token give
the other two answers.
"""

from __future__ import annotations

import threading
from typing import Any

from flask import Response, request

from ltp.feed.simulator.account import EXPIRED, Account
from ltp.feed.simulator.client import SimulatorClient
from ltp.feed.simulator.connections import Connections
from ltp.feed.simulator.faults import Faults


class Handshake:
    """`stopping` ends every wait."""

    def __init__(
        self, faults: Faults, account: Account, connections: Connections, stopping: threading.Event
    ) -> None:
        self._faults, self._account, self._connections, self._stopping = (
            faults,
            account,
            connections,
            stopping,
        )

    def refusal(self) -> Response | None:
        """Return the answer to an upgrade that is not granted, None to let it through."""
        self._connections.attempts += 1
        if slow := self._faults.take("slow_accept"):
            self._stopping.wait(slow.params["delay_s"])
        if refuse := self._faults.take("refuse"):
            wait_s = refuse.params["retry_after_s"]
            return Response(
                status=refuse.params["status"], headers={"Retry-After": str(wait_s)} if wait_s else None
            )
        if request.args.get("version") != "2" or request.args.get("authType") != "2":
            return Response("version=2 and authType=2 are required\n", 400, content_type="text/plain")
        if not request.args.get("token") or not request.args.get("clientId"):
            return Response("token and clientId are required\n", 401, content_type="text/plain")
        return None

    def serve(self, client: SimulatorClient, websocket: Any, token: str) -> None:
        """Run an accepted connection to its end."""
        reject = self._faults.take("reject")
        drop = self._faults.take("drop_after_accept")
        if drop is not None:
            self._stopping.wait(drop.params["delay_s"])
            client.end(drop.params["how"], 1011)
        elif reject is not None:
            client.disconnect(reject.params["reason"])
        elif not self._account.accepts(token):
            client.disconnect(EXPIRED)
        else:
            self._connections.add(client)
        try:
            client.serve(websocket)
        finally:
            self._connections.remove(client)
