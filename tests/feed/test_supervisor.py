"""The feed's life against a scripted broker, on a clock that only waiting moves."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from ltp import metrics
from ltp.core.backoff import MUTE_DROP_SENTENCE
from ltp.errors import ConfigError, FeedAuthError, FeedError, InputError

SUBSCRIBE, UNSUBSCRIBE, DISCONNECT = 15, 16, 12
KEYS = ("NSE_EQ:1333", "NSE_EQ:11536")


def every_second(world: Any, start: int, stop: int) -> list[tuple[float, object]]:
    return world.prices(*(float(at) for at in range(start, stop)))


def test_nothing_happens_before_it_is_enabled_and_something_is_wanted(feed_world: Any):
    feed_world.at(10, lambda: feed_world.supervisor.set_enabled(True))
    feed_world.at(20, lambda: feed_world.supervisor.set_wanted(KEYS))
    feed_world.at(25, feed_world.supervisor.stop)
    feed_world.supervisor.run()
    assert [20 <= at <= 21 for at in feed_world.connects] == [True]


def test_everything_is_subscribed_in_hundreds_and_in_order(feed_world: Any):
    keys = tuple(f"NSE_EQ:{security_id}" for security_id in range(1, 251))
    feed_world.run(1, keys)
    client = feed_world.clients[0]
    assert [len(message["InstrumentList"]) for message in client.sent[:3]] == [100, 100, 50]
    assert tuple(client.requested(SUBSCRIBE)) == keys


def test_subscribed_is_not_live(feed_world: Any):
    feed_world.sessions = [feed_world.prices(3.0, 4.0)]
    feed_world.at(2.5, lambda: looks.append(feed_world.supervisor.status()))
    feed_world.at(5.0, lambda: looks.append(feed_world.supervisor.status()))
    looks: list[Any] = []
    feed_world.run(6)
    before, after = looks
    assert (before.feed, before.sent, before.priced, before.last_packet_at) == ("down", 1, frozenset(), None)
    assert (after.feed, after.priced, after.last_packet_at) == ("live", {"NSE_EQ:1333"}, 1_795_408_204.0)
    assert after.since_us == 1_795_408_200_000_000
    assert [feed for _, feed in feed_world.changes] == ["down", "live", "off"]
    assert [tick.ltp for tick in feed_world.ticks] == [1_000_000, 1_000_000]


def test_each_connection_is_down_until_its_first_packet(feed_world: Any):
    feed_world.sessions = [[*feed_world.prices(1.0), feed_world.drop(2.0)], []]
    feed_world.run(8)
    assert [feed for _, feed in feed_world.changes] == ["down", "live", "down", "off"]


def test_silence_is_shown_at_10_s_and_ends_the_connection_at_25_s(feed_world: Any):
    pings = [(float(at), "ping") for at in range(0, 300, 5)]
    feed_world.sessions = [[*feed_world.prices(1.0), *pings], [*feed_world.prices(1.0)]]
    feed_world.run(30)
    assert [feed for _, feed in feed_world.changes] == ["down", "live", "silent", "down", "live", "off"]
    assert 11.0 <= feed_world.changes[2][0] <= 11.5
    assert 26.0 <= feed_world.changes[3][0] <= 26.5
    assert "no price came" in feed_world.supervisor.status().last_error


def test_a_mute_broker_is_reconnected_at_most_once_a_minute(feed_world: Any):
    feed_world.sessions = [[(float(at), "ping") for at in range(0, 900, 5)]]
    feed_world.run(600)
    gaps = [
        later - earlier
        for earlier, later in zip(feed_world.connects[1:], feed_world.connects[2:], strict=False)
    ]
    assert len(gaps) >= 5
    assert min(gaps) >= 60


def test_out_of_session_pings_are_enough(feed_world: Any):
    feed_world.in_session = False
    feed_world.sessions = [[*feed_world.prices(1.0), *((float(at), "ping") for at in range(0, 3600, 10))]]
    feed_world.run(3600)
    assert len(feed_world.connects) == 1
    assert [feed for _, feed in feed_world.changes] == ["down", "live", "off"]


def test_a_dead_transport_is_given_up_at_any_hour(feed_world: Any):
    feed_world.in_session = False
    feed_world.sessions = [feed_world.prices(1.0), every_second(feed_world, 1, 60)]
    feed_world.run(60)
    assert len(feed_world.connects) == 2
    assert feed_world.clients[0].pings == 1
    assert 41 <= feed_world.connects[1] <= 43


def test_half_a_frame_ends_the_connection_within_12_s(feed_world: Any):
    feed_world.in_session = False
    feed_world.sessions = [[*feed_world.prices(1.0), (2.0, "half")], []]
    feed_world.run(20)
    assert 12 <= feed_world.connects[1] <= 13


def test_a_drop_after_a_healthy_session_is_back_within_a_second_with_everything(feed_world: Any):
    feed_world.dice = 0.99
    feed_world.sessions = [[*every_second(feed_world, 1, 100), feed_world.drop(100.0)], []]
    feed_world.run(105, KEYS)
    assert 100 < feed_world.connects[1] <= 101.25
    assert feed_world.clients[1].requested(SUBSCRIBE) == list(KEYS)
    assert feed_world.supervisor.status().reconnects == 1


def test_changes_of_the_wanted_instruments_are_sent_within_a_second(feed_world: Any):
    feed_world.sessions = [feed_world.prices(1.0)]
    feed_world.at(5.1, lambda: feed_world.supervisor.set_wanted(("NSE_EQ:11536", "NSE_EQ:1594")))
    feed_world.at(6.1, feed_world.supervisor.stop)
    feed_world.run(100, KEYS)
    client = feed_world.clients[0]
    assert client.sent[1]["RequestCode"] == UNSUBSCRIBE
    assert client.sent[1]["InstrumentList"] == [{"ExchangeSegment": "NSE_EQ", "SecurityId": "1333"}]
    assert client.sent[2]["InstrumentList"] == [{"ExchangeSegment": "NSE_EQ", "SecurityId": "1594"}]


def test_the_same_instruments_again_send_nothing(feed_world: Any):
    feed_world.at(3, lambda: feed_world.supervisor.set_wanted(list(reversed(KEYS))))
    feed_world.run(5, KEYS)
    assert [message["RequestCode"] for message in feed_world.clients[0].sent] == [
        SUBSCRIBE,
        UNSUBSCRIBE,
        DISCONNECT,
    ]


def test_a_malformed_key_is_refused_and_changes_nothing(feed_world: Any):
    feed_world.supervisor.set_wanted(KEYS)
    with pytest.raises(InputError, match="NSE:x"):
        feed_world.supervisor.set_wanted(["NSE_EQ:1594", "NSE:x"])
    feed_world.at(2, feed_world.supervisor.stop)
    feed_world.supervisor.set_enabled(True)
    feed_world.supervisor.run()
    assert feed_world.clients[0].requested(SUBSCRIBE) == list(KEYS)


def test_more_than_a_connection_holds_is_left_out(feed_world: Any):
    feed_world.run(1, tuple(f"NSE_EQ:{security_id}" for security_id in range(1, 5003)))
    assert len(feed_world.clients[0].requested(SUBSCRIBE)) == 5000


@pytest.mark.parametrize("ended_by", ["stop", "disable", "nothing wanted"])
def test_an_end_of_ours_unsubscribes_and_disconnects(feed_world: Any, ended_by: str):
    feed_world.sessions = [feed_world.prices(1.0)]
    end = {
        "stop": feed_world.supervisor.stop,
        "disable": lambda: feed_world.supervisor.set_enabled(False),
        "nothing wanted": lambda: feed_world.supervisor.set_wanted(()),
    }[ended_by]
    feed_world.at(5, end)
    feed_world.run(10, KEYS)
    client = feed_world.clients[0]
    assert [message["RequestCode"] for message in client.sent] == [SUBSCRIBE, UNSUBSCRIBE, DISCONNECT]
    assert sorted(client.requested(UNSUBSCRIBE)) == sorted(KEYS)
    assert client.closed
    assert len(feed_world.connects) == 1
    assert feed_world.supervisor.status().feed == "off"
    assert feed_world.supervisor.status().since_us == 0
    assert feed_world.supervisor.status().reconnects == 0


def test_enabled_again_it_connects_at_once(feed_world: Any):
    feed_world.at(5, lambda: feed_world.supervisor.set_enabled(False))
    feed_world.at(8, lambda: feed_world.supervisor.set_enabled(True))
    feed_world.run(10)
    assert 8 <= feed_world.connects[1] <= 8.5


def test_805_waits_a_minute_and_leaves_the_deadline_to_the_next_process(feed_world: Any):
    feed_world.dice = 0.0
    feed_world.sessions = [[*feed_world.prices(1.0), feed_world.code50(2.0, 805)], []]
    feed_world.run(70)
    assert feed_world.deadline == 1_795_408_262.0
    assert 62 <= feed_world.connects[1] <= 62.5


def test_a_new_process_keeps_the_deadline(feed_world: Any):
    feed_world.deadline = 1_795_408_240.0
    feed_world.run(50)
    assert [40 <= at <= 41 for at in feed_world.connects] == [True]


def test_429_waits_longer_each_time(feed_world: Any):
    feed_world.dice = 0.0
    feed_world.sessions = [FeedError("HTTP 429", 429)]
    feed_world.run(1100)
    waits = [round(b - a) for a, b in zip(feed_world.connects, feed_world.connects[1:], strict=False)]
    assert waits == [60, 120, 240, 300, 300]
    assert feed_world.refusal_calls == 4


def test_retry_after_of_a_429_is_honoured(feed_world: Any):
    feed_world.dice = 0.0
    feed_world.sessions = [FeedError("HTTP 429", 429, retry_after_s=100.0), []]
    feed_world.run(120)
    assert 100 <= feed_world.connects[1] <= 101


def test_a_lapsed_plan_behind_three_429_is_final(feed_world: Any):
    feed_world.sessions = [FeedError("HTTP 429", 429)]
    feed_world.refusal = "The account's data plan is not active"
    feed_world.run(3000)
    assert len(feed_world.connects) == 3
    status = feed_world.supervisor.status()
    assert (status.stopped_for_good, status.last_error) == (True, "The account's data plan is not active")


@pytest.mark.parametrize("code", [807, 808, 809])
def test_a_refused_token_is_renewed_once_tried_once_and_then_final(feed_world: Any, code: int):
    feed_world.sessions = [[feed_world.code50(1.0, code)]]
    feed_world.run(3600)
    assert feed_world.refreshes == 1
    assert len(feed_world.connects) == 2
    assert feed_world.supervisor.status().stopped_for_good
    assert str(code) in feed_world.supervisor.status().last_error


def test_a_renewed_token_that_works_ends_the_matter(feed_world: Any):
    feed_world.sessions = [[feed_world.code50(1.0, 807)], every_second(feed_world, 1, 60)]
    feed_world.run(50)
    assert feed_world.supervisor.status().stopped_for_good is False
    assert [feed for _, feed in feed_world.changes] == ["down", "live", "off"]
    assert feed_world.connects[1] <= 2.5


def test_a_failed_renewal_still_gets_its_one_retry(feed_world: Any):
    def fail() -> bool:
        raise FeedError("HTTP 500", 500)

    feed_world.sessions = [[feed_world.code50(1.0, 807)]]
    feed_world.build(refresh_token=fail)
    feed_world.run(600)
    assert len(feed_world.connects) == 2


@pytest.mark.parametrize("code", [807, 808, 809, 806, 810])
def test_credentials_that_were_replaced_before_the_refusal_are_tried_at_once(feed_world: Any, code: int):
    feed_world.sessions = [[feed_world.code50(30.0, code)], every_second(feed_world, 1, 60)]
    used: list[int] = []
    feed_world.build(
        connect=lambda: used.append(feed_world.version) or feed_world.connect(), used_version=lambda: used[-1]
    )
    feed_world.at(20, lambda: setattr(feed_world, "version", 2))
    feed_world.run(60)
    assert feed_world.refreshes == 0
    assert (used, len(feed_world.connects)) == ([1, 2], 2)
    assert feed_world.connects[1] <= 32
    assert not feed_world.supervisor.status().stopped_for_good


def test_a_replaced_token_has_a_renewal_of_its_own(feed_world: Any):
    """A is refused, renewed and refused again; B, put there meanwhile, is refused: B is renewed, and then it
    ends.
    """
    feed_world.sessions = [[feed_world.code50(1.0, 807)]]
    feed_world.build(used_version=lambda: feed_world.version)
    feed_world.at(2.0, lambda: setattr(feed_world, "version", 7))
    feed_world.run(600)
    assert feed_world.refreshes == 2
    assert len(feed_world.connects) == 4
    assert feed_world.supervisor.status().stopped_for_good


@pytest.mark.parametrize("code", [806, 810])
def test_a_fatal_code_stops_at_once_until_the_credentials_change(feed_world: Any, code: int):
    feed_world.sessions = [[feed_world.code50(1.0, code)], every_second(feed_world, 1, 99)]
    looks: list[Any] = []
    feed_world.at(3000, lambda: looks.append((len(feed_world.connects), feed_world.supervisor.status())))
    feed_world.at(3000, lambda: setattr(feed_world, "version", 2))
    feed_world.run(3010)
    connects, status = looks[0]
    assert (connects, status.feed, status.stopped_for_good, feed_world.refreshes) == (1, "down", True, 0)
    assert 3000 <= feed_world.connects[1] <= 3003
    assert not feed_world.supervisor.status().stopped_for_good


def test_the_full_stop_is_reported(feed_world: Any):
    """The feed's state is down before and after, so the stop itself has to count as a change."""
    feed_world.sessions = [FeedAuthError("HTTP 401", 401)]
    reported: list[tuple[str, bool]] = []

    def note() -> None:
        status = feed_world.supervisor.status()
        reported.append((status.last_error, status.stopped_for_good))

    feed_world.build(on_change=note)
    feed_world.run(30)
    assert reported == [("", False), ("HTTP 401", False), ("HTTP 401", True), ("HTTP 401", True)]


