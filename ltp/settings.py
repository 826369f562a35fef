"""Every setting of the product: the one frozen class, and the only reader of the environment.

`python -m ltp config` prints the effective ones. A value that is not accepted stops the start with one sentence.
"""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from ltp.core import client_address
from ltp.core.client_address import TrustedProxies
from ltp.errors import ConfigError, InputError

DHANHQ_WS_URL: Final = "wss://api-feed.dhan.co"
DHANHQ_REST_URL: Final = "https://api.dhan.co/v2"
DHANHQ_MASTER_URL: Final = "https://images.dhan.co/api-data/api-scrip-master-detailed.csv"
_SECRETS: Final = ("dhanhq_client_id", "dhanhq_access_token", "redis_url", "database_url")


def _default_max_streams() -> int:
    """Leave 500 descriptors for listening sockets, Redis, SQL and requests."""
    return max(100, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 500)


class Settings(BaseSettings):
    """Names are the environment variables in lower case. `X_FILE` names a file that holds X, for the secrets."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True
    )

    dhanhq_ws_enabled: bool = Field(False, description="Connect to the feed. Anything but true: the worker idles and says so.")
    dhanhq_client_id: SecretStr = Field(SecretStr(""), description="DhanHQ client id.")
    dhanhq_access_token: SecretStr = Field(SecretStr(""), description="DhanHQ access token; lives 24 hours.")
    dhanhq_client_id_file: Path | None = Field(None, description="File that holds the client id.")
    dhanhq_access_token_file: Path | None = Field(None, description="File that holds the token; read again on each connect.")
    dhanhq_ws_mode: Literal["ticker", "quote", "full"] = Field("quote", description="What each instrument is subscribed as.")
    dhanhq_ws_url: str = Field(DHANHQ_WS_URL, description="Feed address; prices are marked simulator unless it is DhanHQ's own.")
    dhanhq_rest_url: str = Field(
        DHANHQ_REST_URL, description="REST address; prices are marked simulator unless it is DhanHQ's own."
    )
    instrument_master_url: str = Field(
        "",
        description="Instrument master, fetched daily at 08:00 in India; empty: DhanHQ's while the feed is, off: never.",
        examples=[DHANHQ_MASTER_URL, "off"],
    )
    redis_url: SecretStr = Field(
        SecretStr("redis://localhost:6379/0"), description="Redis or Valkey that both processes meet in."
    )
    redis_url_file: Path | None = Field(None, description="File that holds the Redis address.")
    database_url: SecretStr = Field(SecretStr(""), description="SQLAlchemy address; empty: SQLite in the state folder.")
    database_url_file: Path | None = Field(None, description="File that holds the database address.")
    state_dir: Path = Field(Path("state"), description="Folder for SQLite and the embedded Valkey.")
    market_calendar: Literal["nse", "always_open"] = Field("nse", description="Trading hours the worker follows.")
    market_calendar_overrides: Path | None = Field(
        None, description="TOML file of late changes to the trading hours, read again every 30 s."
    )
    bind: str = Field("127.0.0.1", description="Address the web server listens on.")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(8000, description="Port the web server listens on.")
    trusted_proxies: str = Field(
        client_address.DEFAULT,
        description="Proxies whose X-Forwarded-For names the client: addresses, networks and unix (any Unix socket), or none.",
    )
    count_loopback: bool = Field(False, description="Quotas also count direct requests of this machine.")
    web_concurrency: Annotated[int, Field(ge=1, le=64)] = Field(2, description="Web worker processes.")
    max_streams: Annotated[int, Field(ge=1)] = Field(
        default_factory=_default_max_streams, description="Open streams per web process; past it 503 and polling."
    )
    stream_min_interval_ms: Annotated[int, Field(ge=0, le=10_000)] = Field(
        200, description="Least milliseconds between two events of a page, on average; the worker goes by it too."
    )
    stream_stall_timeout_s: Annotated[float, Field(ge=0.1, le=600)] = Field(
        15, description="Seconds after which a browser that takes nothing is cut."
    )
    demand_ttl_s: Annotated[float, Field(ge=5, le=3600)] = Field(
        60, description="Seconds an instrument stays wanted after it was last shown."
    )
    poll_interval_ms: Annotated[int, Field(ge=250, le=60_000)] = Field(
        1500, description="Milliseconds between two polls while the stream is down."
    )
    screener_universe: str = Field(
        "",
        description="What the built-in screeners search; empty: the largest NIFTY list there is; off: nothing by itself.",
    )
    capital: Annotated[float, Field(ge=1_000, le=100_000_000_000)] = Field(
        1_000_000, description="Rupees that plans divide among shares."
    )
    risk_per_trade: Annotated[float, Field(ge=1, le=10_000_000_000)] = Field(
        10_000, description="Rupees a swing plan may lose when its stop is hit."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least severe log line that is written.")

    @field_validator("dhanhq_ws_enabled", mode="before")
    @classmethod
    def _only_true_enables(cls, value: Any) -> Any:
        return value.strip().lower() in {"true", "1", "yes", "on"} if isinstance(value, str) else value

    @field_validator("dhanhq_ws_mode", "market_calendar", mode="before")
    @classmethod
    def _lower(cls, value: Any) -> Any:
        return value.strip().lower() if isinstance(value, str) else value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: Any) -> Any:
        return value.strip().upper() if isinstance(value, str) else value

    @field_validator("dhanhq_ws_url", "dhanhq_rest_url")
    @classmethod
    def _is_url(cls, value: str, field: ValidationInfo) -> str:
        parts = urlsplit(value)
        schemes = {"ws", "wss"} if field.field_name == "dhanhq_ws_url" else {"http", "https"}
        # .port raises where it is no port; what the broker wants behind a ? is added by the feed.
        if parts.scheme not in schemes or not parts.hostname or parts.port == 0 or parts.query or parts.fragment:
            raise ValueError(value)
        return value.rstrip("/")

    @field_validator("instrument_master_url")
    @classmethod
    def _is_url_or_off(cls, value: str) -> str:
        parts = urlsplit(value.strip())
        if value.strip().lower() in {"", "off"}:
            return value.strip().lower()
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
            raise ValueError(value)
        return value.strip()

    @field_validator("trusted_proxies")
    @classmethod
    def _names_proxies(cls, value: str) -> str:
        try:
            TrustedProxies.parse(value)
        except InputError as error:
            raise ConfigError("TRUSTED_PROXIES", error.value, error.accepted) from None
        return value

    @property
    def proxies(self) -> TrustedProxies:
        return TrustedProxies.parse(self.trusted_proxies, count_loopback=self.count_loopback)

    @property
    def master_url(self) -> str:
        """Where the worker fetches the instrument master, "" for nowhere: an idle or simulated one asks nobody unbidden."""
        if self.instrument_master_url == "off":
            return ""
        dhanhq = self.dhanhq_ws_enabled and self.source == "dhanhq"
        return self.instrument_master_url or (DHANHQ_MASTER_URL if dhanhq else "")

    @property
    def source(self) -> str:
        """`dhanhq` only when both addresses are DhanHQ's own."""
        official = self.dhanhq_ws_url == DHANHQ_WS_URL and self.dhanhq_rest_url == DHANHQ_REST_URL
        return "dhanhq" if official else "simulator"

    @property
    def database(self) -> str:
        url = self.secret("database_url")
        return url or f"sqlite:///{(self.state_dir / 'ltp.sqlite3').absolute()}"

    def secret(self, name: str) -> str:
        """Return a secret: the value of NAME_FILE's file, read now, else of NAME.

        Raises:
            ConfigError: the file cannot be read.
        """
        path: Path | None = getattr(self, f"{name}_file")
        if path is None:
            value: SecretStr = getattr(self, name)
            return value.get_secret_value().strip()
        try:
            return path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"{name.upper()}_FILE", str(path), f"it must name a readable text file ({type(error).__name__})"
            ) from None


