"""Messages: the same facts as JSON and as text, and no text of a person becomes more than text."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from ltp.core.alerts.alert import EVENT, TRADE, WHILE_DISCONNECTED
from ltp.core.alerts.message import Fired, Message, document, subject, text, without_markup

AT = datetime(2026, 12, 1, 5, 12, 17, tzinfo=UTC)
FIRED = Fired(
    41, 7, "NSE_EQ:1333", "HDFCBANK", "HDFC Bank Limited", "ltp > 1650", "sell half", AT, 16_503_500, TRADE,
    detail="ltp was 1,650.35, the bound is 1,650.00",
)  # fmt: skip


def test_the_document_of_a_firing() -> None:
    assert document(Message("ltp-17", "mine", (FIRED,))) == {
        "v": 1,
        "id": "ltp-17",
        "channel": "mine",
        "kind": "alert",
        "firing": 41,
        "alert": 7,
        "key": "NSE_EQ:1333",
        "symbol": "HDFCBANK",
        "name": "HDFC Bank Limited",
        "rule": "ltp > 1650",
        "note": "sell half",
        "at": "2026-12-01T10:42:17+05:30",
        "ltp": 1650.35,
        "how": "trade",
        "detail": "ltp was 1,650.35, the bound is 1,650.00",
    }


def test_the_text_of_a_firing() -> None:
    message = Message("ltp-17", "mine", (FIRED,))
    assert subject(message) == "Alert: HDFCBANK: ltp > 1650"
    assert text(message).splitlines() == [
        "Instrument: HDFCBANK (HDFC Bank Limited), NSE_EQ:1333",
        "Rule: ltp > 1650",
        "Price: ₹1,650.35",
        "At: 01 Dec 2026, 10:42:17 IST",
        "How: by a trade",
        "Detail: ltp was 1,650.35, the bound is 1,650.00",
        "Note: sell half",
    ]


def test_a_firing_in_a_gap_names_the_minutes() -> None:
    gap = FIRED._replace(how=WHILE_DISCONNECTED, since=AT, until=AT + timedelta(minutes=2))
    assert "How: while disconnected, between 10:42:17 and 10:44:17" in text(Message("", "", (gap,)))


def test_a_firing_without_instrument_and_price() -> None:
    event = Fired(1, 2, "", "", "", "feed_trouble", "", AT, None, EVENT)
    message = Message("ltp-1", "mine", (event,))
    assert subject(message) == "Alert: the market: feed_trouble"
    assert text(message).splitlines() == ["Rule: feed_trouble", "At: 01 Dec 2026, 10:42:17 IST"]
    assert document(message)["ltp"] is None


def test_a_digest_lists_some_and_documents_all() -> None:
    fired = tuple(FIRED._replace(firing=number, symbol=f"S{number}") for number in range(25))
    message = Message("ltp-17", "mine", fired)
    assert subject(message).startswith("25 alerts: S0, S1, S2")
    assert len(subject(message)) <= 120
    lines = text(message).splitlines()
    assert lines[2] == "10:42:17  S0: ltp > 1650 at ₹1,650.35 (sell half)"
    assert lines[-1] == "and 5 more; the page /alerts has them all"
    assert len(lines) == 23
    found = document(message)
    assert (found["kind"], found["count"], len(found["firings"])) == ("digest", 25, 25)
    assert "id" not in found["firings"][0]


def test_a_test_says_so() -> None:
    message = Message("ltp-17", "mine")
    assert document(message) == {"v": 1, "id": "ltp-17", "channel": "mine", "kind": "test"}
    assert subject(message) == "Test of the alert channel mine"
    assert "test" in text(message)


def test_hostile_texts_stay_on_their_line() -> None:
    hostile = FIRED._replace(note="a\r\nBcc: evil@example.com\u202e\x00 <img onerror=x>", symbol="A\nB\u2066")
    message = Message("ltp-17", "mine", (hostile,))
    assert subject(message) == "Alert: A B: ltp > 1650"
    assert text(message).splitlines()[-1] == "Note: a Bcc: evil@example.com <img onerror=x>"
    assert json.loads(json.dumps(document(message)))["note"] == hostile.note


def test_chat_services_find_no_mention_and_no_link() -> None:
    assert without_markup("@everyone <!here> <@123> [bank](https://evil.example.com)") == (
        "@\u200beveryone <\u200b!here> <@\u200b123> [bank]\u200b(https://evil.example.com)"
    )
