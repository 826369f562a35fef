from ltp.core.patience import Patience


def test_it_is_lost_after_failures_alone_for_so_long() -> None:
    patience = Patience(30)
    assert [patience.lost(now) for now in (100, 115, 129.9, 130)] == [False, False, False, True]


def test_a_success_begins_it_anew() -> None:
    patience = Patience(30)
    assert not patience.lost(100)
    patience.succeeded()
    assert [patience.lost(now) for now in (131, 160, 161)] == [False, False, True]
