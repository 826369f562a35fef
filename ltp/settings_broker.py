"""The settings of the broker, DhanHQ: addresses, credentials, mode; a part of `ltp.settings`, read there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings

from ltp.core.setting_text import is_host
from ltp.setting_types import LOWER_CASE

PREFIX: Final = "DHANHQ_"
CREDENTIALS: Final = ("dhanhq_client_id", "dhanhq_access_token")
_WS_URL: Final = "wss://api-feed.dhan.co"
_REST_URL: Final = "https://api.dhan.co/v2"
_MASTER_URL: Final = "https://images.dhan.co/api-data/api-scrip-master-detailed.csv"

Mode = Literal["ticker", "quote", "full"]


class BrokerSettings(BaseSettings):
    """Names are the environment variables in lower case. `X_FILE` names a file that holds X.

    The properties below have names without the broker's, for code that serves any broker.
    """

    dhanhq_ws_enabled: Annotated[bool, LOWER_CASE] = Field(
        False, description="Connect to the feed; false: the worker idles."
    )
    dhanhq_client_id: SecretStr = Field(SecretStr(""), description="DhanHQ client id.")
    dhanhq_access_token: SecretStr = Field(SecretStr(""), description="DhanHQ access token; lives 24 hours.")
    dhanhq_client_id_file: Path | None = Field(None, description="File that holds the client id.")
    dhanhq_access_token_file: Path | None = Field(
        None,
        description="File that holds the token; read again on each connect, "
        "and a renewed token is written into it.",
    )
    dhanhq_ws_mode: Annotated[Mode, LOWER_CASE] = Field(
        "quote", description="Packets that instruments are subscribed for."
    )
    dhanhq_ws_url: str = Field(
        _WS_URL, description="Feed address; prices are marked simulator unless it is DhanHQ's own."
    )
    dhanhq_rest_url: str = Field(
        _REST_URL, description="REST address; prices are marked simulator unless it is DhanHQ's own."
    )
    instrument_master_url: str = Field(
        "",
        description="Instrument master, fetched daily at 08:00 in India; "
        "empty: DhanHQ's while the feed is, off: never.",
        examples=[_MASTER_URL, "off"],
    )

    @field_validator("dhanhq_ws_url", "dhanhq_rest_url")
    @classmethod
    def _is_url(cls, value: str, field: ValidationInfo) -> str:
        schemes = {"ws", "wss"} if field.field_name == "dhanhq_ws_url" else {"http", "https"}
        # The feed adds the query itself.
        if not _is_address(value, schemes) or {"?", "#"} & set(value):
            raise ValueError
        return value.strip().rstrip("/")

    @field_validator("instrument_master_url")
    @classmethod
    def _is_url_or_off(cls, value: str) -> str:
        if value.strip().lower() in {"", "off"}:
            return value.strip().lower()
        if not _is_address(value, {"http", "https"}):
            raise ValueError
        return value.strip()

    @property
    def feed_enabled(self) -> bool:
        return self.dhanhq_ws_enabled

    @property
    def feed_mode(self) -> Mode:
        return self.dhanhq_ws_mode

    @property
    def feed_url(self) -> str:
        return self.dhanhq_ws_url

    @property
    def rest_url(self) -> str:
        return self.dhanhq_rest_url

    @property
    def access_token_file(self) -> Path | None:
        return self.dhanhq_access_token_file

    @property
    def brokers_master_url(self) -> str:
        """The broker's own instrument master, even while the worker does not fetch it."""
        return _MASTER_URL

    @property
    def master_url(self) -> str:
        """Where the worker fetches the instrument master, "" for nowhere.

        Unless an address is set, only a feed of the broker itself has one: an idle or simulated worker makes
        no requests to the broker.
        """
        if self.instrument_master_url == "off":
            return ""
        official = self.feed_enabled and self.source == "dhanhq"
        return self.instrument_master_url or (_MASTER_URL if official else "")

    @property
    def source(self) -> str:
        """`dhanhq` only when both addresses are DhanHQ's own, else `simulator`."""
        official = self.dhanhq_ws_url == _WS_URL and self.dhanhq_rest_url == _REST_URL
        return "dhanhq" if official else "simulator"

    @property
    def source_in_words(self) -> str:
        return "DhanHQ" if self.source == "dhanhq" else "simulated prices"


def simulator_environment(host: str, port: int) -> dict[str, str]:
    """Return the variables that connect a process to a simulated exchange."""
    return {
        "DHANHQ_WS_ENABLED": "true",
        "DHANHQ_WS_URL": f"ws://{host}:{port}",
        "DHANHQ_REST_URL": f"http://{host}:{port}/v2",
        "DHANHQ_CLIENT_ID": "simulator",
        "DHANHQ_ACCESS_TOKEN": "simulator",
    }


def _is_address(value: str, schemes: set[str]) -> bool:
    try:
        parts = urlsplit(value.strip())
        return parts.scheme in schemes and is_host(parts.hostname or "") and parts.port != 0
    except ValueError:
        return False  # the port is none, or brackets do not match
