"""Starlette with sse-starlette: a queue per browser, filled by one task. HZ and SIZE come from the
environment.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

HZ = float(os.environ["HZ"])
BODY = "x" * int(os.environ["SIZE"])
queues: set[asyncio.Queue[dict[str, str]]] = set()


async def publish() -> None:
    due = time.monotonic()
    while True:
        due += 1 / HZ
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        event = {"id": str(time.time_ns() // 1000), "data": BODY}
        for queue in queues:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(event)


async def stream(_request: Request) -> EventSourceResponse:
    queue: asyncio.Queue[dict[str, str]] = asyncio.Queue(maxsize=4)

    async def events() -> AsyncIterator[dict[str, str]]:
        queues.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            queues.discard(queue)

    return EventSourceResponse(events())


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[None]:
    task = asyncio.create_task(publish())
    yield
    task.cancel()


app = Starlette(routes=[Route("/", stream)], lifespan=lifespan)