def test_http_403_is_no_full_stop(feed_world: Any):
    feed_world.sessions = [FeedAuthError("HTTP 403", 403)]
    feed_world.run(600)
    assert len(feed_world.connects) > 5
    assert feed_world.refreshes == 0


@pytest.mark.parametrize("code", [804, 811, 812, 813, 814])
def test_a_refused_request_does_not_end_the_session(feed_world: Any, code: int):
    feed_world.sessions = [[feed_world.code50(1.0, code), *every_second(feed_world, 2, 30)]]
    feed_world.run(20)
    assert len(feed_world.connects) == 1
    assert str(code) in feed_world.supervisor.status().last_error
    assert len(feed_world.ticks) >= 18


@pytest.mark.parametrize("code", [800, 820])
def test_other_codes_are_retried_at_once(feed_world: Any, code: int):
    feed_world.sessions = [[*feed_world.prices(1.0), feed_world.code50(20.0, code)], []]
    feed_world.run(30)
    assert 20 <= feed_world.connects[1] <= 21


@pytest.mark.parametrize("code", [0, 1000, 1001, 1011])
def test_every_kind_of_close_is_retried(feed_world: Any, code: int):
    feed_world.sessions = [[*feed_world.prices(1.0), feed_world.drop(20.0, code)], []]
    feed_world.run(30)
    assert 20 <= feed_world.connects[1] <= 21


