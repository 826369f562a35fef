"""Internal addresses, in each of their spellings."""

from __future__ import annotations

import pytest

from ltp.core.alerts.peers import is_internal, is_internal_name


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.0.1"),
        *("169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.0.8", "192.0.2.1", "198.18.0.1"),
        *("224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::7f00:1"),
        *("2002:7f00:1::", "2002:a00:1::1", "2001:0:7f00:1::1", "localhost", "0x7f.1", ""),
    ],
)
def test_internal(address: str) -> None:
    assert is_internal(address)


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "172.32.0.1",
        "100.128.0.1",
        "169.253.1.1",
        "2606:4700:4700::1111",
        "::ffff:1.1.1.1",
        "64:ff9b::101:101",
    ],
)
def test_public(address: str) -> None:
    assert not is_internal(address)


@pytest.mark.parametrize(
    ("host", "internal"),
    [
        ("localhost", True),
        ("a.LOCALHOST.", True),
        ("[::1]", True),
        ("127.0.0.1", True),
        ("1.1.1.1", False),
        ("example.com", False),
        ("localhost.example.com", False),
    ],
)
def test_names_are_judged_without_a_resolver(host: str, internal: bool) -> None:
    assert is_internal_name(host) is internal
