"""The host names of the site in all spellings, and its own origins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltp.core.clients.trusted_hosts import TrustedHosts, is_loopback, same_origin
from ltp.errors import InputError

HOSTS = TrustedHosts.parse("Prices.example.com., 192.168.1.10, 2001:DB8::1")


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "localhost:8000",
        "localhost.:8000",
        "localhost:",
        "127.0.0.1",
        "127.0.0.1:8000",
        "127.9.9.9",
        "[::1]",
        "[::1]:8000",
        "[0:0:0:0:0:0:0:1]:8000",
        "[::ffff:127.0.0.1]",
        "prices.example.com",
        "PRICES.example.com.:443",
        "192.168.1.10:8080",
        "[2001:db8:0::1]:8080",
    ],
)
def test_a_host_that_is_ours(host: str) -> None:
    assert HOSTS.allows(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        ".",
        ":8000",
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "evil.localhost",
        "127.0.0.1.evil.example",
        "evilprices.example.com",
        "www.prices.example.com",
        "example.com",
        "0.0.0.0",
        "10.0.0.1",
        "127.1",
        "0x7f.0.0.1",
        "2130706433",
        "127.0.0.1,evil.example",
        "127.0.0.1 evil.example",
        "localhost..",
        "localhost@evil.example",
        "evil.example@localhost",
        "user:1@localhost",
        "localhost:80:80",
        "localhost:http",
        "localhost:99999",
        "localhost:0",
        "localhost:٨٠",
        "::1",
        "[::1",
        "[::1]x",
        "[localhost]",
        "[127.0.0.1]",
        "[::]",
        "[fe80::1]",
        "localhost/",
        "localhost#",
        "http://localhost",
        "localhost\x00",
        "ｌocalhost",
    ],
)
def test_a_host_that_is_not(host: str) -> None:
    assert not HOSTS.allows(host)


@pytest.mark.parametrize(
    ("target", "allowed"),
    [
        ("/", True),
        ("//evil.example/x", True),
        ("/?u=http://evil.example/", True),
        ("*", True),
        ("http://localhost:8000/x", True),
        ("HTTP://LOCALHOST.:8000", True),
        ("https://localhost:8000?x", True),
        ("http://evil.example/", False),
        ("http://localhost/", False),
        ("http://127.0.0.1:8000/", False),
        ("http://localhost:8000@evil.example/", False),
        ("http://localhost:8000\\@evil.example/", False),
        ("http:///x", False),
        ("ftp://localhost:8000/", False),
        ("localhost:8000", False),
        ("", False),
    ],
)
def test_a_whole_address_names_the_same_host(target: str, allowed: bool) -> None:
    assert HOSTS.allows("localhost:8000", target) is allowed


@pytest.mark.parametrize(
    ("host", "target", "allowed"),
    [
        ("localhost:80", "http://localhost/", True),
        ("localhost", "http://localhost:80/", True),
        ("localhost:443", "https://localhost/", True),
        ("localhost:443", "http://localhost/", False),
    ],
)
def test_a_whole_address_may_leave_out_the_port_of_its_scheme(host: str, target: str, allowed: bool) -> None:
    assert HOSTS.allows(host, target) is allowed


@given(st.text(), st.text())
def test_nothing_a_client_sends_raises(host: str, target: str) -> None:
    assert HOSTS.allows(host, target) in {True, False}
    assert same_origin(host, "http", target) in {True, False}


@pytest.mark.parametrize(
    "text", ["prices.example.com:443", "https://prices.example.com", "*", ".example.com", "a b", "[::1]:80"]
)
def test_a_bad_host_is_named(text: str) -> None:
    with pytest.raises(InputError, match="host names and addresses with commas between them, without port"):
        TrustedHosts.parse(text)


@pytest.mark.parametrize(
    ("origin", "scheme", "host", "same"),
    [
        ("http://localhost", "http", "localhost", True),
        ("http://localhost", "http", "localhost:80", True),
        ("https://prices.example.com", "https", "prices.example.com:443", True),
        ("https://prices.example.com:8443", "https", "Prices.example.com.:8443", True),
        ("http://[::1]:8000", "http", "[0::1]:8000", True),
        ("https://localhost", "http", "localhost", False),
        ("http://localhost", "https", "localhost", False),
        ("http://localhost:81", "http", "localhost", False),
        ("http://localhost:443", "https", "localhost", False),
        ("http://localhost.evil.example", "http", "localhost", False),
        ("http://localhost/", "http", "localhost", False),
        ("http://localhost, http://localhost", "http", "localhost", False),
        ("localhost", "http", "localhost", False),
        ("null", "http", "null", False),
        ("", "http", "", False),
        ("http://", "http", "", False),
    ],
)
def test_an_origin(origin: str, scheme: str, host: str, same: bool) -> None:
    assert same_origin(origin, scheme, host) is same


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.5.5.5", True),
        ("::1", True),
        ("localhost", True),
        ("LocalHost.", True),
        ("ltp.localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("", False),
        ("192.168.1.10", False),
        ("localhost.example", False),
    ],
)
def test_the_names_and_addresses_of_this_machine(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
