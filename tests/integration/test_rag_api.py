"""The RAG API over HTTP, on stores in memory: what it answers, and how it refuses."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from rag_llm_system.application.preprocessing.dispatchers import CleaningDispatcher
from rag_llm_system.application.rag.answer import NO_SOURCES
from rag_llm_system.application.rag.retriever import MAX_K
from rag_llm_system.bootstrap import System, build
from rag_llm_system.domain.documents import Author, CleanedDocument, Document
from rag_llm_system.domain.errors import IncompatibleCollection, RagSystemError, StoreUnavailable
from rag_llm_system.infrastructure.inference_pipeline_api import MAX_QUERY_CHARS, create_app
from rag_llm_system.settings import Settings
from tests.unit.application.builders import document

STOPS = "The embedded server stops by itself when its last client is gone."
SPLITS = "A long chunk is embedded as several windows that point to the one chunk."
QUESTION = "How does the embedded server stop when its last client is gone?"
ADA, GRACE = Author.named("Ada Test"), Author.named("Grace Test")


def memory_system(data_dir: Path) -> System:
    return build(
        Settings(
            DATA_DIR=data_dir,
            VECTOR_STORE="memory",
            EMBEDDER="hashing",
            LLM_BACKEND="extractive",
            TRACING="off",
        )
    )


def written_by(author: Author, link: str, text: str) -> Document:
    return document(link, text, author_id=author.id, author_full_name=author.full_name)


def index(system: System, documents: Sequence[Document]) -> None:
    cleaning, indexer = CleaningDispatcher(), system.indexer()
    cleaned: list[CleanedDocument] = [c for d in documents if (c := cleaning.dispatch(d))]
    indexer.load_cleaned(cleaned)
    indexer.load_chunks(indexer.embed_changed(cleaned))


@contextmanager
def serving(open_system: Callable[[], Any]) -> Iterator[TestClient]:
    with TestClient(create_app(open_system), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    system = memory_system(tmp_path_factory.mktemp("data"))
    index(
        system,
        [
            written_by(ADA, "http://a.example/server", STOPS),
            written_by(GRACE, "http://a.example/windows", SPLITS),
        ],
    )
    with serving(lambda: system) as client:
        yield client


def ask(client: TestClient, **body: Any) -> Any:
    answered = client.post("/rag", json={"query": QUESTION, **body})
    assert answered.status_code == 200, answered.text
    return answered.json()


def test_an_answer_comes_with_its_sources(api: TestClient) -> None:
    answer = ask(api)
    assert f"{STOPS} [1]" in answer["answer"]
    assert answer["grounded"] is True
    assert answer["model"] == "extractive"
    first = answer["sources"][0]
    assert (first["n"], first["link"], first["quote"]) == (1, "http://a.example/server", STOPS)
    assert first["cited"] is True
    assert 0.3 <= first["score"] <= 1.0
    assert set(answer["timings_s"]) >= {"retrieve", "context", "generate"}


def test_an_answer_tells_how_sure_it_is_and_what_was_understood(api: TestClient) -> None:
    answer = ask(api)
    assert answer["confidence"]["level"] == "high"
    assert 0.0 < answer["confidence"]["value"] <= 1.0
    assert answer["notes"] == []
    assert answer["interpretation"] == {"conditions": []}


def test_an_author_in_the_question_is_a_condition_unless_that_is_switched_off(
    api: TestClient,
) -> None:
    about_ada = "What does Ada Test say about a long chunk and its windows?"
    understood, plain = ask(api, query=about_ada), ask(api, query=about_ada, self_query=False)
    assert {s["link"] for s in understood["sources"]} <= {"http://a.example/server"}
    assert any("Ada Test" in note for note in understood["notes"])
    assert plain["sources"][0]["link"] == "http://a.example/windows"
    assert plain["notes"] == []


def test_k_limits_the_sources(api: TestClient) -> None:
    assert len(ask(api, query=f"{STOPS} {SPLITS}")["sources"]) == 2
    assert len(ask(api, query=f"{STOPS} {SPLITS}", k=1)["sources"]) == 1


@pytest.mark.parametrize(
    ("authors", "links"),
    [
        (ADA.id, ["server"]),
        ([GRACE.id], ["windows"]),
        ([ADA.id, GRACE.id], ["server", "windows"]),
    ],
)
def test_sources_meet_the_conditions(
    api: TestClient, authors: str | list[str], links: list[str]
) -> None:
    answer = ask(api, query=f"{STOPS} {SPLITS}", where={"author_id": authors})
    assert sorted(s["link"].rpartition("/")[2] for s in answer["sources"]) == links


def test_no_source_means_no_answer(api: TestClient, tmp_path: Path) -> None:
    nobody = ask(api, where={"author_id": "nobody"})
    with serving(lambda: memory_system(tmp_path)) as empty:
        for answer in (nobody, ask(empty)):
            assert (answer["answer"], answer["sources"], answer["grounded"]) == (
                NO_SOURCES,
                [],
                False,
            )
            assert answer["confidence"] is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "query: Field required"),
        ({"query": ""}, "query: String should have at least 1 character"),
        ({"query": "a" * (MAX_QUERY_CHARS + 1)}, "query: String should have at most 4000"),
        ({"query": "a", "k": 0}, "k: Input should be greater than or equal to 1"),
        ({"query": "a", "k": MAX_K + 1}, f"k: Input should be less than or equal to {MAX_K}"),
        ({"query": "a", "where": [1]}, "where: Input should be a valid dictionary"),
        ({"query": "a", "self_query": "perhaps"}, "self_query: Input should be a valid boolean"),
        ({"query": "a", "top_k": 3}, "top_k: Extra inputs are not permitted"),
        ({"query": 1, "k": "x"}, "query: Input should be a valid string; k: Input should be"),
    ],
)
def test_a_bad_question_is_refused_in_one_line(
    api: TestClient, body: dict[str, Any], message: str
) -> None:
    refused = api.post("/rag", json=body)
    assert refused.status_code == 422
    assert set(refused.json()) == {"error"}
    assert refused.json()["error"].startswith(message)
    assert "\n" not in refused.json()["error"]


def test_what_is_not_json_is_refused_in_one_line(api: TestClient) -> None:
    refused = api.post("/rag", content=b"{query", headers={"Content-Type": "application/json"})
    assert (refused.status_code, set(refused.json())) == (422, {"error"})


def test_a_question_of_blanks_is_the_callers_error(api: TestClient) -> None:
    refused = api.post("/rag", json={"query": "  "})
    assert (refused.status_code, refused.json()) == (
        400,
        {"error": "the question is empty; ask something"},
    )


class FailingSystem:
    """A system whose retrieval ends with an error; it says when it is closed."""

    def __init__(self, error: RagSystemError, tracer: Any) -> None:
        self._error = error
        self.tracer = tracer
        self.retriever = self
        self.writer = None
        self.context_builder = None

    def warm_up(self) -> None:
        """Nothing to load."""
        self.closed = False

    def retrieve(self, *_: object, **__: object) -> None:
        raise self._error

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (IncompatibleCollection("made with another encoder"), 400, "made with another encoder"),
        (
            StoreUnavailable("no answer from mongodb://ada:hunter2@db.example"),
            503,
            "no answer from mongodb://***@db.example",
        ),
    ],
)
def test_an_error_of_ours_has_its_status_and_tells_no_secret(
    tmp_path: Path, error: RagSystemError, status: int, message: str
) -> None:
    with serving(lambda: FailingSystem(error, memory_system(tmp_path).tracer)) as client:
        failed = client.post("/rag", json={"query": "Why?"})
    assert (failed.status_code, failed.json()) == (status, {"error": message})


def test_the_app_closes_the_system_it_opened(tmp_path: Path) -> None:
    system = FailingSystem(StoreUnavailable("gone"), memory_system(tmp_path).tracer)
    with serving(lambda: system):
        assert not system.closed
    assert system.closed


def test_health_answers_while_the_system_is_loading_and_questions_wait(tmp_path: Path) -> None:
    may_load = threading.Event()

    def slow() -> System:
        may_load.wait(10)
        return memory_system(tmp_path)

    with serving(slow) as client:
        assert client.get("/health").json() == {"status": "loading"}
        answers: list[Any] = []
        asking = threading.Thread(target=lambda: answers.append(ask(client)))
        asking.start()
        assert client.get("/health").json() == {"status": "loading"}
        may_load.set()
        asking.join(10)
        assert [answer["answer"] for answer in answers] == [NO_SOURCES]
        assert client.get("/health").json() == {"status": "ready"}


def test_a_system_that_could_not_be_loaded_says_why() -> None:
    def broken() -> System:
        raise StoreUnavailable("no answer from mongodb://ada:hunter2@db.example; start it")

    reason = "no answer from mongodb://***@db.example; start it"
    with serving(broken) as client:
        failed = client.post("/rag", json={"query": "Why?"})
        health = client.get("/health").json()
    assert failed.json() == {"error": reason}
    assert health == {"status": "failed", "error": reason}


def test_a_wrong_setting_shows_when_the_system_is_loaded(tmp_path: Path) -> None:
    wrong = Settings(DATA_DIR=tmp_path, VECTOR_STORE="memory", EMBEDDER="nothing", TRACING="off")
    with serving(lambda: build(wrong)) as client:
        failed = client.post("/rag", json={"query": "Why?"})
    assert failed.status_code == 400
    assert failed.json()["error"].startswith("unknown embedder 'nothing'; known: hashing")


def test_the_api_describes_itself(api: TestClient) -> None:
    described = api.get("/openapi.json").json()
    assert set(described["paths"]) == {"/health", "/rag"}
    assert set(described["components"]["schemas"]) >= {"RagRequest", "RagResponse", "AnswerSource"}
    assert api.get("/docs").status_code == 200