def test_bare_drops_before_any_packet_are_named(feed_world: Any):
    feed_world.sessions = [[feed_world.drop(0.5)]]
    feed_world.run(300)
    status = feed_world.supervisor.status()
    assert (status.last_error, status.stopped_for_good) == (MUTE_DROP_SENTENCE, False)
    assert len(feed_world.connects) < 12


def test_credentials_that_cannot_be_read_are_tried_again(feed_world: Any):
    feed_world.sessions = [
        ConfigError("DHANHQ_ACCESS_TOKEN_FILE", "/run/token", "it must name a readable text file"),
        [],
    ]
    feed_world.run(20)
    assert len(feed_world.connects) == 2


def test_the_receiver_of_ticks_may_fail_and_the_feed_goes_on(
    feed_world: Any, caplog: pytest.LogCaptureFixture
):
    def fail(ticks: object) -> None:
        raise RuntimeError("the ingest is broken")

    feed_world.build(on_ticks=fail)
    feed_world.sessions = [every_second(feed_world, 1, 50)]
    counted = metrics.value("feed_faults_of_ours")
    with caplog.at_level(logging.ERROR):
        feed_world.run(50)
    assert len(feed_world.connects) == 1
    assert metrics.value("feed_faults_of_ours") - counted >= 48
    assert len([record for record in caplog.records if "handed over" in record.message]) == 1


