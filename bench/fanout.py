"""CPU per delivered event, the product's fan-out beside the floor, in alternating rounds.

    python bench/fanout.py [--rounds 5] [--clients 2000] [--hz 10] [--views 1] [--stalled 0]
    python bench/fanout.py --views 200 --rows 50 --instruments 500 --hz 5

Prints one line a round and the medians. The floor (`limit`) is one thread that does one write per client and event; both
get events of the same size. Server and load generator are pinned to a core each.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def build(folder: Path, name: str) -> Path:
    target = folder / name
    subprocess.run(["cc", "-O2", "-o", target, HERE / f"{name}.c"], check=True)
    return target


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    sys.exit(f"Nothing listens on port {port} after 10 s")


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def resident_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def pin(command: list[object], core: int) -> list[str]:
    cores = sorted(os.sched_getaffinity(0))
    return ["taskset", "-c", str(cores[core % len(cores)]), *map(str, command)]


def worker_of(pid: int) -> int:
    """Return the process that does the work: gunicorn's one child, or the program itself."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0]) if children else pid


def measure(server: subprocess.Popen[bytes], port: int, load: Path, args: argparse.Namespace, path: str) -> dict[str, float]:
    """Run the load against a server; CPU is taken over the measured seconds alone, memory before and with all clients."""
    pid = worker_of(server.pid)
    with socket.create_connection(("127.0.0.1", port)) as first:  # the port is open before the application is loaded
        first.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        first.recv(65536)
    before_kb = resident_kb(pid)
    command = [load, "-p", port, "-u", path, "-n", args.clients, "-t", args.seconds, "-w", args.warm, "-s", args.stalled]
    client = subprocess.Popen(pin(command, 1), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert client.stderr is not None
    client.stderr.readline()  # written once all are connected
    time.sleep(args.warm)
    began = cpu_s(pid)
    time.sleep(args.seconds - 0.2)
    spent = (cpu_s(pid) - began) * args.seconds / (args.seconds - 0.2)
    with_all_kb = resident_kb(pid)
    out, _ = client.communicate(timeout=60)
    figures: dict[str, float] = json.loads(out)
    figures["cpu_us"] = spent * 1e6 / max(1, figures["events"])
    figures["kb_per_client"] = (with_all_kb - before_kb) / args.clients
    figures["event_bytes"] = figures["mb_per_s"] * 1e6 / max(1.0, figures["events_per_s"])
    return figures


def stop(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGQUIT if server.poll() is None else 0)
    try:
        server.wait(15)
    except subprocess.TimeoutExpired:
        server.kill()


def run_ours(load: Path, args: argparse.Namespace) -> dict[str, float]:
    port = free_port()
    environ = os.environ | {
        "PORT": str(port),
        "WEB_CONCURRENCY": "1",
        "HZ": str(args.hz),
        "ROWS": str(args.rows),
        "VIEWS": str(args.views),
        "INSTRUMENTS": str(args.instruments),
        "MOVES": str(args.moves),
        "LOG_LEVEL": "ERROR",
    }
    gunicorn = [sys.executable, "-m", "gunicorn", "-c", ROOT / "gunicorn.conf.py", "--pythonpath", HERE, "stream_app:app"]
    server = subprocess.Popen(pin(gunicorn, 0), cwd=ROOT, env=environ)
    try:
        wait_for_port(port)
        return measure(server, port, load, args, "/stream/0" if args.views == 1 else "/stream/any")
    finally:
        stop(server)


def run_floor(limit: Path, load: Path, args: argparse.Namespace, size: int) -> dict[str, float]:
    port = free_port()
    server = subprocess.Popen(pin([limit, port, args.hz, size], 0))
    try:
        wait_for_port(port)
        return measure(server, port, load, args, "/")
    finally:
        server.kill()
        server.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clients", type=int, default=2_000)
    parser.add_argument("--hz", type=float, default=10)
    parser.add_argument("--rows", type=int, default=7, help="instruments of a view")
    parser.add_argument("--views", type=int, default=1)
    parser.add_argument("--instruments", type=int, default=0, help="views choose from so many; 0: each has its own")
    parser.add_argument("--moves", type=float, default=2, help="with --instruments: changes a second of each")
    parser.add_argument("--stalled", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--warm", type=float, default=2)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        load, limit = build(Path(folder), "ssebench"), build(Path(folder), "limit")
        ours, floor, size = [], [], 1_500
        for _ in range(args.rounds):
            ours.append(run_ours(load, args))
            size = int(ours[-1]["event_bytes"]) - 30  # without the framing that `limit` adds
            floor.append(run_floor(limit, load, args, size))
            for name, figures in (("ours", ours[-1]), ("floor", floor[-1])):
                print(
                    f"{name:<6} {figures['cpu_us']:6.2f} us/event  {figures['event_bytes']:6.0f} B/event  "
                    f"p50 {figures['p50_ms']:6.2f} ms  p99 {figures['p99_ms']:6.2f} ms  "
                    f"{figures['kb_per_client']:6.2f} kB/client  live {figures['live']:.0f}",
                    flush=True,
                )
    us, least = (statistics.median(figures["cpu_us"] for figures in runs) for runs in (ours, floor))
    print(f"median {us:.2f} us/event, floor {least:.2f}, ratio {us / least:.2f}")


if __name__ == "__main__":
    main()
