"""Current prices with Starlette, redis.asyncio and orjson. REDIS_URL from the environment."""

from __future__ import annotations

import os

import orjson
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

client = Redis.from_url(os.environ["REDIS_URL"])


async def prices(request: Request) -> Response:
    keys = request.query_params["keys"].split(",")
    values = await client.mget([f"ltp:{key}" for key in keys])
    found = {key: None if value is None else float(value) for key, value in zip(keys, values, strict=True)}
    return Response(orjson.dumps({"prices": found, "count": len(found)}), media_type="application/json")


app = Starlette(routes=[Route("/prices", prices)])
