"""Which client a request comes from, as quotas count clients: the peer, or the address that a trusted proxy
names for it.

Anyone can write X-Forwarded-For, so an entry counts only when a trusted proxy appended it. Proxies append at
the right, so the list is read from the right, and the first address that is not itself a trusted proxy is the
client.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from ltp.errors import InputError

DEFAULT: Final = "127.0.0.0/8, ::1, unix"
UNIX: Final = "unix"  # every peer on a Unix socket: the kernel names no address for it
NOBODY: Final = "none"
EXEMPT: Final = ""  # the client of a request that no quota counts
_MAX_HOPS: Final = 16  # more proxies stand in no real chain, and each entry costs a parse
_KEPT: Final = 512  # clients; a header field has at most 8 kB, so a hostile one keeps 4 MB
_PREFIX: Final = 64  # one customer has a whole /64, and could use a new address for each request
_ACCEPTED: Final = (
    f"addresses and networks of proxies with commas between them, such as {DEFAULT}, or {NOBODY}"
)

_Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network


@dataclass(frozen=True, eq=False)
class TrustedProxies:
    """The peers whose X-Forwarded-For is believed. `count_loopback`: direct requests of this machine have a
    quota too.
    """

    networks: tuple[_Network, ...]
    unix: bool
    count_loopback: bool = False

    @classmethod
    def parse(cls, text: str, *, count_loopback: bool = False) -> TrustedProxies:
        """Read the setting: addresses, networks and the word `unix` with commas between them, or `none`.

        Raises:
            InputError: names the part that is none of these.
        """
        parts = [part.strip().lower() for part in text.split(",") if part.strip()]
        if parts == [NOBODY]:
            return cls((), unix=False, count_loopback=count_loopback)
        networks = tuple(_network(part) for part in parts if part != UNIX)
        return cls(networks, unix=UNIX in parts, count_loopback=count_loopback)

    @property
    def allowed(self) -> str:
        """Return the networks with commas between them, as gunicorn takes them."""
        return ",".join(str(network) for network in self.networks)

    def names(self, peer: str) -> bool:
        """Tell whether the peer of a connection is a trusted proxy; anything that is no address is a Unix
        socket.
        """
        return self.holds(_address(peer))

    def holds(self, address: _Address | None) -> bool:
        """Tell whether a peer is a trusted proxy. `None`: it is connected by a Unix socket."""
        if address is None:
            return self.unix
        return any(address in network for network in self.networks)


@lru_cache(maxsize=_KEPT)
def client_of(peer: str, forwarded_for: str, trusted: TrustedProxies) -> str:
    """Return the client as one text: an IPv4 address, the /64 network of an IPv6 one, `unix`, or "" for one
    without a quota.

    Without a quota is a direct request of this machine: over loopback or a Unix socket, and not forwarded for
    anyone. Never raises, whatever the header holds.

    Args:
        peer: the address that the connection comes from; anything that is no address is a Unix socket.
        forwarded_for: the values of X-Forwarded-For, joined by commas in their order; "" where there is none.
    """
    client = _address(peer)
    local = client is None or client.is_loopback
    if local and not forwarded_for.strip() and not trusted.count_loopback:
        return EXEMPT
    if trusted.holds(client):
        client = _forwarded(client, forwarded_for, trusted)
    return _counted(client)


def _forwarded(proxy: _Address | None, forwarded_for: str, trusted: TrustedProxies) -> _Address | None:
    """Return the right-most address that is no trusted proxy, else the last one that can be read."""
    nearest = proxy
    for entry in reversed(forwarded_for.rsplit(",", _MAX_HOPS)[-_MAX_HOPS:]):
        address = _address(entry)
        if address is None:
            return nearest  # whoever wrote this hides the rest, so the proxy that passed it on answers for it
        if not trusted.holds(address):
            return address
        nearest = address
    return nearest


def _address(text: str) -> _Address | None:
    """Read an address with or without a port, brackets, quotes and a zone; None for anything else."""
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


def _counted(address: _Address | None) -> str:
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
