"""Every setting of the product: the one frozen class, and the only reader of the environment.

`python -m ltp config` prints the effective ones. A value that is not accepted stops the start with one
sentence.
"""

from __future__ import annotations

import os
import re
import resource
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import SettingsConfigDict

from ltp import env_file
from ltp.core.setting_text import closest_name, is_host, is_quoted, masked_url, token_fault
from ltp.errors import ConfigError
from ltp.settings_access import AccessSettings

DHANHQ_WS_URL: Final = "wss://api-feed.dhan.co"
DHANHQ_REST_URL: Final = "https://api.dhan.co/v2"
DHANHQ_MASTER_URL: Final = "https://images.dhan.co/api-data/api-scrip-master-detailed.csv"
_UNIVERSE: Final = re.compile(r"off|nifty(?:50|100|200|500)|fno|all|list-[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_UNIVERSES: Final = "nifty50, nifty100, nifty200, nifty500, fno, all, list-NAME or off"
_TOKENS: Final = ("dhanhq_client_id", "dhanhq_access_token")
_SECRETS: Final = ("dhanhq_client_id", "dhanhq_access_token", "redis_url", "database_url")


def _default_max_streams() -> int:
    """Leave 500 descriptors for listening sockets, Redis, SQL and requests."""
    return max(100, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 500)


class Settings(AccessSettings):
    """Names are the environment variables in lower case. `X_FILE` names a file that holds X, for the secrets."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        env_file=env_file.NAME,
        env_file_encoding="utf-8-sig",
        env_ignore_empty=True,
    )

    dhanhq_ws_enabled: bool = Field(
        False, description="Connect to the feed; false: the worker idles and says so."
    )
    dhanhq_client_id: SecretStr = Field(SecretStr(""), description="DhanHQ client id.")
    dhanhq_access_token: SecretStr = Field(SecretStr(""), description="DhanHQ access token; lives 24 hours.")
    dhanhq_client_id_file: Path | None = Field(None, description="File that holds the client id.")
    dhanhq_access_token_file: Path | None = Field(
        None,
        description="File that holds the token; read again on each connect, and a renewed token is written into it.",
    )
    dhanhq_ws_mode: Literal["ticker", "quote", "full"] = Field(
        "quote", description="What each instrument is subscribed as."
    )
    dhanhq_ws_url: str = Field(
        DHANHQ_WS_URL, description="Feed address; prices are marked simulator unless it is DhanHQ's own."
    )
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
    database_url: SecretStr = Field(
        SecretStr(""), description="SQLAlchemy address; empty: SQLite in the state folder."
    )
    database_url_file: Path | None = Field(None, description="File that holds the database address.")
    state_dir: Path = Field(Path("state"), description="Folder for SQLite and the embedded Valkey.")
    market_calendar: Literal["nse", "always_open"] = Field(
        "nse", description="Trading hours the worker follows."
    )
    market_calendar_overrides: Path | None = Field(
        None, description="TOML file of late changes to the trading hours, read again every 30 s."
    )
    web_concurrency: Annotated[int, Field(ge=1, le=64)] = Field(2, description="Web worker processes.")
    max_streams: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default_factory=_default_max_streams,
        description="Open streams per web process; past it 503 and polling.",
    )
    stream_min_interval_ms: Annotated[int, Field(ge=0, le=10_000)] = Field(
        200,
        description="Least milliseconds between two events of a page, on average; the worker goes by it too.",
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
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least severe log line that is written."
    )

    @field_validator("*", mode="before")
    @classmethod
    def _not_quoted(cls, value: Any) -> Any:
        if isinstance(value, str) and is_quoted(value.strip()):
            raise ValueError("the quotes around it would be part of it; leave them out")
        return value

    @field_validator(
        "dhanhq_ws_enabled", "dhanhq_ws_mode", "market_calendar", "screener_universe", mode="before"
    )
    @classmethod
    def _lower(cls, value: Any) -> Any:
        return value.strip().lower() if isinstance(value, str) else value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: Any) -> Any:
        return value.strip().upper() if isinstance(value, str) else value

    @field_validator("screener_universe")
    @classmethod
    def _is_universe(cls, value: str) -> str:
        if value and not _UNIVERSE.fullmatch(value):
            raise ValueError(_UNIVERSES)
        return value

    @field_validator("dhanhq_ws_url", "dhanhq_rest_url")
    @classmethod
    def _is_url(cls, value: str, field: ValidationInfo) -> str:
        schemes = {"ws", "wss"} if field.field_name == "dhanhq_ws_url" else {"http", "https"}
        # What the broker wants behind a ? is added by the feed.
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
    def master_url(self) -> str:
        """Where the worker fetches the instrument master, "" for nowhere: an idle or simulated one asks
        nobody unbidden.
        """
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
            ConfigError: the file cannot be read, or it is a client id or a token with a character that none
                has.
        """
        path: Path | None = getattr(self, f"{name}_file")
        if path is None:
            value: SecretStr = getattr(self, name)
            return _checked(name, name.upper(), "***", value.get_secret_value())
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
            raise ConfigError(
                f"{name.upper()}_FILE", str(path), f"it must name a readable text file ({reason})"
            ) from None
        return _checked(name, f"{name.upper()}_FILE", str(path), text)


def _checked(name: str, variable: str, shown: str, text: str) -> str:
    value = text.strip().removeprefix("\ufeff").strip()
    if name in _TOKENS and (fault := token_fault(value)):
        raise ConfigError(variable, shown, fault)
    return value


def _is_address(value: str, schemes: set[str]) -> bool:
    try:
        parts = urlsplit(value.strip())
        return parts.scheme in schemes and is_host(parts.hostname or "") and parts.port != 0
    except ValueError:
        return False  # the port is none, or brackets do not match


def load(**overrides: Any) -> Settings:
    """Read the environment and `.env`.

    Raises:
        ConfigError: names the variable, its value (masked for a secret) and what is accepted.
    """
    for name in os.environ:
        _refuse_misspelt(name.upper(), ours=name.upper().startswith("DHANHQ_"))
    for name in env_file.names():
        _refuse_misspelt(name.upper(), ours=True)
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise _refusal(error) from None


def _refusal(error: ValidationError) -> ConfigError:
    first = error.errors()[0]
    name = str(first["loc"][0])
    value = "***" if name in _SECRETS else masked_url(str(first["input"]))
    said = str(first["ctx"]["error"]) if first["type"] == "value_error" else ""
    return ConfigError(name.upper(), value[:80], said or _accepted(Settings.model_fields[name]))


def _refuse_misspelt(name: str, *, ours: bool) -> None:
    known = [field.upper() for field in Settings.model_fields]
    if name not in known and (right := closest_name(name, known, ours=ours)):
        raise ConfigError(name, "***", f"there is no such setting; did you mean {right}?")


def _accepted(field: FieldInfo) -> str:
    """Return in plain words what a field takes, from its own declaration, so that the sentence cannot fall
    behind it.
    """
    if get_origin(field.annotation) is Literal:
        *others, last = [each for each in get_args(field.annotation) if each]
        return f"{', '.join(others)} or {last}" if others else f"{last}, or nothing"
    if field.annotation is bool:
        return "true or false"
    if field.annotation not in {int, float}:
        return "an address such as " + (" or ".join(field.examples) if field.examples else str(field.default))
    bounds = {
        name: getattr(rule, name) for rule in field.metadata for name in ("ge", "le") if hasattr(rule, name)
    }
    kind = "a whole number" if field.annotation is int else "a number"
    return f"{kind} from {bounds['ge']}" + (f" to {bounds['le']}" if "le" in bounds else "")


def describe(settings: Settings) -> list[tuple[str, str, str]]:
    """Return (variable, effective value, meaning) for every setting, secrets masked.

    Raises:
        ConfigError: a secret's file cannot be read.
    """
    return [
        (name.upper(), _shown(settings, name), field.description or "")
        for name, field in Settings.model_fields.items()
    ]


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
