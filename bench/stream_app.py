"""The product's own fan-out under invented prices: relay, hub, sockets, stream view and cells, without Redis
and pages.

    PORT=9110 HZ=10 ROWS=7 VIEWS=1 gunicorn -c gunicorn.conf.py --pythonpath bench stream_app:app

`/stream/N` is the stream of view N, `/stream/any` of the next in turn. Without INSTRUMENTS each view has ROWS
of its own and all change HZ times a second, together. With INSTRUMENTS the views are different choices out of
so many, each of which changes MOVES times a second, and HZ is the limit of the views.
"""

from __future__ import annotations

import itertools
import os
import random
import time
from collections.abc import Iterator
from functools import cache
from types import SimpleNamespace

import orjson
from flask import Flask, Response, request

from ltp.core.ticks.quote import CachedTick
from ltp.core.ticks.tick import Tick
from ltp.core.ticks.wire import Batch, batch_from_plain
from ltp.hub.hub import Hub
from ltp.store import encode
from ltp.web.live.stream import stream_response
from ltp.web.table.cells import draw_function

HZ = float(os.environ.get("HZ", "10"))
ROWS = int(os.environ.get("ROWS", "7"))
VIEWS = int(os.environ.get("VIEWS", "1"))
INSTRUMENTS = int(os.environ.get("INSTRUMENTS", "0"))
MOVES = float(os.environ.get("MOVES", "2"))
COLUMNS = ("ltp", "chg", "chgp")
KEYS = [f"NSE_EQ:{1000 + number}" for number in range(INSTRUMENTS or VIEWS * ROWS)]
BATCH_HZ = 50.0 if INSTRUMENTS else HZ  # the worker writes every 20 ms while prices move
MOVED = round(INSTRUMENTS * MOVES / BATCH_HZ) or len(KEYS)
INTERVAL_MS = 1000 / HZ if INSTRUMENTS else 50
STAMP = 1_111_111_111_111_111


@cache
def keys(view: int) -> list[str]:
    if INSTRUMENTS:
        return random.Random(view).sample(KEYS, ROWS)
    return KEYS[view * ROWS : (view + 1) * ROWS]


def messages() -> list[bytes]:
    """Batches as the worker publishes them over some seconds, each price wandering; STAMP stands for the
    present.
    """
    chance, made = random.Random(1), []
    close = {key: chance.randint(1_000, 60_000) * 500 for key in KEYS}
    price, order = dict(close), itertools.cycle(chance.sample(KEYS, len(KEYS)))
    for _ in range(200):
        moved = list(itertools.islice(order, MOVED))
        for key in moved:
            price[key] += chance.choice((-1_000, -500, 500, 1_000))
        ticks = [
            Tick(key, price[key], STAMP // 1_000_000, STAMP, 4_512_345, close[key], close[key] + 90_000, close[key] - 90_000,
                 close[key], None, "2026-11-23", STAMP)
            for key in moved
        ]  # fmt: skip
        batch = Batch("bench", 0, STAMP, "live", 1, "simulator", {"NSE_EQ": "continuous"}, ticks)
        made.append("".join(encode.message(batch, encode.texts(ticks, encode.NOTHING).items)).encode())
    return made


def batches() -> Iterator[Batch | None]:
    made = messages()
    yield None
    due, stamp = time.monotonic(), str(STAMP).encode()
    for seq, body in enumerate(itertools.cycle(made)):
        due += 1 / BATCH_HZ
        time.sleep(max(0.0, due - time.monotonic()))
        now = str(time.time_ns() // 1000).encode()
        batch = batch_from_plain(orjson.loads(body.replace(stamp, now).replace(stamp[:10], now[:10])))
        assert batch is not None
        yield batch._replace(seq=seq)


def create_app() -> Flask:
    app = Flask(__name__)
    hub = Hub(
        batches,
        lambda wanted: [CachedTick(key, None, False) for key in wanted],
        draw_function(),
        min_interval_s=float(os.environ.get("STREAM_MIN_INTERVAL_MS", INTERVAL_MS)) / 1000,
        stall_timeout_s=float(os.environ.get("STREAM_STALL_TIMEOUT_S", "15")),
        max_streams=int(os.environ.get("MAX_STREAMS", "19000")),
    )
    app.extensions["ltp"] = SimpleNamespace(hub=hub, start=hub.start)

    turn = itertools.count()

    @app.get("/stream/<name>")
    def stream(name: str) -> Response:
        number = next(turn) % VIEWS if name == "any" else int(name)
        view = hub.view(keys(number), COLUMNS)
        return stream_response(hub, view, last_event_id=request.headers.get("Last-Event-ID"))

    return app


app = create_app()
