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


def test_a_renewed_token_is_used_until_the_stored_credentials_change():
    kept = Kept()
    credentials = Credentials(kept)
    before = credentials.version()
    assert credentials.refresh(lambda _refused: "renewed")
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
    assert not credentials.refresh(lambda _refused: token)
    assert credentials.version() == before


def test_a_failed_renewal_changes_nothing():
    def fail(_refused: tuple[str, str]) -> str:
        raise FeedError("HTTP 500", 500)

    credentials = Credentials(Kept())
    with pytest.raises(FeedError):
        credentials.refresh(fail)
    assert credentials.current() == ("1000", "first")


def test_the_log_names_the_dead_token_file_and_quotes_no_token(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.DEBUG):
        Credentials(Kept()).refresh(lambda _refused: "renewed-canary")
    assert "dead" in caplog.text
    assert "canary" not in caplog.text


def test_only_the_refused_token_is_renewed():
    """The REST side may have read others in the meantime; the broker refused those of the connection."""
    credentials = Credentials(Kept())
    assert credentials.use() == ("1000", "first")
    calls: list[tuple[str, str]] = []

    def renew(refused: tuple[str, str]) -> str:
        calls.append(refused)
        return f"renewed-{len(calls)}"

    assert credentials.refresh(renew)
    assert credentials.use() == ("1000", "renewed-1")
    assert credentials.refresh(renew)
    assert calls == [("1000", "first"), ("1000", "renewed-1")]
    assert credentials.current() == ("1000", "renewed-2")


def test_a_token_replaced_since_the_connection_is_not_renewed():
    kept = Kept()
    credentials = Credentials(kept)
    credentials.use()
    kept.value = ("1000", "fresh")
    assert not credentials.refresh(lambda _refused: pytest.fail("the fresh token would be dead now"))
    assert credentials.current() == ("1000", "fresh")
    assert credentials.version() != credentials.used_version()


def test_a_token_replaced_during_the_renewal_is_used(caplog: pytest.LogCaptureFixture):
    kept, stored = Kept(), []
    credentials = Credentials(kept, lambda before, token: stored.append((before, token)) or "")
    credentials.use()

    def renew(_refused: tuple[str, str]) -> str:
        kept.value = ("1000", "fresh")
        return "renewed-canary"

    assert not credentials.refresh(renew)
    assert (credentials.current(), stored) == (("1000", "fresh"), [])
    assert "another was put in its place" in caplog.text
    assert "canary" not in caplog.text


def test_a_token_that_cannot_be_read_is_not_renewed():
    kept = Kept()
    credentials = Credentials(kept)
    credentials.use()
    kept.readable = False  # it is being replaced, by a fresh one perhaps
    with pytest.raises(ConfigError):
        credentials.refresh(lambda _refused: pytest.fail("nothing is renewed"))


def test_a_renewed_token_is_stored_and_read_from_there(caplog: pytest.LogCaptureFixture):
    kept = Kept()

    def store(before: str, token: str) -> str:
        assert before == kept.value[1]
        kept.value = ("1000", token)
        return ""

    credentials = Credentials(kept, store)
    credentials.use()
    with caplog.at_level(logging.DEBUG):
        assert credentials.refresh(lambda _refused: "renewed-canary")
    assert credentials.use() == kept.value == ("1000", "renewed-canary")
    assert credentials.used_version() == credentials.version() == 2
    assert "stored in place" in caplog.text
    assert "canary" not in caplog.text


def test_a_token_that_cannot_be_stored_is_logged_with_the_reason(caplog: pytest.LogCaptureFixture):
    credentials = Credentials(Kept(), lambda _before, _token: "/run/token may not be written")
    assert credentials.refresh(lambda _refused: "renewed")
    assert credentials.current() == ("1000", "renewed")
    assert "in memory only (/run/token may not be written)" in caplog.text
