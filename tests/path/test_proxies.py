"""The site behind nginx and Caddy, with the configurations of docs/operations.md, and over a Unix socket."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.missing import cannot_run
from tests.path.stack import Stack, running
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
NAME = "prices.example.com"


class Proxy(NamedTuple):
    port: int

    def request(self, method: str, path: str, **headers: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(
            method, path, headers={"Host": f"{NAME}:{self.port}", "Accept-Encoding": "gzip"} | headers
        )
        return connection.getresponse()


def documented(name: str) -> str:
    """Return the configuration of a proxy in docs/operations.md."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    found = re.search(rf"\n{name} \([^\n]*\n\n((?:    [^\n]*\n|\n)+)", text)
    assert found, name
    return re.sub(r"(?m)^    ", "", found[1])


def program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    if found is None:
        cannot_run(f"{name} is not installed: make proxies")
    return found


def nginx(folder: Path, port: int, upstream: str) -> list[str]:
    block = (
        documented("nginx")
        .replace("listen 8080", f"listen 127.0.0.1:{port}")
        .replace("http://127.0.0.1:8000", upstream)
    )
    temporary = " ".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{user} daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; events {{}}\n"
        f"http {{ access_log off; gzip on; gzip_types *; gzip_proxied any; {temporary}\n{block}\n}}\n"
    )
    return [program("nginx"), "-p", str(folder), "-e", f"{folder}/nginx.log", "-c", f"{folder}/nginx.conf"]


def caddy(folder: Path, port: int, upstream: str) -> list[str]:
    upstream = upstream.removeprefix("http://").replace("unix:", "unix/")
    block = (
        documented("Caddy")
        .replace(f"{NAME} {{", f"http://{NAME}:{port} {{")
        .replace("127.0.0.1:8000", upstream)
    )
    (folder / "Caddyfile").write_text(f"{{\n  admin off\n  auto_https off\n}}\n{block}\n")
    return [program("caddy"), "run", "--config", f"{folder}/Caddyfile", "--adapter", "caddyfile"]


KINDS = {"nginx": nginx, "caddy": caddy}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(tmp_path_factory.mktemp("site"), free_port, TRUSTED_HOSTS=NAME, AUTH="none") as stack:
        yield stack


@pytest.fixture
def proxied(
    site: Stack, free_port: Callable[[], int], wait_for: Callable[..., Any], tmp_path: Path
) -> Iterator[Callable[..., Proxy]]:
    processes: list[subprocess.Popen[bytes]] = []

    def start(kind: str, upstream: str = "") -> Proxy:
        proxy = Proxy(free_port())
        command = KINDS[kind](tmp_path, proxy.port, upstream or site.url)
        environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        with (tmp_path / "proxy.log").open("wb") as log:
            processes.append(subprocess.Popen(command, env=environ, stdout=log, stderr=subprocess.STDOUT))
        wait_for(lambda: listens(proxy.port) or processes[-1].poll() is not None)
        assert processes[-1].poll() is None, (tmp_path / "proxy.log").read_text()
        return proxy

    yield start
    for process in processes:
        process.terminate()
        process.wait(15)


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def stream_of(page: str) -> str:
    found = re.search(r'"(/[^"]+/stream[^"]*)"', page)
    assert found, page[:2000]
    return found[1].replace("&amp;", "&")


@pytest.mark.parametrize("kind", KINDS)
def test_pages_forms_and_streams_come_through(proxied: Callable[..., Proxy], kind: str) -> None:
    everything_comes_through(proxied(kind))


def everything_comes_through(proxy: Proxy) -> None:
    page = proxy.request("GET", "/screeners/swing", **{"Accept-Encoding": "identity"})
    assert page.status == 200
    stream = proxy.request("GET", stream_of(page.read().decode()))
    assert stream.status == 200
    assert stream.getheader("Content-Type") == "text/event-stream; charset=utf-8"
    assert stream.getheader("Content-Encoding") is None
    got = b""
    while got.count(b"\n\n") < 5:  # a proxy that buffers would never bring them, as the stream has no end
        chunk = stream.read1(65_536)
        assert chunk
        got += chunk
    # On plain HTTP a browser sends Origin and no Sec-Fetch headers.
    own = f"http://{NAME}:{proxy.port}"
    sent = proxy.request("POST", "/screeners/swing/run", Origin=own)
    assert sent.status == 303
    assert (sent.getheader("Location") or "").removeprefix(own).startswith("/screeners/swing")
    for origin in (f"https://{NAME}:{proxy.port}", f"http://{NAME}", "http://evil.example", "null", ""):
        assert proxy.request("POST", "/screeners/swing/run", Origin=origin).status == 403, origin


@pytest.mark.parametrize("kind", KINDS)
def test_a_site_below_a_path_is_refused_in_one_sentence(proxied: Callable[..., Proxy], kind: str) -> None:
    answer = proxied(kind).request(
        "GET", "/", **{"X-Forwarded-Prefix": "/prices", "Accept-Encoding": "identity"}
    )
    assert answer.status == 400
    assert "The site cannot live below a path" in answer.read().decode()


@pytest.mark.parametrize("kind", KINDS)
def test_the_site_over_a_unix_socket(
    site: Stack, proxied: Callable[..., Proxy], wait_for: Callable[..., Any], tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "web.sock"
    site.env["BIND"] = f"unix:{path}"
    try:
        site.start("unix", "gunicorn", "-c", str(ROOT / "gunicorn.conf.py"), "wsgi:app")
        wait_for(lambda: path.exists() and answers(path))
        everything_comes_through(proxied(kind, f"http://unix:{path}"))
        second = subprocess.run(
            ["gunicorn", "-c", str(ROOT / "gunicorn.conf.py"), "wsgi:app"],
            cwd=site.folder,
            env=site.env,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert second.returncode != 0
        assert f"Address unix:{path} is taken by another program" in second.stderr
        assert answers(path)
    finally:
        del site.env["BIND"]
        site.stop("unix")


@pytest.mark.parametrize(("trusted", "answer"), [("unix", "303"), ("127.0.0.1", "403")])
def test_only_a_trusted_peer_on_a_unix_socket_names_the_scheme(
    site: Stack, wait_for: Callable[..., Any], tmp_path: Path, trusted: str, answer: str
) -> None:
    path = tmp_path / "web.sock"
    site.env |= {"BIND": f"unix:{path}", "TRUSTED_PROXIES": trusted}
    try:
        site.start("unix", "gunicorn", "-c", str(ROOT / "gunicorn.conf.py"), "wsgi:app")
        wait_for(lambda: path.exists() and answers(path))
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            client.connect(str(path))
            head = "POST /screeners/swing/run HTTP/1.1\r\nHost: localhost\r\nOrigin: https://localhost\r\n"
            client.sendall(
                f"{head}X-Forwarded-Proto: https\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
            )
            assert client.recv(12).decode() == f"HTTP/1.1 {answer}"
    finally:
        for name in ("BIND", "TRUSTED_PROXIES"):
            del site.env[name]
        site.stop("unix")


def answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        try:
            client.connect(str(path))
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return client.recv(12) == b"HTTP/1.1 200"
        except OSError:
            return False
