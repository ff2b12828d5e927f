"""The dashboard over HTTP on this machine: its page at ``/``, fed by ``/dashboard`` and
``/courses`` (JSON); ``/metrics`` for Prometheus."""

from __future__ import annotations

import dataclasses
import json
import threading
import time
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from hasim.report.sheet import finite
from hasim.version import __version__
from hasim.watch.html.page import page
from hasim.watch.metrics import CONTENT_TYPE, openmetrics
from hasim.watch.picture import Picture
from hasim.watch.sources import Source

LOOPBACK = "127.0.0.1"
JSON = "application/json"
FRAME_S = 0.1
"""Real seconds after which the source has gone on, at the latest."""
KEPT = 600
"""Pictures of which states and suspicions are kept: the course that a page begins with."""
_MISSING = ("text/plain; charset=utf-8", b"There are /, /metrics, /dashboard and /courses.\n")
Course = tuple[float, dict[str, tuple[str, float]]]
"""A moment in seconds, with the state and the suspicion of each master then."""


class Served:
    """A source that goes on with time, and its newest picture for whoever asks.

    One thread (who calls `follow`) moves the source; those that answer requests only read.
    """

    def __init__(self, source: Source, speed: float, began_s: float | None = None) -> None:
        self.source, self.speed = source, speed
        self.began_s = time.time() if began_s is None else began_s
        self._lock = threading.Lock()
        self._shown = source.show()
        self._courses: deque[Course] = deque([_course(self._shown)], maxlen=KEPT)

    def courses(self) -> list[Course]:
        """What was to be seen of each master up to now, the oldest first."""
        with self._lock:
            return list(self._courses)

    def picture(self) -> Picture:
        """The newest picture."""
        with self._lock:
            return self._shown

    def go_on(self, lasting_s: float) -> None:
        """Go on by so many simulated seconds."""
        self.source.advance(self.source.now_ns + round(lasting_s * 1e9))
        shown = self.source.show()
        with self._lock:
            self._shown = shown
            self._courses.append(_course(shown))

    def follow(self, stop: threading.Event) -> None:
        """Go on `speed` times as fast as the clock, until told to stop; at the end stand still."""
        while not stop.wait(FRAME_S):
            if not self._shown.over:
                self.go_on(self.speed * FRAME_S)


def server(served: Served, port: int) -> ThreadingHTTPServer:
    """A server on loopback, not yet serving; port 0 takes a free one. Raises OSError."""
    pages: dict[str, Callable[[], tuple[str, bytes]]] = {
        "/metrics": lambda: (CONTENT_TYPE, openmetrics(served.picture(), served.began_s)),
        "/dashboard": lambda: (JSON, _plain(served)),
        "/courses": lambda: (JSON, _json(served.courses())),
        "/": lambda: ("text/html; charset=utf-8", page(served.source.title).encode()),
    }

    class Handler(BaseHTTPRequestHandler):
        """Answers GET and HEAD; nothing can be changed over HTTP."""

        server_version = f"hasim/{__version__}"

        def do_GET(self) -> None:
            """One of the pages."""
            self._answer(body=True)

        def do_HEAD(self) -> None:
            """The same without its body."""
            self._answer(body=False)

        def _answer(self, *, body: bool) -> None:
            page = pages.get(self.path.partition("?")[0])
            kind, text = _MISSING if page is None else page()
            self.send_response(404 if page is None else 200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            if body:
                self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is logged."""

    made = ThreadingHTTPServer((LOOPBACK, port), Handler)
    made.daemon_threads = True
    return made


def _course(shown: Picture) -> Course:
    return shown.now_s, {one.name: (one.status, one.suspicion) for one in shown.masters}


def _plain(served: Served) -> bytes:
    """A picture as JSON, without what stands in it twice."""
    shown = served.picture()
    return _json(
        {
            "title": served.source.title,
            "speed": served.speed,
            "over": shown.over,
            **dataclasses.asdict(shown),
            "board": dict(shown.board),
            "news": [list(line) for line in shown.news],
        }
    )


def _json(data: object) -> bytes:
    return (json.dumps(finite(data), allow_nan=False) + "\n").encode()
