"""A file over HTTP from a server of our own that can do wrong."""

from __future__ import annotations

import gzip
import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ltp.errors import FeedError
from ltp.feed import download as module
from ltp.feed.download import download

BODY = b"EXCH_ID,SEGMENT\n" * 10_000


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, headers, body = {
            "/whole": (200, {"Content-Length": str(len(BODY))}, BODY),
            "/unannounced": (200, {}, BODY),
            "/gzip": (200, {"Content-Encoding": "gzip"}, gzip.compress(BODY)),
            "/cut": (200, {"Content-Length": str(len(BODY) + 1)}, BODY),
            "/broken": (200, {"Content-Encoding": "gzip"}, b"no gzip at all"),
            "/moved": (302, {"Location": "/whole"}, b""),
        }.get(self.path, (503, {}, b"busy"))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


@pytest.mark.parametrize("path", ["/whole", "/unannounced", "/gzip", "/moved"])
def test_a_file_arrives_as_it_was(server: str, path: str) -> None:
    into, seen = io.BytesIO(), []
    download(server + path, into, progress=lambda done, total: seen.append((done, total)))
    assert into.getvalue() == BODY
    assert seen[-1] == (len(BODY), len(BODY) if path in {"/whole", "/moved"} else 0)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/cut", "The file at 127.0.0.1 cannot be fetched: ChunkedEncodingError"),
        ("/broken", "The file at 127.0.0.1 cannot be fetched: ContentDecodingError"),
        ("/nothing", "127.0.0.1 answered with HTTP 503"),
    ],
)
def test_a_failure_is_one_sentence(server: str, path: str, sentence: str) -> None:
    with pytest.raises(FeedError) as caught:
        download(server + path, io.BytesIO())
    assert str(caught.value) == sentence


def test_a_file_without_end_is_given_up(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 100_000)
    with pytest.raises(FeedError, match="sent more than"):
        download(server + "/whole", io.BytesIO())


def test_a_slow_server_is_given_up(server: str) -> None:
    clock = iter([0.0, 10.0, 301.0])
    with pytest.raises(FeedError, match="took longer than 300 s"):
        download(server + "/whole", io.BytesIO(), monotonic=lambda: next(clock))


def test_a_server_that_is_not_there(free_port: object) -> None:
    with pytest.raises(FeedError, match=r"127\.0\.0\.1 cannot be fetched: ConnectionError"):
        download(f"http://127.0.0.1:{free_port()}/x", io.BytesIO())  # type: ignore[operator]
