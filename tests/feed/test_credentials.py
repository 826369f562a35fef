from __future__ import annotations

import logging

import pytest

from ltp.errors import ConfigError, FeedError
from ltp.feed.credentials import Credentials


class Kept:
    """Where an operator keeps the credentials."""

    def __init__(self) -> None:
        self.value = ("1000", "first")
        self.readable = True

    def __call__(self) -> tuple[str, str]:
        if not self.readable:
            raise ConfigError("DHANHQ_ACCESS_TOKEN_FILE", "/run/token", "it must name a readable text file")
        return self.value


def test_they_are_read_at_each_use():
    kept = Kept()
    credentials = Credentials(kept)
    assert credentials.current() == ("1000", "first")
    kept.value = ("1000", "second")
    assert credentials.current() == ("1000", "second")


def test_version_changes_when_either_does_and_only_then():
    kept = Kept()
    credentials = Credentials(kept)
    versions = [credentials.version(), credentials.version()]
    kept.value = ("1000", "second")
    versions.append(credentials.version())
    kept.value = ("2000", "second")
    versions += [credentials.version(), credentials.version()]
    assert versions == [1, 1, 2, 3, 3]


def test_a_file_that_is_being_replaced_is_no_change():
    kept = Kept()
    credentials = Credentials(kept)
    before = credentials.version()
    kept.readable = False
    assert credentials.version() == before
    with pytest.raises(ConfigError):
        credentials.current()


def test_a_renewed_token_holds_until_what_is_kept_changes():
    kept = Kept()
    credentials = Credentials(kept)
    before = credentials.version()
    assert credentials.refresh(lambda: "renewed")
    assert credentials.current() == ("1000", "renewed")
    assert credentials.version() != before
    kept.value = ("1000", "by hand")
    assert credentials.current() == ("1000", "by hand")
    kept.value = ("1000", "first")
    assert credentials.current() == ("1000", "first")


@pytest.mark.parametrize("token", ["", "first"])
def test_no_other_token_is_no_refresh(token: str):
    credentials = Credentials(Kept())
    before = credentials.version()
    assert not credentials.refresh(lambda: token)
    assert credentials.version() == before


def test_a_failed_renewal_changes_nothing():
    def fail() -> str:
        raise FeedError("HTTP 500", 500)

    credentials = Credentials(Kept())
    with pytest.raises(FeedError):
        credentials.refresh(fail)
    assert credentials.current() == ("1000", "first")


def test_the_log_says_that_the_kept_token_is_dead_and_quotes_none(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.DEBUG):
        Credentials(Kept()).refresh(lambda: "renewed-canary")
    assert "dead" in caplog.text
    assert "canary" not in caplog.text
