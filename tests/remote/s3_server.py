"""A local server that speaks S3 (moto), behind a line with faults."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BUCKET = "brains"
REFUSED = (
    b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
)
BUSY = (
    b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Reduce your rate</Message></Error>"
)
#: What is passed on of a request, and of an answer.
KEPT = ("content-length", "transfer-encoding", "connection", "host")


class Line(ThreadingHTTPServer):
    """Passes requests on to a server.

    Attributes
    ----------
    asked : list of (str, str)
        Method and path of every request, in order.
    fault : function of (str, str, int) to str
        Of a method, a path and how often it was asked before: what goes wrong. ``cut``: half of
        the answer comes; ``flip``: a bit changes; ``busy``, ``refused``: 503, 403; ``gone``: no
        answer at all.
    """

    daemon_threads = True

    def __init__(self, server: tuple[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.server = server
        self.asked: list[tuple[str, str]] = []
        self.fault: Callable[[str, str, int], str] = lambda method, path, before: ""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: object) -> None:
        """Say nothing of broken lines: they are the point."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Line

    def log_message(self, *_: object) -> None:
        pass

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = (self.command, self.path)
        before = self.server.asked.count(request)
        self.server.asked.append(request)
        fault = self.server.fault(*request, before)
        if fault == "gone":
            self.close_connection = True
            return
        if fault in ("busy", "refused"):
            status, content = (503, BUSY) if fault == "busy" else (403, REFUSED)
            headers = [("Content-Type", "application/xml")]
        else:
            upstream = http.client.HTTPConnection(*self.server.server, timeout=30)
            sent = {k: v for k, v in self.headers.items() if k.lower() not in KEPT}
            upstream.request(self.command, self.path, body, sent)
            answer = upstream.getresponse()
            status, content = answer.status, answer.read()
            headers = [(k, v) for k, v in answer.getheaders() if k.lower() not in KEPT]
            length = answer.getheader("Content-Length")
            upstream.close()
        if fault == "flip" and content:
            content = bytes([content[0] ^ 1]) + content[1:]
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        whole = length if self.command == "HEAD" and fault == "" else len(content)
        self.send_header("Content-Length", str(whole or 0))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if fault == "cut" else content)
        if fault == "cut":
            self.close_connection = True

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):  # every method
            return self._pass_on
        raise AttributeError(name)


@contextmanager
def line_to(server: tuple[str, int]) -> Iterator[Line]:
    line = Line(server)
    threading.Thread(target=line.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield line
    finally:
        line.shutdown()
        line.server_close()
