"""A lint of the templates for everything that the content security policy blocks in a browser."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
VENDOR = ROOT / "static" / "vendor" / "htmx.org@4.0.1"
AXE = ROOT / "tests" / "browser" / "vendor" / "axe-core@4.14.1"

FORBIDDEN = {
    "hx-on: evaluates its value": r"hx-on",
    "js: values are evaluated": r"\b(?:js|javascript):",
    "a trigger filter is evaluated": r"hx-trigger\s*=\s*(?:\"[^\"]*\[|'[^']*\[)",
    "inline style": r"\sstyle\s*=",
    "style element": r"<style",
    "an inline event handler": r"\son[a-z]+\s*=",
    "unescaped output": r"\|\s*safe\b|autoescape\s+false",
    "inline script": r"<script(?![^>]*\ssrc=)",
    "something from another server": r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//",
    "values that htmx evaluates": r"hx-(?:vals|headers|vars)",
    "a swap of any response, also of a proxy's": r"<(?![^>]*(?:kept|lost)_url)[^>]*hx-swap\s*=\s*[\"'](?!none)",
    "a status that swaps any response": r"hx-status",
    "a script that may run after htmx has started": r"<script[^>]*\s(?:defer|async)",
}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
@pytest.mark.parametrize("reason", FORBIDDEN)
def test_templates_need_no_eval_and_no_inline_code(path: Path, reason: str) -> None:
    found = re.search(FORBIDDEN[reason], path.read_text(encoding="utf-8"), re.IGNORECASE)
    assert found is None, f"{reason}: {found and found[0]}"


@pytest.mark.parametrize(
    ("markup", "reason"),
    [
        ('<a hx-on:click="x()">', "hx-on: evaluates its value"),
        ("<a hx-get='js:x'>", "js: values are evaluated"),
        ('<i hx-trigger="every 1s\n [x]">', "a trigger filter is evaluated"),
        ("<p style='x'>", "inline style"),
        ("<a onclick=x>", "an inline event handler"),
        ("{{ x|safe }}", "unescaped output"),
        ('<p hx-get="/x" hx-swap="outerHTML">', "a swap of any response, also of a proxy's"),
        ('<form hx-status:503="swap:outerHTML">', "a status that swaps any response"),
        ("<script>", "inline script"),
        ('<script src="//cdn">', "something from another server"),
    ],
)
def test_the_lint_finds_each_forbidden_pattern(markup: str, reason: str) -> None:
    assert re.search(FORBIDDEN[reason], markup, re.IGNORECASE)


def test_the_lint_has_templates_to_check() -> None:
    assert len(TEMPLATES) >= 7


@pytest.mark.parametrize("vendor", [VENDOR, AXE], ids=lambda vendor: vendor.name)
def test_vendored_files_are_the_published_ones(vendor: Path) -> None:
    sums = dict(
        reversed(line.split()) for line in (vendor / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    )
    files = {path.name for path in vendor.iterdir()} - {"SHA256SUMS"}
    assert files == set(sums)
    assert "LICENSE" in files
    assert {name: hashlib.sha256((vendor / name).read_bytes()).hexdigest() for name in files} == sums
    assert any(
        vendor.name.rpartition("@")[2] in (vendor / name).read_text(encoding="utf-8")
        for name in files
        if name != "LICENSE"
    )


def test_the_only_scripts_are_vendored() -> None:
    assert {path.parent for path in (ROOT / "static").rglob("*.js")} == {VENDOR}


def test_the_style_sheet_fetches_nothing() -> None:
    css = (ROOT / "static" / "app.css").read_text(encoding="utf-8")
    assert "url(" not in css
    assert "@import" not in css
    assert "prefers-reduced-motion" in css
