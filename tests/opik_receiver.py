"""An Opik server small enough for tests: takes the SDK's records and keeps them as the local file would."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from rag_llm_system.infrastructure.tracing.json_lines import traces_file


class OpikReceiver(ThreadingHTTPServer):
    """``status`` is its answer to records; ``headers_seen`` are those of the requests that carried them."""

    def __init__(self, data_dir: Path, status: int = 204) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.records = traces_file(data_dir)
        self.records.parent.mkdir(parents=True)
        self.status = status
        self.headers_seen: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/api"


@contextmanager
def opik_receiver(data_dir: Path, status: int = 204) -> Iterator[OpikReceiver]:
    with OpikReceiver(data_dir, status) as receiver:
        thread = Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield receiver
        finally:
            receiver.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: OpikReceiver

    def do_GET(self) -> None:
        self._answer(200, b"{}")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        kind = self.path.removeprefix("/api/v1/private/").removesuffix("/batch")
        kind = kind.removeprefix("traces/feedback-")
        self.server.headers_seen.append({k.lower(): v for k, v in self.headers.items()})
        if self.server.status == 204:
            with self.server.records.open("a", encoding="utf-8") as file:
                for record in json.loads(body)[kind]:
                    file.write(json.dumps({"kind": kind.removesuffix("s"), **record}) + "\n")
        self._answer(self.server.status, b"")

    def do_PUT(self) -> None:
        self.do_POST()

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tests are quiet."""