def load(**overrides: Any) -> Settings:
    """Read the environment and `.env`.

    Raises:
        ConfigError: names the variable, its value (masked for a secret) and what is accepted.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        value = "***" if name in _SECRETS else masked_url(str(first["input"]))
        raise ConfigError(name.upper(), value[:80], _accepted(Settings.model_fields[name])) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(".env", ".env", f"the file must be readable UTF-8 text ({type(error).__name__})") from None


def _accepted(field: FieldInfo) -> str:
    """Return in plain words what a field takes, from its own declaration, so that the sentence cannot fall behind it."""
    if get_origin(field.annotation) is Literal:
        *others, last = get_args(field.annotation)
        return f"{', '.join(others)} or {last}"
    if field.annotation is bool:
        return "true or false"
    if field.annotation not in {int, float}:
        return "an address such as " + (" or ".join(field.examples) if field.examples else str(field.default))
    bounds = {name: getattr(rule, name) for rule in field.metadata for name in ("ge", "le") if hasattr(rule, name)}
    kind = "a whole number" if field.annotation is int else "a number"
    return f"{kind} from {bounds['ge']}" + (f" to {bounds['le']}" if "le" in bounds else "")


def describe(settings: Settings) -> list[tuple[str, str, str]]:
    """Return (variable, effective value, meaning) for every setting, secrets masked.

    Raises:
        ConfigError: a secret's file cannot be read.
    """
    return [(name.upper(), _shown(settings, name), field.description or "") for name, field in Settings.model_fields.items()]


def _shown(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    if name == "database_url":
        return masked_url(settings.database)
    if name == "redis_url":
        return masked_url(settings.secret(name))
    if isinstance(value, SecretStr):
        return "***" if settings.secret(name) else ""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else masked_url(str(value))


def masked_url(url: str) -> str:
    """Return an address without its user, password and query, any of which may hold a secret; other text as it is."""
    scheme, separator, rest = url.partition("://")
    place, question, _ = rest.partition("?")
    # Up to the last @: an unencoded / or @ in a password must not let the rest of it through.
    masked = f"***@{place.rpartition('@')[2]}" if "@" in place else place
    return f"{scheme}{separator}{masked}{question and '?***'}" if separator else url
