"""Other ways to keep the same page current: `python -m bench.peers.pages PORT PAGE CELLS HZ`.

PAGE is a file with our own page; its table and its style stay, its scripts go. `/script` is kept current by a
few lines of JavaScript, `/htmx2` by htmx 2 with out-of-band swaps. HZ times a second the next CELLS prices
change, without a flash.
"""

from __future__ import annotations

import itertools
import json
import re
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
_SCRIPTS: Final = re.compile(
    r"<script.*?</script>|<noscript>.*?</noscript>|<div id=\"(?:stream|watchdog)\".*?</div>", re.DOTALL
)
_PRICES: Final = re.compile(r'<span id="(ltp-[A-Z_]+-\d+)"')
_ATTRIBUTES: Final = re.compile(r' hx-[a-z:]+="[^"]*"')
_HEADS: Final = {
    "script": '<script src="/files/bench/peers/hand_written.js" defer></script>',
    "htmx2": '<script src="/files/bench/vendor/htmx.org@2.0.11/htmx.min.js" defer></script>'
    '<script src="/files/bench/vendor/htmx.org@2.0.11/sse.min.js" defer></script>',
}
_CONNECTOR: Final = (
    '<div hidden hx-ext="sse" sse-connect="/changes/htmx2" sse-swap="message" hx-swap="none"></div>'
)
_TYPES: Final = {".css": "text/css", ".js": "text/javascript"}


class Pages(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, page: str, cells: int, hz: float) -> None:
        super().__init__(("127.0.0.1", port), _Answer)
        self.page, self.cells, self.hz = _ATTRIBUTES.sub("", _SCRIPTS.sub("", page)), cells, hz
        self.ids = _PRICES.findall(page)

    def page_of(self, kind: str) -> str:
        page = self.page.replace("</head>", f"{_HEADS[kind]}</head>").replace("/static/", "/files/static/")
        return page.replace("</body>", f"{_CONNECTOR}</body>") if kind == "htmx2" else page

    def changes(self, kind: str) -> Iterator[str]:
        ids = itertools.cycle(enumerate(self.ids))
        for turn in itertools.count():
            time.sleep(1 / self.hz)
            prices = {
                id_: f"₹{1_250 + number * 0.1 + (turn * 7 + number) % 40 * 0.05:,.2f}"
                for number, id_ in itertools.islice(ids, self.cells)
            }
            yield (
                json.dumps(prices)
                if kind == "script"
                else "".join(itertools.starmap(_out_of_band, prices.items()))
            )


def _out_of_band(id_: str, price: str) -> str:
    return f'<span id="{id_}" hx-swap-oob="innerHTML"><b>{price}</b> <i>live</i></span>'


class _Answer(BaseHTTPRequestHandler):
    server: Pages

    def do_GET(self) -> None:
        kind, _, rest = self.path.partition("?")[0][1:].partition("/")
        if kind in _HEADS:
            self._send(self.server.page_of(kind).encode(), "text/html; charset=utf-8")
        elif kind == "files":
            path = ROOT / rest
            self._send(path.read_bytes(), _TYPES.get(path.suffix, "application/octet-stream"))
        elif kind == "changes":
            self._stream(rest)
        else:
            self.send_error(404)

    def _send(self, body: bytes, type_: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", type_)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        try:
            for data in self.server.changes(kind):
                self.wfile.write(f"data: {data}\n\n".encode())
        except OSError:
            return  # the page was closed

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


if __name__ == "__main__":
    Pages(
        int(sys.argv[1]), Path(sys.argv[2]).read_text(), int(sys.argv[3]), float(sys.argv[4])
    ).serve_forever()
