"""What the adapter sends over HTTP, against the Qdrant server's published OpenAPI schema (tests/data/qdrant)."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from jsonschema import Draft202012Validator, ValidationError
from qdrant_client import QdrantClient

from rag_llm_system.domain.ports import CollectionSpec, Record
from rag_llm_system.domain.queries import Range, Where
from rag_llm_system.infrastructure.vector_stores.qdrant_adapter import QdrantAdapter

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "data/qdrant/openapi-subset.json").read_text(encoding="utf-8")
)
SPEC = CollectionSpec(
    dimension=3,
    encoder="toy",
    terms="words",
    keyword_fields=("author_id", "a.b"),
    integer_fields=("year",),
)
THERE = "articles"
WITH_ALIAS, ALIAS = "articles__1", "live"
IDS = [f"00000000-0000-0000-0000-{n:012d}" for n in range(600)]
QUERY = np.array([1, 0, 0], dtype=np.float32)
EVERY_KIND: Where = {
    "author_id": ["ada", "bob"],
    "a.b": "dotted",
    "year": Range(gte=2000, lte=2020),
    "rating": Range(gte=1.5),
    "draft": True,
    "views": 12,
    "big": 2**53 + 1,
    "mixed": ["a", 1, 2.5, False, 2**60],
    "never": [],
}


@dataclass(frozen=True)
class Sent:
    """A request, its path as the schema writes it."""

    method: str
    path: str
    parameters: dict[str, Any]
    body: Any


@dataclass
class Server:
    """Answers plausibly, as if it had two collections, and keeps what it was asked."""

    sent: list[Sent] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        parts = request.url.path.split("/")
        name = parts[2] if len(parts) > 2 and parts[2] != "aliases" else ""
        path = "/".join("{collection_name}" if part == name else part for part in parts)
        sent = Sent(
            request.method.lower(),
            path if name else request.url.path,
            {key: plain(value) for key, value in request.url.params.items()},
            json.loads(request.content) if request.content else None,
        )
        self.sent.append(sent)
        result = ANSWERS[sent.method, sent.path](name, sent.body)
        return httpx.Response(200, json={"result": result, "status": "ok", "time": 0.0})

    @property
    def operations(self) -> set[tuple[str, str]]:
        return {(one.method, one.path) for one in self.sent}


def plain(parameter: str) -> Any:
    try:
        return json.loads(parameter)
    except ValueError:
        return parameter


def a_point(point_id: str) -> dict[str, Any]:
    return {"id": point_id, "version": 1, "score": 0.5, "payload": {}, "vector": {"dense": [1.0]}}


def info(name: str, body: Any) -> dict[str, Any]:
    config = {
        "params": {
            "vectors": {"dense": {"size": 3, "distance": "Cosine"}},
            "sparse_vectors": {"terms": {"modifier": "idf"}},
        },
        "hnsw_config": {"m": 16, "ef_construct": 100, "full_scan_threshold": 10_000},
        "optimizer_config": {
            "deleted_threshold": 0.2,
            "vacuum_min_vector_number": 1_000,
            "default_segment_number": 0,
            "flush_interval_sec": 5,
        },
        "metadata": {"rag_llm_system": SPEC.model_dump(mode="json")},
    }
    return {
        "status": "green",
        "optimizer_status": "ok",
        "segments_count": 1,
        "config": config,
        "payload_schema": {},
    }


def page(name: str, body: dict[str, Any]) -> dict[str, Any]:
    start = IDS.index(body["offset"]) if body.get("offset") else 0
    end = start + body["limit"]
    following = IDS[end] if end < len(IDS) else None
    points = [{"id": one, "payload": {}} for one in IDS[start:end]]
    return {"points": points, "next_page_offset": following}


def found(name: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"points": [a_point(one) for one in IDS[:2]]} for _ in body["searches"]]


def done(name: str, body: Any) -> dict[str, Any]:
    return {"operation_id": 1, "status": "completed"}


ANSWERS: dict[tuple[str, str], Callable[[str, Any], Any]] = {
    ("get", "/collections"): lambda name, body: {
        "collections": [{"name": THERE}, {"name": WITH_ALIAS}]
    },
    ("get", "/aliases"): lambda name, body: {
        "aliases": [{"alias_name": ALIAS, "collection_name": WITH_ALIAS}]
    },
    ("post", "/collections/aliases"): lambda name, body: True,
    ("get", "/collections/{collection_name}/exists"): lambda name, body: {
        "exists": name in {THERE, WITH_ALIAS, ALIAS}
    },
    ("get", "/collections/{collection_name}"): info,
    ("put", "/collections/{collection_name}"): lambda name, body: True,
    ("patch", "/collections/{collection_name}"): lambda name, body: True,
    ("delete", "/collections/{collection_name}"): lambda name, body: True,
    ("put", "/collections/{collection_name}/index"): done,
    ("put", "/collections/{collection_name}/points"): done,
    ("post", "/collections/{collection_name}/points/delete"): done,
    ("post", "/collections/{collection_name}/points/scroll"): page,
    ("post", "/collections/{collection_name}/points/count"): lambda name, body: {"count": 3},
    ("post", "/collections/{collection_name}/points/query/batch"): found,
}


def records(count: int) -> list[Record]:
    payload = {"author_id": "ada", "nested": {"a": [None, 1.5]}, "big": 2**62}
    return [
        Record(id=one, vector=(1.0, 2.0, 2.0), terms={n % 2: 1.0} if n % 3 else {}, payload=payload)
        for n, one in enumerate(IDS[:count])
    ]


def ensures(store: QdrantAdapter) -> None:
    store.ensure("new", SPEC)
    store.ensure("new_without_vectors", CollectionSpec(keyword_fields=("author_id",)))
    store.ensure(THERE, SPEC.model_copy(update={"integer_fields": ("year", "rating")}))


def points_aliases(store: QdrantAdapter) -> None:
    store.point_aliases({ALIAS: THERE, "live_posts": WITH_ALIAS})
    store.point_aliases({ALIAS: None})


def searches(store: QdrantAdapter) -> None:
    store.search(THERE, QUERY, limit=5)
    store.search(ALIAS, QUERY, limit=5, where=EVERY_KIND, fields=["a.b", "year"])


def searches_in_batches(store: QdrantAdapter) -> None:
    store.search_batch(THERE, np.stack([QUERY] * 70), limit=5, where=EVERY_KIND)


def searches_for_terms(store: QdrantAdapter) -> None:
    store.search_terms(THERE, [{2**32 - 1: 1.5, 7: 1.0}] * 70, limit=5)
    store.search_terms(ALIAS, [{}, {7: 1.0}], limit=5, where=EVERY_KIND, fields=["a.b", "year"])


def scans(store: QdrantAdapter) -> None:
    list(store.scan(THERE))
    list(store.scan(THERE, where=EVERY_KIND, after=IDS[3], fields=["a.b", "year"]))
    list(store.scan(THERE, fields=[], with_vectors=True))


CALLS: dict[str, Callable[[QdrantAdapter], object]] = {
    "claim": lambda store: store.claim(),
    "ensure": ensures,
    "collections": lambda store: store.collections(),
    "aliases": lambda store: store.aliases(),
    "point_aliases": points_aliases,
    "upsert": lambda store: store.upsert(THERE, records(300)),
    "search": searches,
    "search_batch": searches_in_batches,
    "search_terms": searches_for_terms,
    "scan": scans,
    "delete": lambda store: store.delete(THERE, IDS[:2]),
    "delete_where": lambda store: store.delete_where(THERE, EVERY_KIND),
    "count": lambda store: (store.count(THERE), store.count(THERE, where=EVERY_KIND)),
    "publish": lambda store: store.publish(THERE),
    "drop": lambda store: store.drop(THERE),
    "close": lambda store: store.close(),
    "capabilities": lambda store: store.capabilities,
}


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def store(server: Server) -> Iterator[QdrantAdapter]:
    client = QdrantClient(
        url="https://q.test",
        check_compatibility=False,
        transport=httpx.MockTransport(server.answer),
    )
    store = QdrantAdapter(url="https://q.test", client=client)
    yield store
    store.close()


def check(sent: Sent) -> None:
    """Raises ValidationError, or KeyError for an operation that the server does not have."""
    operation = SCHEMA["paths"][sent.path][sent.method]
    validate(sent.parameters, operation["parameters"])
    if "requestBody" in operation:
        validate(sent.body, operation["requestBody"])
    else:
        assert sent.body is None


def validate(value: Any, schema: dict[str, Any]) -> None:
    Draft202012Validator({**schema, "components": SCHEMA["components"]}).validate(value)


@pytest.mark.parametrize("method", CALLS)
def test_every_request_is_one_that_the_server_knows(
    store: QdrantAdapter, server: Server, method: str
) -> None:
    CALLS[method](store)

    for sent in server.sent:
        check(sent)


def test_every_method_is_driven_here() -> None:
    public = {name for name in vars(QdrantAdapter) if not name.startswith("_")}

    assert CALLS.keys() == public


def test_the_schema_holds_the_operations_that_are_sent_and_no_others(
    store: QdrantAdapter, server: Server
) -> None:
    for call in CALLS.values():
        call(store)

    published = {(m, path) for path, methods in SCHEMA["paths"].items() for m in methods}
    assert server.operations == published


@pytest.mark.parametrize(
    "changes",
    [
        {"limit": "ten"},
        {"with_payloads": True},
        {"filter": {"must": [{"key": "a", "match": {"anyof": ["b"]}}]}},
        {"filter": {"must": [{"key": 1}]}},
        {"params": {"hnsw_ef": 12.5}},
        {"query": {"indices": [1], "weights": [1.0]}},
    ],
)
def test_the_schema_refuses_what_the_server_would_not_understand(
    store: QdrantAdapter, server: Server, changes: dict[str, Any]
) -> None:
    store.search(THERE, QUERY, limit=5)
    sent = server.sent[-1]
    body = {"searches": [{**one, **changes} for one in sent.body["searches"]]}

    with pytest.raises(ValidationError):
        check(Sent(sent.method, sent.path, sent.parameters, body))


def test_all_aliases_are_switched_by_one_request(store: QdrantAdapter, server: Server) -> None:
    store.point_aliases({ALIAS: THERE, "live_posts": WITH_ALIAS})

    (sent,) = [one for one in server.sent if one.path == "/collections/aliases"]
    assert sent.body["actions"] == [
        {"delete_alias": {"alias_name": ALIAS}},
        {"create_alias": {"collection_name": THERE, "alias_name": ALIAS}},
        {"create_alias": {"collection_name": WITH_ALIAS, "alias_name": "live_posts"}},
    ]


def test_writes_are_answered_when_they_are_done(store: QdrantAdapter, server: Server) -> None:
    store.upsert(THERE, records(300))
    store.delete(THERE, IDS[:2])
    store.delete_where(THERE, {"author_id": "ada"})

    writes = [one for one in server.sent if one.parameters]
    assert [one.parameters for one in writes] == [{"wait": True}] * 4
    assert [len(one.body["points"]) for one in writes if one.method == "put"] == [256, 44]


def test_questions_of_a_batch_travel_together(store: QdrantAdapter, server: Server) -> None:
    searches_in_batches(store)

    asked = [len(one.body["searches"]) for one in server.sent if one.path.endswith("/query/batch")]
    assert asked == [64, 6]


def test_terms_are_a_sparse_vector_beside_the_dense_one(
    store: QdrantAdapter, server: Server
) -> None:
    store.ensure("new", SPEC)
    store.ensure("new_without_terms", SPEC.model_copy(update={"terms": ""}))
    store.upsert(THERE, records(2))
    found = store.search_terms(THERE, [{}, {9: 0.5, 7: 1.0}], limit=5, fields=["year"])

    created = [
        one.body.get("sparse_vectors")
        for one in server.sent
        if (one.method, one.path) == ("put", "/collections/{collection_name}")
    ]
    assert created == [{"terms": {"modifier": "idf"}}, None]
    (written,) = [one.body["points"] for one in server.sent if one.path.endswith("/points")]
    assert [sorted(point["vector"]) for point in written] == [["dense"], ["dense", "terms"]]
    assert written[1]["vector"]["terms"] == {"indices": [1], "values": [1.0]}
    (asked,) = server.sent[-1].body["searches"]
    assert (asked["query"], asked["using"], asked["with_payload"]) == (
        {"nearest": {"indices": [7, 9], "values": [1.0, 0.5]}},
        "terms",
        ["year"],
    )
    assert [len(hits) for hits in found] == [0, 2], "a question without terms is not asked"
