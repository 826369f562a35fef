"""A PostgreSQL of the tests' own, where one is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

# Debian keeps each version's programs out of the PATH.
SERVER = shutil.which("postgres") or max(
    map(str, Path("/usr/lib/postgresql").glob("*/bin/postgres")), default=None
)
_NEEDED = "postgres" if os.geteuid() == 0 else None  # the server refuses to run as root


class PostgreSQL:
    """`start` and `stop` it as often as needed; users and databases stay."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.folder = Path(
            tempfile.mkdtemp(prefix="ltp-postgresql-", dir="/tmp")
        )  # short: a socket lies in it
        if _NEEDED:
            shutil.chown(self.folder, _NEEDED)
        (self.folder / "password").write_text("secret")
        os.chmod(self.folder / "password", 0o644)
        how = ["--auth=scram-sha-256", f"--pwfile={self.folder / 'password'}", "--username=ltp", "--no-sync"]
        self._run("initdb", "--pgdata", str(self.folder / "data"), *how)

    def url(self, *, user: str = "ltp", password: str = "secret", database: str = "postgres") -> str:
        return f"postgresql+psycopg://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run(
            "pg_ctl",
            "--pgdata",
            str(self.folder / "data"),
            "-o",
            options,
            "-l",
            str(self.folder / "log"),
            "-w",
            "start",
        )

    def stop(self) -> None:
        self._run("pg_ctl", "--pgdata", str(self.folder / "data"), "-m", "immediate", "-w", "stop")

    def remove(self) -> None:
        if (self.folder / "data" / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self.folder)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(Path(str(SERVER)).resolve().parent / program), *arguments]
        subprocess.run(
            command,
            user=_NEEDED,
            cwd="/",
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
        )
