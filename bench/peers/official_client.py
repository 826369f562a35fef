"""The broker's own Python client, receiving and decoding quotes: `python -m bench.peers.official_client PORT
INSTRUMENTS`.
"""

from __future__ import annotations

import asyncio
import sys

from dhanhq import DhanContext, MarketFeed

from bench.stage import FIRST_ID


async def read_forever(feed: MarketFeed) -> None:
    await feed.connect()
    while True:
        await feed.get_instrument_data()


def main() -> None:
    port, count = int(sys.argv[1]), int(sys.argv[2])
    MarketFeed.market_feed_wss = f"ws://127.0.0.1:{port}"
    instruments = [(MarketFeed.NSE, str(FIRST_ID + number), MarketFeed.Quote) for number in range(count)]
    feed = MarketFeed(DhanContext("bench", "bench"), instruments, "v2")
    asyncio.set_event_loop(feed.loop)
    feed.loop.run_until_complete(read_forever(feed))


if __name__ == "__main__":
    main()
