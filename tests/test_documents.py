"""The documents and `.env.example` name settings, files and functions that exist, and every setting is named."""

from __future__ import annotations

import ast
import re
import resource
from collections.abc import Iterator
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
    *(
        "FACT_WORDS",
        "PAGES_OF_EVERY_ROOM",
        "EXTRA_IN_XBOM",
        "MISSING_IN_XBOM",
    ),  # of the code, in docs/development.md
}
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
MAP = ROOT / "docs" / "development.md"
# A path of the repository in backticks, perhaps with a name in that file: `ltp/hub/board.py:Board.apply`.
REFERENCE = re.compile(
    r"`((?:(?:ltp|tests|bench|templates|static|docs)/[\w./@-]*)|\w+(?:\.\w+)*\.py)(?::([\w.]+))?`"
)

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


def test_the_documents_name_every_setting() -> None:
    text = "".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)
    assert SETTINGS - set(re.findall(r"[A-Z][A-Z0-9_]+", text)) == set()


@pytest.mark.parametrize("document", [*DOCUMENTS, ROOT / ".env.example"], ids=lambda path: path.name)
def test_a_document_names_no_setting_that_does_not_exist(document: Path) -> None:
    text = REFERENCE.sub("", document.read_text(encoding="utf-8"))  # those are tried below
    names = set(NAME.findall(text))
    assert names - SETTINGS - OTHER_NAMES == set()


def test_config_lists_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config"]) == 0
    first_words = {line.split(" ", 1)[0].split("=", 1)[0] for line in capsys.readouterr().out.splitlines()}
    assert first_words >= SETTINGS


def references(document: Path) -> list[tuple[str, str]]:
    """Return each path of the repository in a document, with the name behind it or ""."""
    return REFERENCE.findall(document.read_text(encoding="utf-8"))


def defined(file: Path) -> set[str]:
    """Return the functions, classes, methods and constants of a module: `Board`, `Board.apply`."""
    return set(_names(ast.parse(file.read_text(encoding="utf-8")).body, ""))


def _names(body: list[ast.stmt], prefix: str) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield f"{prefix}{node.name}"
            if isinstance(node, ast.ClassDef):
                yield from _names(node.body, f"{node.name}.")
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (f"{prefix}{target.id}" for target in targets if isinstance(target, ast.Name))


def wrong_references(document: Path) -> list[str]:
    """Return the references of a document that lead nowhere."""
    missing = [path for path, _ in references(document) if not (ROOT / path).exists()]
    return missing + [
        f"{path}:{name}"
        for path, name in references(document)
        if name and path not in missing and name not in defined(ROOT / path)
    ]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_names_files_and_functions_that_exist(document: Path) -> None:
    assert wrong_references(document) == []


def test_a_reference_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text(
        "`app.py` `app.py:_OLDER_RUNS` `ltp/hub/` `ltp/hub/board.py:Board.apply` `python app.py` `/status`\n"
        "`gone.py` `docs/gone.md` `ltp/gone/` `ltp/hub/board.py:Board.gone` `app.py:gone`\n"
    )
    assert len(references(document)) == 9
    assert wrong_references(document) == [
        *("gone.py", "docs/gone.md", "ltp/gone/", "ltp/hub/board.py:Board.gone", "app.py:gone")
    ]


def test_the_map_has_every_folder_and_top_level_file_of_code() -> None:
    folders = {file.parent.relative_to(ROOT) for file in (ROOT / "ltp").rglob("*.py")} - {Path("ltp")}
    files = {file.relative_to(ROOT) for top in (ROOT, ROOT / "ltp") for file in top.glob("*.py")}
    assert len(folders) > 20
    modules = {file for file in files if file.name not in {"__init__.py", "__main__.py"}}
    named = {Path(path) for path, _ in references(MAP)}
    assert {str(place) for place in folders | modules} - {str(path) for path in named} == set()
