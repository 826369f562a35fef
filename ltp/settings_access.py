"""The settings of the web server's addresses and of access to it; a part of `ltp.settings`, read there."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings

from ltp.core.clients import client_address
from ltp.core.clients.client_address import TrustedProxies
from ltp.core.clients.trusted_hosts import TrustedHosts, is_loopback
from ltp.core.setting_text import is_host
from ltp.errors import ConfigError, InputError
from ltp.setting_types import LOWER_CASE


class AccessSettings(BaseSettings):
    """Names are the environment variables in lower case."""

    bind: str = Field("127.0.0.1", description="Address the web server listens on, or unix:PATH.")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(8000, description="Port the web server listens on.")
    trusted_hosts: str = Field(
        "",
        description="Names the site is served under besides localhost, without port; "
        "a request for another is answered 400.",
    )
    auth: Annotated[Literal["", "none"], LOWER_CASE] = Field(
        "",
        description="none: every client that reaches the web server may do everything. "
        "Needed to serve other machines.",
    )
    trusted_proxies: str = Field(
        client_address.DEFAULT,
        description="Proxies whose X-Forwarded-For names the client: "
        "addresses, networks and unix (any Unix socket), or none.",
    )
    max_requests_per_client: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        200, description="Unfinished requests of one client per web process; past it 429."
    )
    health_bind: str = Field(
        "",
        description="Address where only health is answered, HOST:PORT or unix:PATH; "
        "empty: the web server's own.",
        examples=["127.0.0.1:8001", "unix:/run/ltp/health.sock"],
    )
    count_loopback: bool = Field(False, description="Quotas also count direct requests of this machine.")

    @field_validator("trusted_hosts")
    @classmethod
    def _names_hosts(cls, value: str) -> str:
        try:
            TrustedHosts.parse(value)
        except InputError as error:
            raise ConfigError("TRUSTED_HOSTS", error.value, error.accepted) from None
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _names_proxies(cls, value: str) -> str:
        try:
            TrustedProxies.parse(value)
        except InputError as error:
            raise ConfigError("TRUSTED_PROXIES", error.value, error.accepted) from None
        return value

    @field_validator("bind")
    @classmethod
    def _is_host(cls, value: str) -> str:
        value = value.strip()
        if not is_host(value) and not value.startswith("unix:/"):
            raise ValueError(
                "an address of this machine such as 127.0.0.1, :: or localhost, or unix:/PATH; "
                "the port is PORT's"
            )
        return value

    @field_validator("health_bind")
    @classmethod
    def _is_address(cls, value: str) -> str:
        try:
            listening_socket(value)
        except ValueError:
            raise ValueError from None
        return value

    @model_validator(mode="after")
    def _health_apart(self) -> Self:
        """At the site's own address, all requests but health checks would be refused."""
        if self.health_bind and self.health_socket == _site_socket(self):
            raise ConfigError(
                "HEALTH_BIND",
                self.health_bind,
                "an address other than that of BIND and PORT, where the site is",
            )
        return self

    @property
    def health_socket(self) -> tuple[str, int] | str | None:
        return listening_socket(self.health_bind)

    @property
    def bind_path(self) -> str:
        """Path of the Unix socket that the web server listens on, "" for host and port."""
        return _socket_path(self.bind)

    @property
    def web_address(self) -> str:
        """The web server's address as gunicorn accepts it."""
        if self.bind_path:
            return self.bind
        return f"[{self.bind}]:{self.port}" if ":" in self.bind else f"{self.bind}:{self.port}"

    @property
    def hosts(self) -> TrustedHosts:
        return TrustedHosts.parse(self.trusted_hosts).and_address(self.bind)

    def refuse_open_door(self, bind: str | None = None) -> None:
        """Refuse to serve other machines than this one unless AUTH=none allows it: there is no log-in.

        Args:
            bind: the address that is really listened on, where the command line overrides the setting.
        Raises:
            ConfigError: AUTH=none is not written out.
        """
        bind = self.bind if bind is None else bind
        named = sorted(name for name in self.hosts.names if not is_loopback(name) and name != self.bind)
        if self.auth == "none" or (not named and (_socket_path(bind) or is_loopback(bind))):
            return
        reason = f"TRUSTED_HOSTS={named[0]}" if named else f"BIND={bind}"
        accepted = f"{reason} lets others than this machine in, and there is no log-in; AUTH=none allows that"
        raise ConfigError("AUTH", self.auth, accepted)

    @property
    def proxies(self) -> TrustedProxies:
        return TrustedProxies.parse(self.trusted_proxies, count_loopback=self.count_loopback)


def _site_socket(settings: AccessSettings) -> tuple[str, int] | str | None:
    try:
        return listening_socket(settings.web_address.replace("localhost:", "127.0.0.1:"))
    except ValueError:
        return None  # a name that only the resolver can turn into an address


def listening_socket(address: str) -> tuple[str, int] | str | None:
    """Return the kernel's name of a socket that listens at HOST:PORT or unix:PATH; None for "".

    Raises:
        ValueError: the address has another form, the host is a name, or the path is relative.
    """
    if not address:
        return None
    if address.startswith("unix:"):
        path = _socket_path(address)
        if not path.startswith("/"):
            raise ValueError(address)
        return path
    host, separator, port = address.rpartition(":")
    if not separator or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ValueError(address)
    return str(ip_address(host.removeprefix("[").removesuffix("]"))), int(port)


def _socket_path(address: str) -> str:
    """Return PATH of unix:PATH or unix://PATH, "" for any other address."""
    return address.removeprefix("unix:").removeprefix("//") if address.startswith("unix:") else ""
