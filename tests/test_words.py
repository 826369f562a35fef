"""The language of comments and docstrings: programs and things have names, and lines fit on a page."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Words in place of a name, or for programs as if they were people. Of each kind, the most in a thousand words.
KINDS = {
    "what": "what whatever",
    "who": "who whom whose whoever somebody someone nobody anybody anyone everybody everyone",
    "say": "say says said saying tell tells told telling hear hears heard hearing speak speaks spoke spoken"
    " speaking",
}
ALLOWED = {"what": 4, "who": 3, "say": 3}
KIND_OF = {word: kind for kind, words in KINDS.items() for word in words.split()}
COLUMNS, LONG_LINES = 110, 0.01
# The evaluation of a screen has one word. The table that stores evaluations keeps the name it was made with.
TABLE, OLD_WORD = re.compile(r"\b(?:screenings)\b"), re.compile("screenin[g]", re.IGNORECASE)


@cache
def files(top: str) -> list[Path]:
    found = sorted(file for file in (ROOT / top).rglob("*.py") if file.parent.name != "versions")
    assert found
    return found


def worst(counts: Counter[Path]) -> str:
    return ", ".join(f"{file.relative_to(ROOT)} {count}" for file, count in counts.most_common(10) if count)


@cache
def prose(file: Path) -> list[str]:
    """Return the words of all docstrings and comments, in lower case."""
    text = file.read_text(encoding="utf-8")
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    found = [
        ast.get_docstring(node) or "" for node in ast.walk(ast.parse(text)) if isinstance(node, documented)
    ]
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    found += [token.string for token in tokens if token.type == tokenize.COMMENT]
    return re.findall(r"[a-z']+", " ".join(found).lower())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("top", ["ltp", "tests", "bench"])
def test_things_have_their_names(top: str, kind: str) -> None:
    words = {file: prose(file) for file in files(top)}
    counts = Counter({file: sum(KIND_OF.get(word) == kind for word in words[file]) for file in words})
    rate = 1000 * counts.total() / sum(map(len, words.values()))
    assert rate <= ALLOWED[kind], f"{rate:.1f} of 1,000 words are like {kind!r}: {worst(counts)}"


@pytest.mark.parametrize("top", ["ltp", "tests", "bench"])
def test_lines_fit_on_a_page(top: str) -> None:
    lines = {file: file.read_text(encoding="utf-8").splitlines() for file in files(top)}
    counts = Counter({file: sum(len(line) > COLUMNS for line in lines[file]) for file in lines})
    share = counts.total() / sum(map(len, lines.values()))
    assert share <= LONG_LINES, f"{share:.1%} of the lines have more than {COLUMNS} columns: {worst(counts)}"


@pytest.mark.parametrize("top", ["ltp", "tests", "bench"])
def test_an_evaluation_has_one_word(top: str) -> None:
    texts = {file: f"{file.name}\n{TABLE.sub('', file.read_text(encoding='utf-8'))}" for file in files(top)}
    counts = Counter({file: len(OLD_WORD.findall(texts[file])) for file in texts})
    assert worst(counts) == ""
