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

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import SettingsConfigDict

from ltp import env_file
from ltp.core.setting_text import closest_name, is_quoted, masked_url, token_fault
from ltp.errors import ConfigError
from ltp.setting_types import LOWER_CASE, UPPER_CASE
from ltp.settings_access import AccessSettings
from ltp.settings_alerts import AlertSettings
from ltp.settings_broker import CREDENTIALS, PREFIX, BrokerSettings

_UNIVERSE: Final = re.compile(r"off|nifty(?:50|100|200|500)|fno|all|list-[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_UNIVERSES: Final = "nifty50, nifty100, nifty200, nifty500, fno, all, list-NAME or off"
_SECRETS: Final = (*CREDENTIALS, "redis_url", "database_url", "smtp_url")


def _default_max_streams() -> int:
    """Leave 500 descriptors for listening sockets, Redis, SQL and requests."""
    return max(100, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 500)


class Settings(BrokerSettings, AccessSettings, AlertSettings):
    """Names are the environment variables in lower case. `X_FILE` names a file that holds the secret X."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        env_file=env_file.NAME,
        env_file_encoding="utf-8-sig",
        env_ignore_empty=True,
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
    capture_dir: Path | None = Field(
        None, description="Folder for the broker's frames as they came, for a replay; empty: none are kept."
    )
    market_calendar: Annotated[Literal["nse", "always_open"], LOWER_CASE] = Field(
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
        description="Least milliseconds between two events of a page, on average; "
        "the worker writes at this pace too.",
    )
    stream_stall_timeout_s: Annotated[float, Field(ge=0.1, le=600)] = Field(
        15, description="Seconds after which a browser that reads nothing is cut."
    )
    demand_ttl_s: Annotated[float, Field(ge=5, le=3600)] = Field(
        60, description="Seconds an instrument stays wanted after it was last shown."
    )
    poll_interval_ms: Annotated[int, Field(ge=250, le=60_000)] = Field(
        1500, description="Milliseconds between two polls while the stream is down."
    )
    screener_universe: Annotated[str, LOWER_CASE] = Field(
        "",
        description="Shares that the built-in screeners search; empty: the largest NIFTY list there is; "
        "off: none by itself.",
    )
    minute_bars_days: Annotated[int, Field(ge=1, le=3_650)] = Field(
        60, description="Days for which one-minute bars are kept."
    )
    longer_bars_days: Annotated[int, Field(ge=1, le=14_600)] = Field(
        730, description="Days for which bars of 5 minutes, and of multiples of 5, are kept."
    )
    capital: Annotated[float, Field(ge=1_000, le=100_000_000_000)] = Field(
        1_000_000, description="Rupees that plans divide among shares."
    )
    risk_per_trade: Annotated[float, Field(ge=1, le=10_000_000_000)] = Field(
        10_000, description="Rupees a swing plan may lose when its stop is hit."
    )
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], UPPER_CASE] = Field(
        "INFO", description="Least severe log line that is written."
    )

    @field_validator("*", mode="before")
    @classmethod
    def _not_quoted(cls, value: Any) -> Any:
        if isinstance(value, str) and is_quoted(value.strip()):
            raise ValueError("the quotes around it would be part of it; leave them out")
        return value

    @field_validator("screener_universe")
    @classmethod
    def _is_universe(cls, value: str) -> str:
        if value and not _UNIVERSE.fullmatch(value):
            raise ValueError(_UNIVERSES)
        return value

    @property
    def database(self) -> str:
        url = self.secret("database_url")
        return url or f"sqlite:///{(self.state_dir / 'ltp.sqlite3').absolute()}"

    def secret(self, name: str) -> str:
        """Return a secret: the content of the file that NAME_FILE names, read now, else the value of NAME.

        Raises:
            ConfigError: the file cannot be read, or a client id or token has a character that none can have.
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
    if name in CREDENTIALS and (fault := token_fault(value)):
        raise ConfigError(variable, shown, fault)
    return value


def load(**overrides: Any) -> Settings:
    """Read the environment and `.env`.

    Raises:
        ConfigError: names the variable, its value (masked for a secret) and the accepted ones.
    """
    for name in os.environ:
        _refuse_misspelt(name.upper(), ours=name.upper().startswith(PREFIX))
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
    reason = str(first["ctx"]["error"]) if first["type"] == "value_error" else ""
    return ConfigError(name.upper(), value[:80], reason or _accepted(Settings.model_fields[name]))


def _refuse_misspelt(name: str, *, ours: bool) -> None:
    known = [field.upper() for field in Settings.model_fields]
    if name not in known and (right := closest_name(name, known, ours=ours)):
        raise ConfigError(name, "***", f"there is no such setting; did you mean {right}?")


def _accepted(field: FieldInfo) -> str:
    """Return the accepted values of a field in words, from its declaration, so that the two cannot differ."""
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
    """Return (variable, effective value, meaning) of every setting, secrets masked.

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
