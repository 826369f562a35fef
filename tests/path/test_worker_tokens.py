"""Credentials of the worker: where they come from, and which token it renews."""

from __future__ import annotations

from pathlib import Path

from tests.path.worker_bench import Bench


def test_missing_credentials_are_named_and_a_token_file_that_appears_is_used(
    bench: Bench, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("")
    process = bench.start(DHANHQ_ACCESS_TOKEN_FILE=str(token))
    bench.wait_for(lambda: "DHANHQ_ACCESS_TOKEN" in bench.status("last_error"))
    assert bench.simulator.connections.report()["attempts"] == 0
    token.write_text("canary-token\n")
    bench.wait_for(lambda: bench.status("feed") == "live")
    assert bench.end(process) == 0


def test_a_renewed_token_lies_in_the_file_for_the_next_start(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("canary-token\n")
    file.chmod(0o600)
    bench.simulator.faults.add("reject", reason=807)
    process = bench.start(DHANHQ_ACCESS_TOKEN_FILE=str(file))
    bench.wait_for(lambda: file.read_text() != "canary-token\n")
    bench.wait_for(lambda: bench.status("feed") == "live")
    renewed = file.read_text().strip()
    assert renewed.endswith(".unsigned")
    assert file.stat().st_mode & 0o777 == 0o600
    assert bench.end(process) == 0
    assert renewed not in bench.log.read_text()


def test_a_token_file_that_comes_later_is_waited_for(bench: Bench, tmp_path: Path) -> None:
    bench.start(DHANHQ_ACCESS_TOKEN_FILE=str(tmp_path / "token"))
    bench.wait_for(lambda: "DHANHQ_ACCESS_TOKEN_FILE" in bench.status("last_error"))
    (tmp_path / "token").write_text("canary-token")
    bench.wait_for(lambda: bench.status("feed") == "live")


def test_a_fresh_token_in_the_file_is_used_and_only_an_expired_one_renewed(
    bench: Bench, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("canary-old")
    bench.start(DHANHQ_ACCESS_TOKEN_FILE=str(file))
    bench.wait_for(lambda: bench.status("feed") == "live")

    file.write_text("canary-fresh\n")
    bench.simulator.connections.disconnect(807)
    bench.wait_for(lambda: b"the feed tries the new ones" in bench.log.read_bytes())
    bench.wait_for(lambda: bench.simulator.connections.report()["attempts"] == 2)
    bench.wait_for(lambda: bench.status("feed") == "live")
    assert file.read_text() == "canary-fresh\n"

    bench.wait_for(lambda: bench.simulator.connections.disconnect(807))
    bench.wait_for(lambda: file.read_text().endswith(".unsigned\n"))
    bench.wait_for(lambda: bench.simulator.connections.report()["attempts"] == 3)
    bench.wait_for(lambda: bench.status("feed") == "live")
    assert bench.status("stopped") == "0"
    assert "canary" not in bench.log.read_text()
