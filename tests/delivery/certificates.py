"""A certificate for one host name, signed by itself, made with the program openssl."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

from tests.missing import cannot_run


def server_context(folder: Path, host: str) -> tuple[ssl.SSLContext, Path]:
    """Return the context of a server, and the file of the certificate that its clients may trust."""
    if shutil.which("openssl") is None:
        cannot_run("openssl is not installed: sudo apt-get install -y openssl")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ]
    command += ["-keyout", str(key), "-out", str(certificate), "-days", "3650", "-subj", f"/CN={host}"]
    command += ["-addext", f"subjectAltName=DNS:{host}"]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, certificate
