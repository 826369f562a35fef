"""Checks beyond a single setting, with the sentences of `config` and of the start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ltp.checks import check, credentials, require_credentials
from ltp.errors import ConfigError, LTPError
from ltp.settings import Settings


def settings(folder: Path, **values: Any) -> Settings:
    return Settings(_env_file=None, **{"state_dir": folder / "state", **values})


pytestmark = pytest.mark.usefixtures("nothing_set")


def test_accepted_settings_create_no_file(tmp_path: Path) -> None:
    check(settings(tmp_path))
    check(settings(tmp_path, dhanhq_ws_enabled=True, dhanhq_client_id="1", dhanhq_access_token="t"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"redis_url": "redis://h?protocol=3"},
            "REDIS_URL='redis://***' is not accepted: protocol is not allowed in an address",
        ),
        (
            {"database_url": "nonsense"},
            "The database address cannot be understood; DATABASE_URL takes an address such as",
        ),
        ({"market_calendar_overrides": "/no/file"}, "MARKET_CALENDAR_OVERRIDES='/no/file' is not accepted"),
        ({"state_dir": "/dev/null/x"}, "STATE_DIR='/dev/null/x' is not accepted: it must name a folder"),
        (
            {"dhanhq_ws_enabled": True},
            "DHANHQ_CLIENT_ID='' is not accepted: to connect to the broker DHANHQ_CLIENT_ID and DHANHQ_ACCESS_TOKEN must be set",
        ),
        ({"dhanhq_ws_enabled": True, "dhanhq_client_id": "1"}, "DHANHQ_ACCESS_TOKEN='' is not accepted"),
        ({"dhanhq_client_id": "1"}, "DHANHQ_ACCESS_TOKEN='' is not accepted"),
        ({"smtp_url": "http://host"}, "SMTP_URL='***' is not accepted: an address such as smtp://"),
        ({"smtp_url": "smtp://host"}, "SMTP_FROM='' is not accepted: with SMTP_URL it must be set"),
        ({"dhanhq_access_token": "t"}, "DHANHQ_CLIENT_ID='' is not accepted"),
        (
            {"dhanhq_ws_enabled": True, "dhanhq_client_id": "1", "dhanhq_access_token_file": "/no/file"},
            "DHANHQ_ACCESS_TOKEN_FILE='/no/file' is not accepted",
        ),
    ],
)
def test_a_refusal_is_one_sentence(tmp_path: Path, values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(LTPError) as caught:
        check(settings(tmp_path, **values))
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_an_empty_token_file_is_named_and_may_still_be_written(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(" \n")
    named = settings(tmp_path, dhanhq_client_id="1", dhanhq_access_token_file=file)
    require_credentials(named)
    with pytest.raises(
        ConfigError, match=f"DHANHQ_ACCESS_TOKEN_FILE='{file}' is not accepted: the file is empty"
    ):
        credentials(named)
    file.write_text("fresh\n")
    assert credentials(named) == ("1", "fresh")
