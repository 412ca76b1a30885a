"""A server of embeddings on loopback that speaks OpenAI's protocol and Ollama's."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from tests.web_server import Handler, serve

ENCODER = HashingEmbedder(max_tokens=1_000_000)


class Embeddings(Handler):
    """Vectors of length 3. ``asked`` keeps the requests; ``answers`` are given first, one to a request."""

    asked: list[dict[str, Any]]
    answers: list[tuple[int, Mapping[str, str], bytes]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(
            {**body, "path": self.path, "authorization": self.headers["Authorization"]}
        )
        if self.answers:
            self.answer(*self.answers.pop(0))
            return
        rows = [[3 * x for x in row] for row in ENCODER.embed(body["input"]).tolist()]
        data = [{"index": i, "embedding": row} for i, row in enumerate(rows)]
        said = {"/v1/embeddings": {"data": data[::-1]}, "/api/embed": {"embeddings": rows}}
        self.answer(200, {"Content-Type": "application/json"}, json.dumps(said[self.path]).encode())


@contextmanager
def embedding_server() -> Iterator[tuple[str, type[Embeddings]]]:
    """Its URL, without a path, and its handler."""
    handler = type("Handler", (Embeddings,), {"asked": [], "answers": []})
    with serve(handler) as port:
        yield f"http://127.0.0.1:{port}", handler
