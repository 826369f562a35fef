from ltp.core.failure_limit import FailureLimit


def test_the_limit_is_reached_after_thirty_seconds_of_failures() -> None:
    limit = FailureLimit(30)
    assert [limit.failed(now) for now in (100, 115, 129.9, 130)] == [False, False, False, True]


def test_a_success_starts_the_time_again() -> None:
    limit = FailureLimit(30)
    assert not limit.failed(100)
    limit.succeeded()
    assert [limit.failed(now) for now in (131, 160, 161)] == [False, False, True]
