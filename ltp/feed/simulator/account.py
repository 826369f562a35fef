"""The credentials that the simulated broker accepts: any non-empty ones, until a renewal kills the token."""

from __future__ import annotations

import base64
import json
import threading
import uuid
from collections.abc import Callable
from typing import Final

_TOKEN_LIFE_S: Final = 86_400
EXPIRED: Final = 807


class Account:
    """`kill_renewed`: a renewal makes the old token useless at once, as the real one does."""

    def __init__(self, clock: Callable[[], float], *, kill_renewed: bool) -> None:
        self._clock, self._kill_renewed = clock, kill_renewed
        self._lock = threading.Lock()
        self._killed: set[str] = set()

    def accepts(self, token: str) -> bool:
        with self._lock:
            return bool(token) and token not in self._killed

    def renew(self, token: str, client_id: str) -> tuple[str, float]:
        """Return a new token, shaped as a JWT so that its expiry can be read from it, and that expiry."""
        expires_at = self._clock() + _TOKEN_LIFE_S
        claims = {
            "iss": "simulator",
            "dhanClientId": client_id,
            "exp": int(expires_at),
            "jti": uuid.uuid4().hex,
        }
        parts = ({"alg": "none", "typ": "JWT"}, claims)
        head, body = (
            base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts
        )
        if self._kill_renewed:
            with self._lock:
                self._killed.add(token)
        return f"{head}.{body}.unsigned", expires_at
