from ltp.core.failure_limit import FailureLimit


def test_it_is_lost_after_failures_alone_for_so_long() -> None:
    limit = FailureLimit(30)
    assert [limit.failed(now) for now in (100, 115, 129.9, 130)] == [False, False, False, True]


def test_a_success_begins_it_anew() -> None:
    limit = FailureLimit(30)
    assert not limit.failed(100)
    limit.succeeded()
    assert [limit.failed(now) for now in (131, 160, 161)] == [False, False, True]
