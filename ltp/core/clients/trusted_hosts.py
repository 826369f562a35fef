"""The host names of this site, as protection against DNS rebinding.

If the address of evil.example changes to 127.0.0.1, a page of evil.example can send requests here that the
browser takes for requests to the same origin. Only their Host header shows the foreign name.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final, NamedTuple

from ltp.errors import InputError

_PORTS: Final = {"http": 80, "https": 443}
_CACHED: Final = 256  # hosts; a header field has at most 8 kB, so hostile ones fill 2 MB
_ACCEPTED: Final = (
    "host names and addresses with commas between them, without port, "
    "such as prices.example.com, 192.168.1.10"
)


class Authority(NamedTuple):
    """`host`: in lower case, without a trailing dot; addresses in their shortest form. `port`: if given."""

    host: str
    port: int | None


@lru_cache(maxsize=_CACHED)
def authority(text: str) -> Authority | None:
    """Parse `host`, `host:port` or `[IPv6]:port`; None for other text and for ""."""
    text = text.lower()
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        colon, port = rest[:1], rest[1:]
        if not bracket or colon not in {"", ":"} or ":" not in host:
            return None
    else:
        host, colon, port = text.partition(":")
    if port and not (port.isascii() and port.isdecimal() and len(port) <= 5 and 0 < int(port) < 65_536):
        return None
    host = _short(host)
    return Authority(host, int(port) if port else None) if host else None


def same_origin(origin: str, scheme: str, host: str) -> bool:
    """Return whether an Origin header names the site of a request, given its scheme and Host header."""
    named, separator, rest = origin.partition("://")
    theirs, ours = authority(rest), authority(host)
    if not separator or named.lower() != scheme or theirs is None or ours is None:
        return False
    default = _PORTS.get(scheme)
    return theirs.host == ours.host and (theirs.port or default) == (ours.port or default)


def is_loopback(host: str) -> bool:
    """Return whether a host name or address always means the local machine."""
    host = _short(host.lower())
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


@dataclass(frozen=True)
class TrustedHosts:
    """`names`: the accepted hosts besides the loopback ones."""

    names: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, text: str) -> TrustedHosts:
        """Parse the setting: names and addresses with commas between them.

        Raises:
            InputError: names the part that is neither.
        """
        parts = [part.strip() for part in text.split(",") if part.strip()]
        return cls(frozenset(_name(part) for part in parts))

    def and_address(self, address: str) -> TrustedHosts:
        """Return these hosts and the server's listening address, unless it is a wildcard or a name."""
        try:
            listens = ip_address(address)
        except ValueError:
            return self
        return self if listens.is_unspecified else TrustedHosts(self.names | {_short(str(listens))})

    def allows(self, host: str, target: str = "/") -> bool:
        """Return whether a request is for this site.

        Args:
            host: the Host header, "" if there is none.
            target: the target of the request line; if it is a whole address, it must have the same host.
        """
        named = authority(host)
        if named is None or not (
            named.host in self.names or named.host == "localhost" or _is_loopback_address(named.host)
        ):
            return False
        scheme = target.partition("://")[0].lower()
        return target[:1] in {"/", "*"} or same_origin(f"{scheme}://{_of_address(target)}", scheme, host)


@lru_cache(maxsize=_CACHED)
def _is_loopback_address(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _short(host: str) -> str:
    """Return the canonical text of a host, "" for other text."""
    if ":" not in host:
        host = host.removesuffix(".")
        return host if host and all(part and _is_label(part) for part in host.split(".")) else ""
    try:
        address = IPv6Address(host)
    except ValueError:
        return ""
    return str(address.ipv4_mapped or address)


def _is_label(text: str) -> bool:
    return len(text) <= 63 and text.isascii() and all(letter.isalnum() or letter in "-_" for letter in text)


def _of_address(target: str) -> str:
    scheme, separator, rest = target.partition("://")
    if not separator or scheme.lower() not in _PORTS:
        return ""
    for end in "/?#":
        rest = rest.partition(end)[0]
    return rest


def _name(part: str) -> str:
    bare = f"[{part}]" if part.count(":") > 1 and not part.startswith("[") else part
    named = authority(bare)
    if named is None or named.port is not None:
        raise InputError("trusted hosts", part, _ACCEPTED)
    return named.host
