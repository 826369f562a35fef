"""The client of a request: forwarded addresses count from trusted proxies only, and no header raises."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltp.core.clients.client_address import DEFAULT, TrustedProxies, client_of
from ltp.errors import InputError

LOCAL = TrustedProxies.parse(DEFAULT)
FARM = TrustedProxies.parse("10.0.0.0/8, 2001:db8:aaaa::/48")
NOBODY = TrustedProxies.parse("none")
COUNTING = TrustedProxies.parse(DEFAULT, count_loopback=True)


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "trusted", "client"),
    [
        # Direct requests.
        ("203.0.113.7", "", LOCAL, "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "", LOCAL, "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "", LOCAL, "fe80::1"),
        ("::ffff:203.0.113.7", "", LOCAL, "203.0.113.7"),
        # This machine's own: no quota, unless it is set.
        ("127.0.0.1", "", LOCAL, ""),
        ("127.8.9.1", "", LOCAL, ""),
        ("::1", "", LOCAL, ""),
        ("::ffff:127.0.0.1", "", LOCAL, ""),
        ("", "", LOCAL, ""),
        ("127.0.0.1", "", FARM, ""),
        ("127.0.0.1", "", COUNTING, "127.0.0.1"),
        ("::1", "", COUNTING, "::1"),
        ("", "", COUNTING, "unix"),
        # A header is believed from a trusted proxy alone.
        ("203.0.113.7", "198.51.100.1", LOCAL, "203.0.113.7"),
        ("203.0.113.7", "127.0.0.1", LOCAL, "203.0.113.7"),
        ("127.0.0.1", "198.51.100.1", LOCAL, "198.51.100.1"),
        ("", "198.51.100.1", LOCAL, "198.51.100.1"),
        ("", "198.51.100.1", FARM, "unix"),
        ("127.0.0.1", "198.51.100.1", FARM, "127.0.0.1"),
        ("127.0.0.1", "198.51.100.1", NOBODY, "127.0.0.1"),
        # The right-most untrusted one, so a client's own entry at the left is nothing.
        ("127.0.0.1", "1.1.1.1, 198.51.100.1", LOCAL, "198.51.100.1"),
        ("127.0.0.1", "1.1.1.1,127.0.0.1, 198.51.100.1", LOCAL, "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.2.3.4", FARM, "198.51.100.1"),
        ("2001:db8:aaaa::1", "2001:db8:9:9::9, 2001:db8:aaaa::2", FARM, "2001:db8:9:9::/64"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", FARM, "10.0.0.3"),
        ("127.0.0.1", "127.0.0.1", LOCAL, "127.0.0.1"),
        # Ways in which proxies write an address.
        ("127.0.0.1", "198.51.100.1:4711", LOCAL, "198.51.100.1"),
        ("127.0.0.1", '"[2001:db8:1:2::5]:4711"', LOCAL, "2001:db8:1:2::/64"),
        ("127.0.0.1", "[2001:db8:1:2::5]", LOCAL, "2001:db8:1:2::/64"),
        ("127.0.0.1", "::ffff:198.51.100.1", LOCAL, "198.51.100.1"),
        # An unreadable entry hides those to its left: the proxy that appended it is the client.
        ("127.0.0.1", "1.1.1.1, unknown", LOCAL, "127.0.0.1"),
        ("10.0.0.1", "1.1.1.1, _hidden, 10.0.0.2", FARM, "10.0.0.2"),
        ("127.0.0.1", ",", LOCAL, "127.0.0.1"),
        ("127.0.0.1", "1.1.1.1,,", LOCAL, "127.0.0.1"),
        ("127.0.0.1", "1.1.1.1, 010.0.0.1", LOCAL, "127.0.0.1"),
        ("127.0.0.1", "1.1.1.1" + ", 127.0.0.2" * 40, LOCAL, "127.0.0.2"),
    ],
)
def test_a_client(peer: str, forwarded_for: str, trusted: TrustedProxies, client: str) -> None:
    assert client_of(peer, forwarded_for, trusted) == client


@given(st.text(), st.text())
def test_no_header_value_raises(peer: str, forwarded_for: str) -> None:
    assert isinstance(client_of(peer, forwarded_for, LOCAL), str)


@given(st.text(alphabet="0123456789abcdef.:[]%/, \"\\'\x00\t\u0661"))
def test_no_value_near_an_address_raises_or_is_exempt(forwarded_for: str) -> None:
    client = client_of("127.0.0.1", forwarded_for, LOCAL)
    assert (client == "") == (forwarded_for.strip() == "")


@pytest.mark.parametrize(
    "text", ["nginx", "10.0.0.1/8", "10.0.0.0/33", "127.0.0.1, none", "10.0.0.0-10.0.0.9", "[::1]"]
)
def test_a_bad_proxy_is_named(text: str) -> None:
    with pytest.raises(InputError, match="addresses and networks of proxies with commas between them"):
        TrustedProxies.parse(text)
