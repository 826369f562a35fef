from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from ltp.batch.master_file import opened
from ltp.errors import InputError


def lines(path: Path) -> list[str]:
    with opened(path, path.name) as found:
        return list(found)


def test_plain_and_gzip_with_a_byte_order_mark_and_a_stray_byte(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbfA,B\r\n1,caf\xe9\n"
    for name, stored in (
        ("a.csv", content),
        ("a.csv.gz", gzip.compress(content)),
        ("misnamed.csv", gzip.compress(content)),
    ):
        (tmp_path / name).write_bytes(stored)
        assert lines(tmp_path / name) == ["A,B\r\n", "1,caf\ufffd\n"]


def test_a_line_without_end_comes_in_bounded_pieces(tmp_path: Path) -> None:
    file = tmp_path / "zeros.gz"
    file.write_bytes(gzip.compress(b"\0" * 1_000_000))
    assert [len(line) for line in lines(file)] == [65_536] * 15 + [1_000_000 % 65_536]


def test_the_bytes_read_are_reported(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("1,2,3\n" * 100_000)
    seen: list[tuple[int, int]] = []
    with opened(file, "a.csv", lambda done, total: seen.append((done, total))) as found:
        assert sum(1 for _ in found) == 100_000
    assert len(seen) == 50
    assert {total for _, total in seen} == {600_000}
    assert seen == sorted(seen)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (gzip.compress(b"A,B\n" * 9_999)[:-20], "the compressed file is damaged or ends too early"),
        (b"\x1f\x8b\x00\x00 no gzip", "it is damaged"),
    ],
    ids=["cut off", "no gzip"],
)
def test_a_damaged_file_is_a_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    file = tmp_path / "a.gz"
    file.write_bytes(content)
    with pytest.raises(InputError, match=f"file: 'a.gz' is not accepted; {sentence}"):
        lines(file)
    with pytest.raises(InputError, match="it cannot be read"):
        lines(tmp_path)
