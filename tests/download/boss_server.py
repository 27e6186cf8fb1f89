"""A local server that answers like BossDB's v1 interface, with faults on demand."""

from __future__ import annotations

import gzip
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
from numcodecs import Blosc

IMAGE = "prasad/prasad2020/image"
AREAS = "prasad/prasad2020/region_of_interest"
#: Slices, rows and columns of the tiny volume.
SHAPE = (40, 30, 50)

CUTOUT = re.compile(r"/v1/cutout/(.+?)/0/(\d+):(\d+)/(\d+):(\d+)/(\d+):(\d+)/(\?.*)?")
CHANNEL = re.compile(r"/v1/collection/(\w+)/experiment/(\w+)/channel/(\w+)")


class Boss(ThreadingHTTPServer):
    """The server and what it was asked.

    ``faults`` are used up one by one by requests for data; ``always`` spoils every one of them.
    After ``answers`` requests for data the next ones wait until ``gate`` is set.
    """

    daemon_threads = True

    def __init__(self, channels: dict[str, np.ndarray]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.channels = channels
        self.faults: list[str] = []
        self.always = ""
        self.answers = 1_000_000
        self.gate = threading.Event()
        self.described: list[str] = []
        self.asked: list[tuple[int, int]] = []
        self.headers: list[dict[str, str]] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing when a client that was killed is gone."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def serving(channels: dict[str, np.ndarray]) -> Iterator[Boss]:
    with Boss(channels) as boss:
        thread = threading.Thread(target=boss.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield boss
        finally:
            boss.gate.set()
            boss.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: Boss
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.headers.append(dict(self.headers))
        described, cutout = CHANNEL.fullmatch(self.path), CUTOUT.fullmatch(self.path)
        if self.headers["Authorization"] != "Token public":
            self._refuse(403, "Access denied, are you logged in?")
        elif described:
            self._describe("/".join(described.groups()))
        elif cutout:
            channel, *ranges, _ = cutout.groups()
            self._cut_out(channel, *map(int, ranges))
        else:
            self._refuse(404, "no such route")

    def _describe(self, name: str) -> None:
        self.server.described.append(name)
        if name not in self.server.channels:
            self._refuse(404, f"{name} does not exist.")
            return
        dtype = str(self.server.channels[name].dtype)
        self._answer(200, json.dumps({"name": name.rpartition("/")[2], "datatype": dtype}).encode())

    def _cut_out(self, name: str, x0: int, x1: int, y0: int, y1: int, z0: int, z1: int) -> None:
        self.server.asked.append((z0, z1))
        if len(self.server.asked) > self.server.answers:
            self.server.gate.wait(120)
        fault = self.server.faults.pop(0) if self.server.faults else self.server.always
        values = self.server.channels[name][z0:z1, y0:y1, x0:x1]
        body = Blosc("blosclz", 5).encode(np.ascontiguousarray(values))
        if fault.isdecimal():
            self._refuse(int(fault), "so it is\ntoday")
        elif fault == "cut":
            self._answer(200, body[: len(body) // 2], "application/blosc", announced=len(body))
            self.close_connection = True
        elif fault == "hang up":
            self.close_connection = True
        elif fault == "short":
            self._answer(200, body[:-7], "application/blosc")
        elif fault == "size":
            body = Blosc().encode(np.zeros(values.size + 1, dtype=values.dtype))
            self._answer(200, body, "application/blosc")
        elif fault == "damaged":
            spoiled = body[:16] + b"\xff" * (len(body) - 16)
            self._answer(200, spoiled, "application/blosc")
        elif fault == "page":
            self._answer(200, b"<html>please log in</html>", "text/html")
        elif fault in ("endless", "packed", "slow"):
            self._overdo(fault, body)
        elif fault == "silent":
            time.sleep(1.5)
        else:
            assert not fault, fault
            self._answer(200, body, "application/blosc")

    def _overdo(self, fault: str, body: bytes) -> None:
        """Send more than was asked for, packed, or hardly anything at a time."""
        kind = "application/blosc"
        if fault == "endless":
            self._answer(200, body + bytes(1 << 20), kind)
        elif fault == "packed":
            self._answer(200, gzip.compress(bytes(30_000_000)), kind, encoding="gzip")
        else:
            self._answer(200, b"", kind, announced=len(body))
            for value in body:
                self.wfile.write(bytes([value]))
                time.sleep(0.05)

    def _refuse(self, status: int, message: str) -> None:
        content = {"status": status, "code": 2000, "message": message}
        self._answer(status, json.dumps(content).encode())

    def _answer(
        self,
        status: int,
        body: bytes,
        kind: str = "application/json",
        announced: int | None = None,
        encoding: str | None = None,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if announced is None else announced))
        if encoding is not None:
            self.send_header("Content-Encoding", encoding)
        if status == 429:
            self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass
