"""The kernel's figures of processes, and the core that each runs on: the server's figure is not the load
generator's.
"""

from __future__ import annotations

import os
import platform
import socket
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

SERVER_CORE: Final = 0
LOAD_CORE: Final = 1
_SPENT: Final = 2  # which of the clocks of a process: clock_getcpuclockid(3)


def pinned(command: Iterable[object], core: int) -> list[str]:
    """Return the command on one core; the kernel ends it with this process, however that ends."""
    cores = sorted(os.sched_getaffinity(0))
    prefix = ["setpriv", "--pdeathsig", "KILL", "taskset", "-c", str(cores[core % len(cores)])]
    return prefix + [str(part) for part in command]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def family(pid: int) -> list[int]:
    """Return a process and everything it started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid] + [each for child in children for each in family(int(child))]


def cpu_s(pids: Iterable[int]) -> float:
    """Return user and system time of these processes in seconds, to the nanosecond.

    `/proc/PID/stat` has the same in hundredths of a second, a tenth of the time of a small case in
    a turn.
    """
    return sum(time.clock_gettime(~pid << 3 | _SPENT) for pid in pids)


def resident_kb(pids: Iterable[int]) -> int:
    return sum(int(Path(f"/proc/{pid}/status").read_text().partition("VmRSS:")[2].split()[0]) for pid in pids)


def open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def send_queues_bytes(port: int) -> int:
    """Return the kernel's state of the server's end of all connections to `port`: queued bytes with their
    buffers.
    """
    command = pinned(["ss", "-tmnH", f"sport = :{port}"], LOAD_CORE)
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    memory = [
        part
        for line in listing.splitlines()
        if "skmem:(" in line
        for part in line.partition("skmem:(")[2].split(",")
    ]
    return sum(int(part[1:]) for part in memory if part[0] in "wf" and part[1:].isdigit())


def description() -> dict[str, str]:
    cpu = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        "unknown",
    )
    memory_kb = next(int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal"))
    return {
        "cpu": cpu,
        "cores": str(os.cpu_count()),
        "memory": f"{memory_kb / 2**20:.0f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()
