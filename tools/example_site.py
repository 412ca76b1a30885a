"""Serves the example site on a free loopback port, as a web server would: types, ETags, 304, 404."""

import hashlib
import mimetypes
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

from rag_llm_system.settings import PROJECT_ROOT

SITE = PROJECT_ROOT / "examples" / "site"
HOST = "handbook.rag-llm-system.example"


@contextmanager
def serve_site(folder: Path = SITE) -> Iterator[str]:
    """The ``host:port`` the site is served on while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(folder.resolve()))
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(folder: Path) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = folder / (unquote(urlsplit(self.path).path).strip("/") or "index.html")
            hostile = "\0" in str(path) or not path.resolve().is_relative_to(folder)
            if hostile or not path.is_file():
                self._answer(HTTPStatus.NOT_FOUND, b"not found", "text/plain", "")
                return
            body = path.read_bytes()
            etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
            if self.headers.get("If-None-Match") == etag:
                self._answer(HTTPStatus.NOT_MODIFIED, b"", "", etag)
            else:
                kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
                self._answer(HTTPStatus.OK, body, kind, etag)

        def _answer(self, status: HTTPStatus, body: bytes, kind: str, etag: str) -> None:
            self.send_response(status)
            if kind:
                self.send_header("Content-Type", kind)
            if etag:
                self.send_header("ETag", etag)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """The demo's own lines say what is fetched."""

    return Handler
