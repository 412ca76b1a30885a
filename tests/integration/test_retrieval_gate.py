"""The pipeline's last step as users meet it: a good index goes live, a worse one is refused and the old one answers."""

import gzip
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from rag_llm_system.bootstrap import System, build
from rag_llm_system.infrastructure.tracing.opik_experiments import (
    ExperimentRow,
    OpikServer,
    log_experiment,
)
from rag_llm_system.settings import PROJECT_ROOT, Settings

DEADLINE_S = 120.0
ALIAS = "article_chunks_embedded"


@dataclass(frozen=True)
class Clone:
    """A data directory of its own, and forty records that are indexed into it."""

    folder: Path

    @property
    def settings(self) -> dict[str, str]:
        empty = ("DATABASE_HOST", "QDRANT_DATABASE_HOST", "OPIK_URL_OVERRIDE", "OPIK_API_KEY")
        return {
            **dict.fromkeys(empty, ""),
            "DATA_DIR": str(self.folder / "data"),
            "EMBEDDER": "hashing",
            "TRACING": "off",
            "USE_QDRANT_CLOUD": "false",
            "VECTOR_STORE": "qdrant",
        }

    @contextmanager
    def system(self) -> Iterator[System]:
        with build(Settings(**self.settings)) as system:  # type: ignore[arg-type]
            yield system

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        others = {
            name: value
            for name, value in os.environ.items()
            if name not in Settings.model_fields and not name.startswith(("ZENML_", "OPIK_"))
        }
        return subprocess.run(
            [sys.executable, "-m", "tools.run", *arguments],
            cwd=PROJECT_ROOT,
            env={**others, **self.settings},
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE_S,
        )


def word(some: random.Random) -> str:
    return "".join(some.choice("bdfgklmnprst") + some.choice("aeiou") for _ in range(4))


def record(number: int) -> dict[str, object]:
    some = random.Random(number)  # noqa: S311 - always the same text
    sentences = [
        f"The {word(some)} of {word(some)} waits beside the {word(some)} and its {word(some)} {word(some)}."
        for _ in range(5)
    ]
    return {
        "category": "articles",
        "link": f"http://site.example/{number}",
        "title": f"Berth {number}",
        "text": " ".join(sentences),
    }


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return Clone(tmp_path_factory.mktemp("gate"))


@pytest.fixture(scope="module")
def first(clone: Clone) -> subprocess.CompletedProcess[str]:
    rows = clone.folder / "records.jsonl"
    lines = [json.dumps(record(number)) for number in range(40)]
    rows.write_text("\n".join(lines) + "\n", encoding="utf-8")
    config = {
        "author_links": [{"user_full_name": "Ada Test", "links": [f"file:{rows}"]}],
        "crawl": {"allow_local": True, "browser": "off"},
    }
    path = clone.folder / "mine.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return clone.run("end_to_end_data", "--config", str(path))


@pytest.fixture(scope="module")
def damaged(clone: Clone, first: subprocess.CompletedProcess[str]) -> str:
    """The collection in use, with the vectors of its points shuffled."""
    with clone.system() as system:
        live = str(system.vectors.aliases()[ALIAS])
        records = list(system.vectors.scan(live, with_vectors=True))
        others = random.Random(3).sample(records, len(records))  # noqa: S311 - any order
        mixed = [
            one.model_copy(update={"vector": other.vector, "terms": other.terms})
            for one, other in zip(records, others, strict=True)
        ]
        system.vectors.upsert(live, mixed)
        system.vectors.publish(live)
    return live


@pytest.fixture(scope="module")
def refused(clone: Clone, damaged: str) -> subprocess.CompletedProcess[str]:
    return clone.run("feature_engineering")


def test_a_good_index_goes_live_and_its_results_are_remembered(
    clone: Clone, first: subprocess.CompletedProcess[str]
) -> None:
    assert first.returncode == 0, first.stderr
    assert "questions of the documents, by proposal" in first.stderr
    with clone.system() as system:
        assert system.vectors.count(ALIAS) >= 40
    accepted = json.loads((clone.folder / "data" / "retrieval_gate.json").read_text("utf-8"))
    assert len(accepted) >= 20
    assert {"answers", "vectors"} == {way for ways in accepted.values() for way in ways}


