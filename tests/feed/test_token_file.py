"""A renewed token in the operator's file: whole or not at all, and never over another one."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ltp.feed import token_file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text("old-token\n")
    path.chmod(0o640)
    return path


def test_the_new_token_stands_in_its_place_with_the_same_mode(file: Path) -> None:
    assert token_file.replace(file, "old-token", "new-token") == ""
    assert file.read_text() == "new-token\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert os.listdir(file.parent) == ["token"]


def test_a_file_without_a_line_end_stays_one(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbfold-token")
    assert token_file.replace(file, "old-token", "new-token") == ""
    assert file.read_bytes() == b"new-token"


def test_another_token_is_left_alone(file: Path) -> None:
    file.write_text("fresh-token\n")
    assert token_file.replace(file, "old-token", "new-token") == f"{file} holds another token by now"
    assert file.read_text() == "fresh-token\n"


def test_a_file_without_a_write_bit_is_left_alone(file: Path) -> None:
    file.chmod(0o400)
    assert token_file.replace(file, "old-token", "new-token") == f"{file} may not be written"
    assert file.read_text() == "old-token\n"


def test_a_failure_leaves_the_old_file_and_nothing_beside_it(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(os, "replace", fail)  # a single file that was mounted into a container
    reason = token_file.replace(file, "old-token", "new-token")
    assert reason == f"{file} and its folder cannot be written: Device or resource busy"
    assert file.read_text() == "old-token\n"
    assert os.listdir(file.parent) == ["token"]


def test_a_file_that_is_gone_is_a_reason(tmp_path: Path) -> None:
    reason = token_file.replace(tmp_path / "none", "old-token", "new-token")
    assert reason.endswith("No such file or directory")
    assert os.listdir(tmp_path) == []


def test_a_link_stays_a_link(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(file)
    assert token_file.replace(link, "old-token", "new-token") == ""
    assert link.is_symlink()
    assert file.read_text() == "new-token\n"


def test_a_reader_never_sees_a_part(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every byte goes into a file beside it, which then takes its place."""
    seen: list[str] = []
    sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: (seen.append(file.read_text()), sync(descriptor)))
    token_file.replace(file, "old-token", "new-token")
    assert seen == ["old-token\n"]
