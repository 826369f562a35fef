"""The settings of alerts outside of the pages; a part of `ltp.settings`, read there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from ltp.setting_types import LOWER_CASE


class AlertSettings(BaseSettings):
    """Names are the environment variables in lower case. `X_FILE` names a file that holds X."""

    alerts_allow_internal: Annotated[bool, LOWER_CASE] = Field(
        False,
        description="Alerts may be sent to addresses inside of this network, and without encryption.",
    )
    smtp_url: SecretStr = Field(
        SecretStr(""), description="Mail server for alerts, smtp:// or smtps://; empty: no mails."
    )
    smtp_url_file: Path | None = Field(None, description="File that holds the mail server's address.")
    smtp_from: str = Field(
        "", description="Address that mails of alerts come from; empty: the user in SMTP_URL."
    )
