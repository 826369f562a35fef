"""The settings in `.env.example`, in the documents and in `config`: none is missing, none is invented."""

from __future__ import annotations

import re
import resource
from pathlib import Path

import pytest

from ltp.cli.main import main
from ltp.core.instrument import SEGMENTS
from ltp.settings import Settings, load

ROOT = Path(__file__).parents[1]
SETTINGS = {name.upper() for name in Settings.model_fields}
LINE = re.compile(r"#?([A-Z][A-Z0-9_]*)=(.*)")
NAME = re.compile(r"(?<![A-Z0-9_])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?![A-Z0-9_])")
# `.env.example` shows a sensible value of these, because their default is empty or off.
EXAMPLES = {
    "AUTH",
    "DHANHQ_ACCESS_TOKEN_FILE",
    "DHANHQ_CLIENT_ID",
    "DHANHQ_CLIENT_ID_FILE",
    "DHANHQ_WS_ENABLED",
    "HEALTH_BIND",
    "INSTRUMENT_MASTER_URL",
    "TRUSTED_HOSTS",
}
# Names in the documents that are written like a setting and are none.
OTHER_NAMES = {
    *SEGMENTS,
    *("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"),  # read by the requests library
    *("EXCH_ID", "SECURITY_ID"),  # columns of the instrument master; parts of keys
    *("NOT_READY", "WAIT_BREAKOUT", "WAIT_PULLBACK"),  # setups of a screen
    *("SCRIPT_NAME", "TCP_NOTSENT_LOWAT"),
}
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

pytestmark = pytest.mark.usefixtures("nothing_set")


def shown() -> list[tuple[str, str]]:
    """Return name and value of each setting in `.env.example`, in order."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    matches = (LINE.fullmatch(line) for line in text.splitlines())
    return [(match[1], match[2]) for match in matches if match]


def test_the_example_file_has_every_setting_once_and_nothing_else() -> None:
    assert sorted(name for name, _ in shown()) == sorted(SETTINGS)


def test_the_example_file_shows_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (20_000, 20_000))
    defaults = load()
    for name, value in shown():
        monkeypatch.setenv(name, value)
        is_default = getattr(load(), name.lower()) == getattr(defaults, name.lower())
        assert is_default is (name not in EXAMPLES), f"{name}={value}"
        monkeypatch.delenv(name)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_names_no_setting_that_does_not_exist(document: Path) -> None:
    names = set(NAME.findall(document.read_text(encoding="utf-8")))
    assert names - SETTINGS - OTHER_NAMES == set()


def test_config_lists_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config"]) == 0
    first_words = {line.split(" ", 1)[0].split("=", 1)[0] for line in capsys.readouterr().out.splitlines()}
    assert first_words >= SETTINGS
