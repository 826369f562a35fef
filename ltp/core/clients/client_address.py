"""The client of a request, as quotas count clients: the peer, or the address from a trusted proxy's header.

Any client can send X-Forwarded-For, so an entry counts only if a trusted proxy appended it. Proxies append at
the right, so the list is read from the right, and the first address that is no trusted proxy is the client.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from ltp.errors import InputError

DEFAULT: Final = "127.0.0.0/8, ::1, unix"
UNIX: Final = "unix"  # every peer on a Unix socket, because it has no address
NO_PROXY: Final = "none"
EXEMPT: Final = ""  # the client of a request without a quota
_MAX_HOPS: Final = 16  # no real chain has more proxies, and each entry has to be parsed
_CACHED: Final = 512  # clients; a header field has at most 8 kB, so hostile ones fill 4 MB
_PREFIX: Final = 64  # one customer has a whole /64, and could use a new address for each request
_ACCEPTED: Final = (
    f"addresses and networks of proxies with commas between them, such as {DEFAULT}, or {NO_PROXY}"
)

_Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network


@dataclass(frozen=True, eq=False)
class TrustedProxies:
    """The peers that may send X-Forwarded-For. `count_loopback`: direct local requests have a quota too."""

    networks: tuple[_Network, ...]
    unix: bool
    count_loopback: bool = False

    @classmethod
    def parse(cls, text: str, *, count_loopback: bool = False) -> TrustedProxies:
        """Parse the setting: addresses, networks and the word `unix` with commas between them, or `none`.

        Raises:
            InputError: names the part that is none of these.
        """
        parts = [part.strip().lower() for part in text.split(",") if part.strip()]
        if parts == [NO_PROXY]:
            return cls((), unix=False, count_loopback=count_loopback)
        networks = tuple(_network(part) for part in parts if part != UNIX)
        return cls(networks, unix=UNIX in parts, count_loopback=count_loopback)

    @property
    def allowed(self) -> str:
        """Return the networks with commas between them, as gunicorn takes them."""
        return ",".join(str(network) for network in self.networks)

    def trusts_peer(self, peer: str) -> bool:
        """Return whether the peer of a connection is trusted. Text that is no address means a Unix socket."""
        return self.trusts(_address(peer))

    def trusts(self, address: _Address | None) -> bool:
        """Return whether a peer is trusted. `None`: it is connected by a Unix socket."""
        if address is None:
            return self.unix
        return any(address in network for network in self.networks)


@lru_cache(maxsize=_CACHED)
def client_of(peer: str, forwarded_for: str, trusted: TrustedProxies) -> str:
    """Return the client: an IPv4 address, the /64 of an IPv6 address, `unix`, or "" for one without a quota.

    Direct requests of this machine have no quota: over loopback or a Unix socket, without X-Forwarded-For.
    Never raises.

    Args:
        peer: the address of the connection; text that is no address means a Unix socket.
        forwarded_for: the values of X-Forwarded-For, joined by commas in their order; "" if there are none.
    """
    client = _address(peer)
    local = client is None or client.is_loopback
    if local and not forwarded_for.strip() and not trusted.count_loopback:
        return EXEMPT
    if trusted.trusts(client):
        client = _forwarded(client, forwarded_for, trusted)
    return _counted_as(client)


def _forwarded(proxy: _Address | None, forwarded_for: str, trusted: TrustedProxies) -> _Address | None:
    """Return the right-most address that is no trusted proxy, else the last one that can be parsed."""
    nearest = proxy
    for entry in reversed(forwarded_for.rsplit(",", _MAX_HOPS)[-_MAX_HOPS:]):
        address = _address(entry)
        if address is None:
            return nearest  # entries to the left cannot be trusted: count the proxy that appended this one
        if not trusted.trusts(address):
            return address
        nearest = address
    return nearest


def _address(text: str) -> _Address | None:
    """Parse an address with or without port, brackets, quotes and zone; None for other text."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _counted_as(address: _Address | None) -> str:
    if address is None:
        return UNIX
    # All link-local neighbours share one /64.
    if isinstance(address, IPv4Address) or address.is_loopback or address.is_link_local:
        return str(address)
    return str(IPv6Network((address, _PREFIX), strict=False))


def _network(text: str) -> _Network:
    try:
        return ip_network(text)
    except ValueError:
        raise InputError("trusted proxies", text, _ACCEPTED) from None
