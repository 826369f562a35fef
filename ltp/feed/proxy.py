"""The one proxy rule for every connection that leaves this machine: feed, REST and downloads.

Loopback addresses are never reached through a proxy, because a proxy could not reach them. For all others the
environment decides: HTTPS_PROXY for https and wss, HTTP_PROXY for http and ws, ALL_PROXY for both, and
NO_PROXY, as the requests library reads them.
"""

from __future__ import annotations

import base64
import socket
import time
from ipaddress import IPv6Address, ip_address
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

from requests.utils import get_environ_proxies, select_proxy

from ltp.errors import FeedError

MAX_HEAD: Final = 16_384


class Proxy(NamedTuple):
    """`authorization`: the value of its header, "" for none."""

    host: str
    port: int
    authorization: str = ""


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine's own."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    address = mapped or address
    return address.is_loopback or address.is_unspecified


def proxy_of(url: str) -> Proxy | None:
    """Return the proxy for a WebSocket address, None for none.

    Raises:
        FeedError: the environment names a proxy that cannot be used.
    """
    parts = urlsplit(url)
    if is_loopback(parts.hostname or ""):
        return None
    as_http = parts._replace(scheme={"wss": "https", "ws": "http"}[parts.scheme], path="", query="").geturl()
    named = select_proxy(as_http, get_environ_proxies(as_http, no_proxy=None))
    if not named:
        return None
    try:
        proxy = urlsplit(named if "://" in named else f"http://{named}")
        port = proxy.port or 80
    except ValueError:
        raise FeedError(
            "The proxy that the environment names has an address that cannot be understood"
        ) from None
    if proxy.scheme != "http" or not proxy.hostname:
        raise FeedError(
            "The feed is reached through proxies of http:// alone, "
            f"and the environment names one of {proxy.scheme}://"
        )
    user = f"{unquote(proxy.username or '')}:{unquote(proxy.password or '')}"
    authorization = f"Basic {base64.b64encode(user.encode()).decode()}" if proxy.username else ""
    return Proxy(proxy.hostname, port, authorization)


def ask_for_tunnel(connected: socket.socket, proxy: Proxy, host: str, port: int, deadline: float) -> None:
    """Make a proxy pass all further bytes on to `host`.

    Args:
        deadline: monotonic seconds.
    Raises:
        FeedError: it refuses; its status is in the sentence and not in `code`, which is for the broker's.
        OSError: it does not answer in time, or breaks off.
    """
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
    if proxy.authorization:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    connected.sendall("".join(f"{line}\r\n" for line in (*lines, "")).encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        connected.settimeout(max(0.001, deadline - time.monotonic()))
        # Byte by byte: the bytes behind the head are the broker's.
        byte = connected.recv(1)
        if not byte or len(head) >= MAX_HEAD:
            raise FeedError(f"The proxy {proxy.host} broke off instead of connecting to {host}")
        head += byte
    status = head.split(b" ", 2)[1:2]
    if not status or not status[0].isdigit() or not 200 <= int(status[0]) < 300:
        code = status[0].decode("ascii", "replace")[:3] if status else "nothing readable"
        raise FeedError(f"The proxy {proxy.host} does not connect to {host}: HTTP {code}")
