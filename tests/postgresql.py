"""A PostgreSQL server for tests, in a folder of its own, where PostgreSQL is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

# Debian keeps the programs of each version out of the PATH.
SERVER = shutil.which("postgres") or max(
    map(str, Path("/usr/lib/postgresql").glob("*/bin/postgres")), default=None
)
_USER = "postgres" if os.geteuid() == 0 else None  # the server refuses to run as root


class PostgreSQL:
    """Starts and stops as often as a test needs; users and databases stay until `remove`."""

    def __init__(self, port: int) -> None:
        self.port = port
        # In /tmp and not in the folder of the test: the path of the server's socket may have 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="ltp-postgresql-", dir="/tmp"))
        if _USER:
            shutil.chown(self.folder, _USER)
        password = self.folder / "password"
        password.write_text("secret")
        password.chmod(0o644)
        options = ["--auth=scram-sha-256", f"--pwfile={password}", "--username=ltp", "--no-sync"]
        self._run("initdb", *options)

    def url(self, *, user: str = "ltp", password: str = "secret", database: str = "postgres") -> str:
        return f"postgresql+psycopg://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run("pg_ctl", "-o", options, "-l", str(self.folder / "log"), "-w", "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-m", "immediate", "-w", "stop")

    def remove(self) -> None:
        if (self.folder / "data" / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self.folder)

    def _run(self, program: str, *arguments: str) -> None:
        path = Path(str(SERVER)).resolve().parent / program
        subprocess.run(
            [path, "--pgdata", self.folder / "data", *arguments],
            user=_USER,
            cwd="/",
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
        )