def test_a_fault_of_our_own_does_not_end_the_thread(feed_world: Any):
    faults = iter([RuntimeError("our fault"), RuntimeError("again")])

    def in_session() -> bool:
        for fault in faults:
            raise fault
        return True

    feed_world.build(in_session=in_session)
    feed_world.sessions = [every_second(feed_world, 1, 50)]
    feed_world.run(30)
    assert len(feed_world.connects) == 3
    assert all(client.closed for client in feed_world.clients)
    assert feed_world.ticks


def test_a_lost_subscription_is_sent_again_later_each_time_and_listed(feed_world: Any):
    feed_world.sessions = [every_second(feed_world, 1, 200)]
    looks: list[Any] = []
    for at in (15, 25, 99):
        feed_world.at(at, lambda: looks.append(feed_world.supervisor.status().never_ticked))
    feed_world.run(100, KEYS)
    assert feed_world.clients[0].requested(SUBSCRIBE) == [*KEYS, "NSE_EQ:11536", "NSE_EQ:11536"]
    assert looks == [(), ("NSE_EQ:11536",), ("NSE_EQ:11536",)]


def test_a_subscription_is_sent_again_within_20_s_and_a_late_packet_unlists(feed_world: Any):
    feed_world.sessions = [[*every_second(feed_world, 1, 200), *feed_world.prices(40.0, security_id=11536)]]
    sent: list[int] = []
    feed_world.at(20, lambda: sent.append(len(feed_world.clients[0].sent)))
    feed_world.run(60, KEYS)
    assert sent == [2]
    assert feed_world.supervisor.status().never_ticked == ()


