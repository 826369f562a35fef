"""Which network addresses are internal, so that no message may be sent to them unasked."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

# Addresses of these networks hold an IPv4 address in their last 32 bits, to which a gateway forwards.
_EMBEDDING: Final = (IPv6Network("::/96"), IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_ASSIGNMENTS: Final = IPv4Network("192.0.0.0/24")  # of protocols; Python counts a part of it as global
_SITE_LOCAL: Final = IPv6Network("fec0::/10")  # deprecated, and routed inside of a site


def is_internal(address: str) -> bool:
    """Return whether an IP address belongs to this machine or network, or to no single machine.

    Loopback, private, link-local (cloud metadata), shared (CGNAT), multicast, reserved and documentation; also
    where an IPv6 address embeds one of these. A text that is no address counts as internal.
    """
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return True
    return any(_is_special(each) for each in _all_of(parsed))


def is_internal_name(host: str) -> bool:
    """Return whether a host name or literal address is internal without asking a resolver."""
    bare = host.lower().removesuffix(".").removeprefix("[").removesuffix("]")
    if bare == "localhost" or bare.endswith(".localhost"):
        return True
    try:
        ip_address(bare.partition("%")[0])
    except ValueError:
        return False
    return is_internal(bare)


def _is_special(address: IPv4Address | IPv6Address) -> bool:
    assigned = address in _ASSIGNMENTS if isinstance(address, IPv4Address) else False
    return not address.is_global or address.is_multicast or address.is_reserved or assigned


def _all_of(address: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """Return the addresses by which a packet to `address` may travel on."""
    if isinstance(address, IPv4Address):
        return [address]
    if address in _SITE_LOCAL:
        return [IPv6Address("::1")]
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    if address.sixtofour:
        return [address, address.sixtofour]
    if address.teredo:
        return [address, *address.teredo]
    if any(address in network for network in _EMBEDDING):
        return [IPv4Address(int(address) & 0xFFFF_FFFF)]
    return [address]
