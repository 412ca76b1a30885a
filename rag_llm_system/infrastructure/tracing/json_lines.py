"""The tracer's home without a server: what the Opik SDK would send is appended to a file of JSON lines."""

import gzip
import json
import os
from pathlib import Path

import httpx

from rag_llm_system.domain.errors import StorageFull

_KINDS = {"/traces/batch": "trace", "/spans/batch": "span", "/traces/feedback-scores": "score"}


def traces_file(data_dir: Path) -> Path:
    """Where the traces of that data directory are kept."""
    return data_dir / "traces" / "traces.jsonl"


class JsonLinesTransport(httpx.BaseTransport):
    """Answers the SDK as a server would, and opens no socket.

    Records are those of Opik's own REST interface, so the file can be replayed to a server later: ids are
    kept, and ingestion is an upsert. It grows by about 1 kB per span; deleting it loses nothing but history.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        kind = next((kind for end, kind in _KINDS.items() if request.url.path.endswith(end)), None)
        if kind is not None:
            self._append(kind, request)
            return httpx.Response(204, request=request)
        healthy = request.url.path.endswith("/is-alive/ping")
        return httpx.Response(200 if healthy else 404, json={}, request=request)

    def _append(self, kind: str, request: httpx.Request) -> None:
        body = request.read()
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            for record in json.loads(body)[f"{kind}s"]:
                self._write(descriptor, {"kind": kind, **record})
        finally:
            os.close(descriptor)

    def _write(self, descriptor: int, record: dict[str, object]) -> None:
        # One write per record: processes that append at the same time do not mix their lines.
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"
        encoded = line.encode("utf-8", "replace")
        if os.write(descriptor, encoded) < len(encoded):
            raise StorageFull(
                f"{self._path}: the disk took a part of a trace only; free some space"
            )
