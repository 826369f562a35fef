"""Trade times of packets moved, all other bytes left alone."""

from __future__ import annotations

import pytest

from ltp.dhan.packets import (
    Depth,
    DisconnectPacket,
    FullPacket,
    OpenInterestPacket,
    PrevClosePacket,
    QuotePacket,
    TickerPacket,
    encode,
)
from ltp.dhan.retime import retimed

LTT = 1_795_428_000
QUOTE = QuotePacket(1, 1333, 965.5, 7, LTT, 960.0, 99, 1, 2, 961.0, 962.0, 963.0, 964.0)
FULL = FullPacket(
    2,
    9,
    965.5,
    7,
    LTT,
    960.0,
    99,
    1,
    2,
    3,
    4,
    5,
    961.0,
    962.0,
    963.0,
    964.0,
    (Depth(1, 2, 3, 4, 5.0, 6.0),) * 5,
)
TICKER = TickerPacket(0, 13, 25_900.5, LTT)


@pytest.mark.parametrize("packet", [TICKER, QUOTE, FULL])
@pytest.mark.parametrize("seconds", [86_400 * 40, -3, 0])
def test_the_trade_time_moves_and_nothing_else(
    packet: TickerPacket | QuotePacket | FullPacket, seconds: int
) -> None:
    assert retimed(encode(packet), seconds) == encode(packet._replace(ltt=LTT + seconds))


def test_every_packet_of_a_message_moves() -> None:
    others = encode(OpenInterestPacket(1, 1333, LTT)) + encode(PrevClosePacket(1, 1333, 9.5, LTT))
    message = encode(QUOTE) + others + encode(TICKER)
    assert retimed(message, 60) == encode(QUOTE._replace(ltt=LTT + 60)) + others + encode(
        TICKER._replace(ltt=LTT + 60)
    )


@pytest.mark.parametrize("ltt", [0, 315_532_800, 946_684_799])
def test_a_time_that_stands_for_no_trade_stays(ltt: int) -> None:
    assert retimed(encode(TICKER._replace(ltt=ltt)), 86_400) == encode(TICKER._replace(ltt=ltt))


@pytest.mark.parametrize(("ltt", "seconds", "moved"), [(2**32 - 5, 60, 2**32 - 1), (LTT, -2 * LTT, 0)])
def test_a_time_stays_within_its_field(ltt: int, seconds: int, moved: int) -> None:
    assert retimed(encode(TICKER._replace(ltt=ltt)), seconds) == encode(TICKER._replace(ltt=moved))


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x63",
        b"\0" * 16,
        encode(DisconnectPacket(0, 0, 805)),
        encode(QUOTE)[:-1],
        b"\x63\x0a\0\0\0\0\0\0\x02\x10",
    ],
)
def test_other_bytes_stay(message: bytes) -> None:
    assert retimed(message, 60) == message
    assert retimed(encode(TICKER) + message, 60) == encode(TICKER._replace(ltt=LTT + 60)) + message