def test_trade_times_on_another_clock_are_logged(feed_world: Any, caplog: pytest.LogCaptureFixture):
    """The packets here always carry the trade time of the first second, 5.5 hours before the run starts."""
    feed_world.now = 19_800.0
    feed_world.sessions = [every_second(feed_world, 1, 100)]
    feed_world.run(19_900)
    assert len([record for record in caplog.records if "changed the clock" in record.message]) == 1


def test_a_fault_of_our_own_while_connecting_is_reported_and_counted(feed_world: Any):
    feed_world.sessions = [RuntimeError("our fault")]
    feed_world.run(12)
    status = feed_world.supervisor.status()
    assert (
        status.last_error
        == "A fault of this program (RuntimeError) ended the connection; see the worker's log"
    )
    assert status.failures == len(feed_world.connects) == 3
    assert [feed for _, feed in feed_world.changes] == ["down", "off"]


def test_every_attempt_that_brings_no_connection_is_counted(feed_world: Any):
    feed_world.sessions = [
        FeedError("no answer in time"),
        FeedError("HTTP 503", 503),
        every_second(feed_world, 1, 60),
    ]
    feed_world.run(40)
    status = feed_world.supervisor.status()
    assert (status.failures, status.reconnects) == (2, 0)


def test_a_connection_that_is_to_be_renewed_is_left_properly_and_back_within_a_second(feed_world: Any):
    feed_world.sessions = [every_second(feed_world, 1, 60), every_second(feed_world, 1, 60)]
    feed_world.at(20, lambda: feed_world.supervisor.renew("The clock of this host was set by -60.0 s"))
    feed_world.run(40)
    assert [20 <= at <= 21.5 for at in feed_world.connects[1:]] == [True]
    assert [message["RequestCode"] for message in feed_world.clients[0].sent] == [
        SUBSCRIBE,
        UNSUBSCRIBE,
        DISCONNECT,
    ]
    assert feed_world.supervisor.status().last_error == "The clock of this host was set by -60.0 s"


def test_a_clock_that_is_set_back_does_not_prolong_the_wait_after_805(feed_world: Any):
    back = [0.0]
    feed_world.dice = 0.0
    feed_world.build(clock=lambda: 1_795_408_200.0 + feed_world.now - back[0])
    feed_world.sessions = [[*feed_world.prices(1.0), feed_world.code50(2.0, 805)], []]
    feed_world.at(30, lambda: back.__setitem__(0, 19_800.0))
    feed_world.run(130)
    assert 62 <= feed_world.connects[1] <= 72
