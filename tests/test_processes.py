from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from ltp.processes import Child, Family

ENV = dict(os.environ)
SLEEPER = [sys.executable, "-c", "import signal; signal.pause()"]


def watch_in_thread(family: Family) -> threading.Thread:
    thread = threading.Thread(target=family.watch)
    thread.start()
    return thread


def end(family: Family, thread: threading.Thread) -> None:
    family.ask_to_stop()
    thread.join(20)
    assert not thread.is_alive()


def test_a_child_that_is_killed_is_started_again(wait_for):
    family, child = Family(), Child("sleeper", SLEEPER, ENV)
    assert family.add(child)
    first = child.process.pid
    thread = watch_in_thread(family)
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: child.alive and child.process.pid != first)
    end(family, thread)
    assert not child.alive


def test_a_child_that_dies_at_once_waits_longer_each_time(wait_for):
    family, child = Family(), Child("failing", [sys.executable, "-c", "raise SystemExit(3)"], ENV)
    family.add(child)
    thread = watch_in_thread(family)
    wait_for(lambda: child.wait_s >= 2.0, 20)
    end(family, thread)


def test_a_child_that_ignores_sigterm_is_killed(wait_for, tmp_path):
    mark = tmp_path / "deaf"
    code = (
        "import pathlib, signal; signal.signal(15, signal.SIG_IGN)\n"
        f"pathlib.Path({str(mark)!r}).touch(); signal.pause()"
    )
    child = Child("deaf", [sys.executable, "-c", code], ENV, stop_within_s=0.3)
    child.start()
    wait_for(mark.exists)
    child.stop()
    assert child.process.returncode == -signal.SIGKILL


def test_children_end_in_reverse_order_of_their_start(tmp_path, wait_for):
    ends = tmp_path / "ends"
    code = (
        "import pathlib, signal, sys\n"
        "def end(*_):\n    open(sys.argv[2], 'a').write(sys.argv[1]); sys.exit(0)\n"
        "signal.signal(15, end); pathlib.Path(sys.argv[2] + sys.argv[1]).touch(); signal.pause()"
    )
    family = Family()
    for name in ("a", "b", "c"):
        ready = (tmp_path / f"ends{name}").exists
        assert family.add(Child(name, [sys.executable, "-c", code, name, str(ends)], ENV, ready))
    family.end()
    assert ends.read_text() == "cba"


def test_a_child_that_is_never_ready_is_reported():
    family = Family()
    assert not family.add(Child("late", SLEEPER, ENV, ready=lambda: False), ready_within_s=0.2)
    family.end()


def test_children_end_when_their_parent_is_killed_outright(wait_for, tmp_path):
    """Otherwise they would hold their ports and the next start would fail."""
    pid_file = tmp_path / "pid"
    code = (
        "import os, pathlib, signal\n"
        "from ltp.processes import Child\n"
        f"child = Child('sleeper', {SLEEPER!r}, dict(os.environ)); child.start()\n"
        f"pathlib.Path({str(pid_file)!r}).write_text(str(child.process.pid)); signal.pause()"
    )
    parent = Child("parent", [sys.executable, "-c", code], ENV)
    parent.start()
    pid = int(wait_for(lambda: pid_file.exists() and pid_file.read_text()))
    parent.process.kill()
    parent.process.wait()
    wait_for(
        lambda: not os.path.exists(f"/proc/{pid}") or "zombie" in Path(f"/proc/{pid}/status").read_text()
    )


def test_lines_of_a_child_can_be_taken_instead_of_shown(wait_for, capfd):
    lines: list[str] = []
    program = [
        sys.executable,
        "-c",
        "import sys; print('one'); print('two', file=sys.stderr); sys.stdout.buffer.write(b'\\xff\\n')",
    ]
    family = Family()
    family.add(Child("printing", program, ENV, lambda: False, log_line=lines.append))
    wait_for(lambda: len(lines) == 3)
    assert sorted(lines) == ["one", "two", "\ufffd"]
    assert capfd.readouterr().out == ""
    family.end()
