"""The simulator as a server: WebSocket at `/`, REST under `/v2`, commands under `/control`.

Assembles the parts and owns the threads: one that trades, one that accepts, and werkzeug's, one per
connection. Started by `python -m ltp simulate`, or by a test as an object.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, Response, jsonify, request
from flask_sock import Sock
from werkzeug.serving import WSGIRequestHandler, make_server

from ltp.core.money import Price
from ltp.errors import ConfigError
from ltp.feed.simulator.account import Account
from ltp.feed.simulator.book import BookSnapshot
from ltp.feed.simulator.client import SimulatorClient
from ltp.feed.simulator.connections import Connections
from ltp.feed.simulator.control import control
from ltp.feed.simulator.exchange import Exchange, InSession, Known
from ltp.feed.simulator.faults import Faults
from ltp.feed.simulator.frame_socket import FrameSocket
from ltp.feed.simulator.handshake import Handshake
from ltp.feed.simulator.outgoing import PrevCloseFor
from ltp.feed.simulator.replay import Replay
from ltp.feed.simulator.replay_capture import Break, Frame
from ltp.feed.simulator.rest import failed, quotes
from ltp.feed.simulator.rest_charts import account_pages, charts
from ltp.feed.simulator.universe import listings, synthetic_futures

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

PING_S: Final = 10.0
SILENCE_S: Final = 40.0
_LONGEST_WAIT_S: Final = 0.25
_GOING_AWAY: Final = 1001
_MAX_MESSAGE: Final = 262_144  # a request of 100 instruments takes 6 kB
_ACCEPTED: Final = "ltp.simulator.accepted"


class _QuietRequestHandler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Log nothing: the request line of a feed connection carries the token."""


