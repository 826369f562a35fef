"""Targets of channels: which are accepted, and how little of one is shown."""

from __future__ import annotations

import pytest

from ltp.core.alerts.channel import MAIL, SERVICE, WEBHOOK, Secret, checked_target, masked, service_title
from ltp.errors import InputError


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (WEBHOOK, "https://hooks.example.com/a/b?c=d"),
        (WEBHOOK, "https://hooks.example.com:8443/"),
        (WEBHOOK, "https://[2606:4700::1111]/x"),
        (MAIL, "first.last+alerts@mail.example.com"),
        (SERVICE, "tgram://123456789:abcdefg_hijklmnop/12315544/"),
        (SERVICE, "tgram://123456789:abcdefg_hijklmnop/12315544?topic=3"),
        (SERVICE, "ntfy://mytopic"),
        (SERVICE, "ntfys://ntfy.example.com/mytopic?priority=high"),
        (SERVICE, "matrixs://user:token@example.com/#room"),
        (SERVICE, "pover://user@token"),
        (SERVICE, "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general"),
    ],
)
def test_accepted(kind: str, target: str) -> None:
    assert checked_target(kind, f" {target} ", internal=False) == target


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (WEBHOOK, "http://hooks.example.com/"),
        (WEBHOOK, "http://127.0.0.1:6379/"),
        (WEBHOOK, "https://localhost./x"),
        (WEBHOOK, "https://10.0.0.1/x"),
        (WEBHOOK, "https://[::1]/x"),
        (WEBHOOK, "https://[::ffff:169.254.169.254]/x"),
        (SERVICE, "matrix://user:token@example.com/#room"),
        (SERVICE, "ntfy://ntfy.example.com/mytopic"),
        (SERVICE, "gotifys://192.168.1.2/token"),
        (SERVICE, "ntfys://user:pw@127.0.0.1/topic"),
    ],
)
def test_accepted_where_internal_addresses_are(kind: str, target: str) -> None:
    with pytest.raises(InputError, match="ALERTS_ALLOW_INTERNAL"):
        checked_target(kind, target, internal=False)
    assert checked_target(kind, target, internal=True) == target


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (WEBHOOK, ""),
        (WEBHOOK, "ftp://example.com/"),
        (WEBHOOK, "gopher://example.com/"),
        (WEBHOOK, "file:///etc/passwd"),
        (WEBHOOK, "https://2130706433/"),
        (WEBHOOK, "https://127.1/"),
        (WEBHOOK, "https://user:pw@example.com/"),
        (WEBHOOK, "https://example.com/#x"),
        (WEBHOOK, "https://example.com:0/"),
        (WEBHOOK, "https://example.com:x/"),
        (WEBHOOK, "https://[::1/"),
        (WEBHOOK, "https:///x"),
        (WEBHOOK, "https://example.com/a b"),
        (WEBHOOK, "https://example.com/\r\nHost: x"),
        (WEBHOOK, "https://exämple.com/"),
        (WEBHOOK, "https://example.com/" + "x" * 500),
        (MAIL, "me"),
        (MAIL, "me@localhost"),
        (MAIL, "me@10.0.0.1"),
        (MAIL, "a@example.com,b@example.com"),
        (MAIL, "a@example.com\nBcc: b@example.com"),
        (MAIL, '"a b"@example.com'),
        (MAIL, "<a@example.com>"),
        (MAIL, "a@b@example.com"),
        (SERVICE, "tgram"),
        (SERVICE, "tgram://"),
        (SERVICE, "json://example.com/"),
        (SERVICE, "xml://example.com/"),
        (SERVICE, "form://example.com/"),
        (SERVICE, "syslog://"),
        (SERVICE, "dbus://"),
        (SERVICE, "file:///tmp/x"),
        (SERVICE, "mailto://user:pw@example.com"),
        (SERVICE, "ntfys://example.com/x?attach=file:///etc/passwd"),
        (SERVICE, "ntfys://example.com/x?verify=no"),
        (SERVICE, "ntfys://example.com/x?redirect=yes&priority=1"),
        (SERVICE, "tgram://123:abc/1?Retry=5"),
        (SERVICE, "tgram://123:abc/1?attach"),
        (SERVICE, "slack://a/b/c/#room?verify=no"),
    ],
)
def test_refused_everywhere_without_being_quoted(kind: str, target: str) -> None:
    for internal in (False, True):
        with pytest.raises(InputError, match=r"^target: '\*\*\*' is not accepted; "):
            checked_target(kind, target, internal=internal)


@pytest.mark.parametrize(
    ("kind", "target", "shown"),
    [
        (WEBHOOK, "https://hooks.example.com/services/T0/abcdefab12", "https://hooks.example.com/…ab12"),
        (WEBHOOK, "https://hooks.example.com/short", "https://hooks.example.com/…"),
        (WEBHOOK, "https://hooks.example.com", "https://hooks.example.com/"),
        (WEBHOOK, "https://hooks.example.com?token=abc", "https://hooks.example.com/…"),
        (MAIL, "trader@example.com", "t…@example.com"),
        (SERVICE, "tgram://123456789:abcdefg_hijklmnop/12315544", "tgram://…5544"),
        (SERVICE, "ntfy://mytopic", "ntfy://…"),
    ],
)
def test_shown(kind: str, target: str, shown: str) -> None:
    assert masked(kind, Secret(target)) == shown


def test_a_service_has_a_title() -> None:
    assert service_title(Secret("tgram://1:2/3")) == "Telegram"
    assert service_title(Secret("matrix://a/b")) == "Matrix"
