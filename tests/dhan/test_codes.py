import pytest

from ltp.core.instrument import SEGMENTS
from ltp.dhan import codes


def test_segments_have_their_documented_numbers():
    numbers = {
        0: "IDX_I",
        1: "NSE_EQ",
        2: "NSE_FNO",
        3: "NSE_CURRENCY",
        4: "BSE_EQ",
        5: "MCX_COMM",
        7: "BSE_CURRENCY",
        8: "BSE_FNO",
    }
    assert numbers == codes.SEGMENT_NAMES
    assert set(codes.SEGMENT_NUMBERS) == set(SEGMENTS)


def test_unsubscribe_is_the_subscribe_code_plus_one():
    assert codes.SUBSCRIBE == {"ticker": 15, "quote": 17, "full": 21}
    assert {mode: code - 1 for mode, code in codes.UNSUBSCRIBE.items()} == codes.SUBSCRIBE


@pytest.mark.parametrize(
    ("policy", "listed"),
    [
        ("retry", {800}),
        ("limited", {805}),
        ("refresh", {807, 808, 809}),
        ("fatal", {806, 810}),
        ("request", {804, 811, 812, 813, 814}),
    ],
)
def test_each_disconnect_code_has_its_policy(policy, listed):
    assert {reason.code for reason in codes.REASONS.values() if reason.policy == policy} == listed


def test_an_unlisted_disconnect_code_is_retried_and_named():
    reason = codes.reason(4711)
    assert reason.policy == "retry"
    assert "4711" in reason.sentence


def test_a_listed_disconnect_code_is_found():
    assert codes.reason(807) is codes.REASONS[807]


@pytest.mark.parametrize(
    ("code", "policy"),
    [
        ("DH-901", "refresh"),
        ("DH-902", "fatal"),
        ("DH-904", "limited"),
        ("DH-905", "request"),
        ("DH-908", "retry"),
    ],
)
def test_rest_codes_have_their_policy(code, policy):
    assert codes.REST_REASONS[code].policy == policy