def test_a_worse_index_fails_the_run_with_the_questions_that_got_worse(
    clone: Clone, damaged: str, refused: subprocess.CompletedProcess[str]
) -> None:
    assert refused.returncode == 2
    worse = [line for line in refused.stderr.splitlines() if line.startswith("  worse: ")]
    assert 1 < len(worse) <= 10
    assert "http://site.example/" in worse[0]
    [error] = [line for line in refused.stderr.splitlines() if line.startswith("error: ")]
    assert refused.stderr.splitlines()[-1] == error
    assert "the index in use is not as good as it was" in error
    assert "poe drop-vectors" in error
    with clone.system() as system:
        assert system.vectors.aliases()[ALIAS] == damaged


@dataclass
class _Opik:
    """As much of Opik's REST interface as datasets and experiments need."""

    items: list[dict[str, Any]] = field(default_factory=list)
    posted: dict[str, list[Any]] = field(default_factory=dict)

    def handler(self) -> type[BaseHTTPRequestHandler]:
        opik = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(200, opik.answer(self.path))

            def do_POST(self) -> None:
                self._take()

            def do_PUT(self) -> None:
                self._take()

            def _take(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers["Content-Encoding"] == "gzip":
                    body = gzip.decompress(body)
                self._answer(*opik.take(self.path.partition("?")[0], json.loads(body)))

            def _answer(self, status: int, answer: object) -> None:
                content = b"" if answer is None else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Tests are quiet."""

        return Handler

    def answer(self, path: str) -> object:
        if "/items" in path:
            shown = self.items if "page=1" in path else []
            return {"content": shown, "page": 1, "size": len(shown), "total": len(self.items)}
        if "/versions" in path:
            return {"content": [], "page": 1, "size": 0, "total": 0}
        return {"id": DATASET_ID, "name": "golden", "version": "2.2"}

    def take(self, path: str, body: Any) -> tuple[int, object]:
        name = path.removeprefix("/api/v1/private/")
        self.posted.setdefault(name, []).append(body)
        if name == "datasets/items":
            self.items += body["items"]
        if name == "datasets/retrieve":
            return 200, {"id": DATASET_ID, "name": "golden"}
        if name == "datasets/items/stream":
            return 200, None
        return 204, None


DATASET_ID = "0198c0de-0000-7000-8000-000000000001"


@contextmanager
def opik_server() -> Iterator[tuple[_Opik, str]]:
    opik = _Opik()
    with ThreadingHTTPServer(("127.0.0.1", 0), opik.handler()) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield opik, f"http://127.0.0.1:{server.server_port}/api"
        finally:
            server.shutdown()
            thread.join()


ROWS = [
    ExperimentRow({"question": f"Who {n}?", "link": "http://a.example"}, {"rank": n}, {"rr": 0.5})
    for n in range(3)
]


def test_an_evaluation_is_an_experiment_over_the_dataset_of_its_questions() -> None:
    with opik_server() as (opik, url):
        server = OpikServer(url, "", "default", "twin")
        assert log_experiment(server, ROWS, dataset="golden", name="run-1", config={"passed": True})
    assert [item["data"]["question"] for item in opik.items] == ["Who 0?", "Who 1?", "Who 2?"]
    [experiment] = opik.posted["experiments"]
    assert (experiment["name"], experiment["dataset_name"]) == ("run-1", "golden")
    references = [
        item for one in opik.posted["experiments/items"] for item in one["experiment_items"]
    ]
    assert {one["dataset_item_id"] for one in references} == {item["id"] for item in opik.items}
    traces = [trace for one in opik.posted["traces/batch"] for trace in one["traces"]]
    assert {one["trace_id"] for one in references} == {trace["id"] for trace in traces}


def test_a_server_that_is_not_there_costs_a_warning_and_little_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = OpikServer("http://127.0.0.1:9/api", "", "default", "twin")
    assert not log_experiment(server, ROWS, dataset="golden", name="run-1", config={})
    [record] = caplog.records
    assert "the evaluation is not on http://127.0.0.1:9/api" in record.getMessage()