class Simulator:
    """A DhanHQ v2 server with prices of its own.

    Args:
        port: 0 takes a free one, which is then in `self.port`.
        in_session: whether a segment trades at an instant (seconds since the epoch); None trades round the
            clock.
        rate: scales the trading rate of every instrument; with 0 only `trade` and a replay make trades.
        extra_instruments: number of invented NSE_FNO contracts.
        known: finds further instruments, which are listed once a client subscribes them.
        prev_close_for: instruments with a code-6 packet on subscription: indices (as seen live), all (as
            documented), none.
        kill_renewed: a token renewal makes the old token useless.
        ping_s, silence_s: seconds between two pings, and of silence after which a client is dropped.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        in_session: InSession | None = None,
        seed: int = 1,
        rate: float = 1.0,
        replay: Replay | None = None,
        extra_instruments: int = 0,
        known: Known = lambda _: (),
        prev_close_for: PrevCloseFor = "idx",
        kill_renewed: bool = False,
        ping_s: float = PING_S,
        silence_s: float = SILENCE_S,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.host, self.port = host, port
        self._clock, self._replay, self._ping_s, self._silence_s = clock, replay, ping_s, silence_s
        listed = [*listings(), *synthetic_futures(extra_instruments)]
        if replay is not None:
            listed += replay.missing({listing.key for listing in listed})
        self.exchange = Exchange(
            listed, seed=seed, now=clock(), in_session=in_session, rate=rate, known=known
        )
        self.faults = Faults(monotonic)
        self.account = Account(clock, kill_renewed=kill_renewed)
        self.connections = Connections(self.exchange, clock, prev_close_for)
        self._stopping = threading.Event()
        self._handshake = Handshake(self.faults, self.account, self.connections, self._stopping)
        self.app = self._flask(clock, monotonic)
        self.threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        """The value for `DHANHQ_WS_URL`."""
        return f"ws://{self.host}:{self.port}"

    @property
    def rest_url(self) -> str:
        """The value for `DHANHQ_REST_URL`."""
        return f"http://{self.host}:{self.port}/v2"

    def start(self) -> Simulator:
        """Listen and trade.

        Raises:
            ConfigError: the port cannot be had.
        """
        with _listening(self.host, self.port) as sock:
            self.port = int(sock.getsockname()[1])
            self._server = make_server(
                self.host,
                self.port,
                self._wsgi,
                threaded=True,
                request_handler=_QuietRequestHandler,
                fd=sock.fileno(),
            )
        self._begin_replay()
        loops = {
            "simulator-trades": self._trade_loop,
            "simulator-server": lambda: self._server.serve_forever(0.02),
        }
        self.threads = [threading.Thread(target=loop, name=name, daemon=True) for name, loop in loops.items()]
        for thread in self.threads:
            thread.start()
        return self

    def stop(self) -> None:
        """Close every connection and stop, within a bounded time."""
        self._stopping.set()
        self.connections.drop("close", _GOING_AWAY)
        self._server.shutdown()
        for thread in self.threads:
            thread.join(2.0)
        self._server.server_close()

    def trade(self, key: str, ltp: Price, *, ltq: int | None = None, hold_s: float = 0.0) -> BookSnapshot:
        """Make a trade at exactly this price now and send it to its subscribers.

        `hold_s`: for so many seconds the walk leaves the instrument alone.

        Raises:
            NotFoundError: nothing of that key is listed.
        """
        self.exchange.admit([key], self._clock())
        with self.exchange.lock:
            snapshot = self.exchange.trade(key, ltp, self._clock(), ltq=ltq, hold_s=hold_s)
            self.connections.publish([snapshot])
        return snapshot

    def _begin_replay(self) -> None:
        if self._replay is None:
            return
        now, first = self._clock(), self._replay.first_prints
        # Captured frames carry prices that differ from our books', so those books must publish none.
        self.exchange.halt(self._replay.keys, delist=not first)
        for key, event in first.items():
            self.exchange.books[key].reopen(event.ltp, now)
        self._replay.start(now)

    def _trade_loop(self) -> None:
        while not self._stopping.is_set():
            now = self._clock()
            with self.exchange.lock:
                self.connections.publish(self.exchange.advance(now))
                self._play(now)
            self._stopping.wait(self._until_due())

    def _until_due(self) -> float:
        due = (self.exchange.next_due(), self._replay.next_due() if self._replay else None)
        waits = [at - self._clock() for at in due if at is not None]
        return max(0.001, min([_LONGEST_WAIT_S, *waits]))

    def _play(self, now: float) -> None:
        for event in self._replay.due(now) if self._replay else ():
            if isinstance(event, Frame):
                self.connections.pass_on(event.message)
            elif isinstance(event, Break):
                self.connections.drop("close", _GOING_AWAY)
            else:
                self.connections.publish([self.exchange.trade(event.key, event.ltp, now, ltq=event.ltq)])

    def _feed(self, websocket: Any) -> None:
        request.environ[_ACCEPTED] = True
        client = SimulatorClient(
            request.args["clientId"],
            request.environ["werkzeug.socket"],
            self.faults,
            self.connections.subscribe,
            ping_s=self._ping_s,
            silence_s=self._silence_s,
        )
        self._handshake.serve(client, websocket, request.args["token"])

    def _wsgi(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("HTTP_UPGRADE", "").lower() == "websocket":
            environ["werkzeug.socket"] = FrameSocket(
                environ["werkzeug.socket"], lambda: self.faults.lasts("freeze")
            )
        answer = self.app(environ, start_response)
        if environ.get(_ACCEPTED):
            # flask-sock ends with an ordinary HTTP answer; behind the last frame it would be garbage.
            raise ConnectionAbortedError("the WebSocket has ended")
        return answer

    def _flask(self, clock: Callable[[], float], monotonic: Callable[[], float]) -> Flask:
        app = Flask("ltp.simulator", static_folder=None)
        app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask types the provider's base class
        app.config["SOCK_SERVER_OPTIONS"] = {"max_message_size": _MAX_MESSAGE}
        Sock(app).route("/")(self._feed)
        app.register_blueprint(quotes(self.exchange, self.account, clock, monotonic), url_prefix="/v2")
        app.register_blueprint(charts(self.exchange, self.account, clock, monotonic), url_prefix="/v2")
        app.register_blueprint(account_pages(self.account, self._clock), url_prefix="/v2")
        app.register_blueprint(control(self.faults, self.connections, self.trade), url_prefix="/control")
        app.before_request(self._before)
        app.register_error_handler(404, self._not_found)
        return app

    def _before(self) -> Response | None:
        if request.path == "/" and request.environ.get("HTTP_UPGRADE"):
            return self._handshake.refusal()
        if request.path.startswith("/v2/") and (fault := self.faults.take("rest")):
            return failed(fault.params["status"], fault.params["code"])
        return None

    def _not_found(self, _error: Exception) -> tuple[Response, int]:
        missing = {
            "timestamp": int(self._clock() * 1000),
            "status": 404,
            "error": "Not Found",
            "path": request.path,
        }
        return jsonify(missing), 404


def _listening(host: str, port: int) -> socket.socket:
    sock = socket.socket()
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(128)
    except OSError as error:
        sock.close()
        raise ConfigError("port", str(port), f"a port that is free on {host} ({error.strerror})") from None
    return sock
