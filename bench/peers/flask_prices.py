"""Current prices with Flask and one MGET, nothing else. REDIS_URL from the environment."""

from __future__ import annotations

import os

from flask import Flask, Response, jsonify, request
from redis import Redis

app = Flask(__name__)
client = Redis.from_url(os.environ["REDIS_URL"])


@app.get("/prices")
def prices() -> Response:
    keys = request.args["keys"].split(",")
    values = client.mget([f"ltp:{key}" for key in keys])
    found = {key: None if value is None else float(value) for key, value in zip(keys, values, strict=True)}
    return jsonify(prices=found, count=len(found))
