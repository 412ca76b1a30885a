"""The Qdrant server's adapter beyond its contract: connections, errors, pages. The server is a function here."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
from qdrant_client import QdrantClient
from qdrant_client.common.client_exceptions import QdrantException, ResourceExhaustedResponse
from qdrant_client.http.exceptions import (
    ApiException,
    ResponseHandlingException,
    UnexpectedResponse,
)

from rag_llm_system.domain.errors import (
    BackendError,
    ConfigurationError,
    IncompatibleCollection,
    RagSystemError,
    StorageFull,
    StoreUnavailable,
    UnknownName,
)
from rag_llm_system.domain.ports import CollectionSpec, Record
from rag_llm_system.infrastructure.vector_stores.qdrant_adapter import QdrantAdapter
from rag_llm_system.infrastructure.vector_stores.qdrant_connection import connect, translated

KEY = "s3cret-key"
SPEC = CollectionSpec(dimension=3, encoder="toy")
QUERY = np.array([1, 0, 0], dtype=np.float32)

Answer = Callable[[httpx.Request], httpx.Response]


def store_on(answer: Answer, uploads: int = 1, **address: Any) -> QdrantAdapter:
    client = QdrantClient(
        url="https://q.test",
        api_key=KEY,
        check_compatibility=False,
        transport=httpx.MockTransport(answer),
    )
    return QdrantAdapter(**(address or {"url": "https://q.test"}), client=client, uploads=uploads)


def ok(result: Any) -> httpx.Response:
    return httpx.Response(200, json={"result": result, "status": "ok", "time": 0.0})


def failed(status: int, error: str) -> httpx.Response:
    return httpx.Response(status, json={"status": {"error": error}, "time": 0.0})


def collection_info(metadata: dict[str, Any] | None) -> dict[str, Any]:
    config = {
        "params": {"vectors": {"dense": {"size": 3, "distance": "Cosine"}}},
        "hnsw_config": {"m": 16, "ef_construct": 100, "full_scan_threshold": 10_000},
        "optimizer_config": {
            "deleted_threshold": 0.2,
            "vacuum_min_vector_number": 1_000,
            "default_segment_number": 0,
            "flush_interval_sec": 5,
        },
        "metadata": metadata,
    }
    return {
        "status": "green",
        "optimizer_status": "ok",
        "segments_count": 1,
        "config": config,
        "payload_schema": {},
    }


def with_a_collection(rest: Answer, *, metadata: dict[str, Any] | None = None) -> Answer:
    """A server that has every collection; what it does beyond that is ``rest``."""
    mine = {"rag_llm_system": SPEC.model_dump()} if metadata is None else metadata

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/exists"):
            return ok({"exists": True})
        if request.method == "GET":
            return ok(collection_info(mine))
        return rest(request)

    return answer


def test_making_the_store_connects_to_nothing() -> None:
    QdrantAdapter(host="host.invalid", port=1).close()


def test_no_answer_names_the_setting_to_change() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(StoreUnavailable, match=r"q\.test .*change QDRANT_CLOUD_URL"):
        store_on(refuse).count("articles")
    with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:9 .*QDRANT_DATABASE_HOST"):
        store_on(refuse, host="127.0.0.1", port=9).count("articles")


def test_connecting_is_given_up_after_three_seconds_and_answering_later() -> None:
    request = httpx.Request("GET", "http://q.test", extensions={"timeout": {"read": 30}})
    hooks = connect("http://127.0.0.1:1", "", 0, "").init_options["event_hooks"]

    for hook in hooks["request"]:
        hook(request)

    assert request.extensions["timeout"] == {"read": 30, "connect": 3.0}


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_a_setting_to_change(status: int) -> None:
    with pytest.raises(ConfigurationError, match="QDRANT_APIKEY"):
        store_on(lambda _: failed(status, "Invalid API key")).count("articles")


def test_a_key_is_not_sent_in_clear_text() -> None:
    with pytest.raises(ConfigurationError, match="clear text") as refused:
        QdrantAdapter(url="http://q.example.org", api_key=KEY)

    assert KEY not in str(refused.value)


def test_an_answer_that_quotes_the_request_keeps_the_key_out_of_the_message() -> None:
    def proxy(request: httpx.Request) -> httpx.Response:
        return httpx.Response(502, text=f"<h1>Bad Gateway</h1>{dict(request.headers)}")

    with pytest.raises(BackendError, match="502") as error:
        store_on(proxy).count("articles")

    assert KEY not in str(error.value)


def test_a_full_disk_of_the_server_is_storage_full() -> None:
    store = store_on(
        with_a_collection(lambda _: failed(500, "Service: No space left on device (os error 28)"))
    )

    with pytest.raises(StorageFull):
        store.delete("articles", ["00000000-0000-0000-0000-000000000001"])


def test_a_busy_server_is_a_backend_error() -> None:
    busy = httpx.Response(
        429, headers={"Retry-After": "1"}, json={"status": {"error": "slow down"}}
    )

    with pytest.raises(BackendError, match="busy: slow down"):
        store_on(lambda _: busy).count("articles")


def test_a_collection_that_another_process_drops_is_absent_from_then_on() -> None:
    store = store_on(with_a_collection(lambda _: failed(404, "Not found: Collection `articles`")))

    assert store.search("articles", QUERY, limit=3) == []
    assert list(store.scan("articles")) == []
    assert store.count("articles") == 0


def test_a_collection_of_another_program_is_refused_and_not_listed() -> None:
    foreign = with_a_collection(lambda _: failed(500, "not asked"), metadata={})

    with pytest.raises(IncompatibleCollection, match="not made by this system"):
        store_on(foreign).ensure("articles", SPEC)


def test_a_server_that_keeps_no_metadata_is_too_old() -> None:
    deleted = []

    def old(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/exists"):
            return ok({"exists": False})
        if request.method == "DELETE":
            deleted.append(request.url.path)
        return ok(collection_info(None) if request.method == "GET" else True)

    with pytest.raises(ConfigurationError, match=r"1\.16 or newer"):
        store_on(old).ensure("articles", SPEC)
    assert deleted == ["/collections/articles"]


def test_a_scan_asks_for_pages_and_not_for_points() -> None:
    """1,000 points take two requests; a scroll with a limit of 1 would take a thousand."""
    ids = [f"00000000-0000-0000-0000-{n:012d}" for n in range(1_000)]
    pages = []

    def scroll(request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        start = ids.index(asked["offset"]) if asked.get("offset") else 0
        page = ids[start : start + asked["limit"]]
        pages.append(len(page))
        following = ids[start + len(page)] if start + len(page) < len(ids) else None
        points = [{"id": one, "payload": {}} for one in page]
        return ok({"points": points, "next_page_offset": following})

    scanned = [record.id for record in store_on(with_a_collection(scroll)).scan("articles")]

    assert scanned == ids
    assert pages == [512, 488]


def a_record(n: int) -> Record:
    return Record(id=f"00000000-0000-0000-0000-{n:012d}", vector=(1.0, 0.0, 0.0), payload={})


def test_every_point_of_a_large_upsert_arrives_once_over_several_connections() -> None:
    received = []

    def take(request: httpx.Request) -> httpx.Response:
        received.extend(point["id"] for point in json.loads(request.content)["points"])
        return ok({"operation_id": 1, "status": "completed"})

    records = [a_record(n) for n in range(2_000)]

    assert store_on(with_a_collection(take), uploads=4).upsert("articles", records) == 2_000
    assert sorted(received) == [record.id for record in records]


@pytest.mark.parametrize(("uploads", "sent"), [(1, {3}), (4, set(range(3, 41)))])
def test_an_upload_that_fails_among_others_is_not_lost(uploads: int, sent: set[int]) -> None:
    batches = []

    def fail_once(request: httpx.Request) -> httpx.Response:
        batches.append(request)
        if len(batches) == 3:
            return failed(500, "Service: No space left on device (os error 28)")
        return ok({"operation_id": 1, "status": "completed"})

    store = store_on(with_a_collection(fail_once), uploads=uploads)

    with pytest.raises(StorageFull):
        store.upsert("articles", [a_record(n) for n in range(256 * 40)])
    assert len(batches) in sent


def test_writing_to_what_another_process_dropped_is_an_error_that_names_it() -> None:
    def none_left(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/collections":
            return ok({"collections": []})
        return with_a_collection(lambda _: failed(404, "Not found"))(request)

    store = store_on(none_left)

    with pytest.raises(UnknownName, match="articles"):
        store.upsert("articles", [a_record(1)])


def test_an_alias_that_another_process_pointed_elsewhere_is_asked_about_again() -> None:
    specs = iter([SPEC, SPEC.model_copy(update={"dimension": 2})])

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/collections/live":
            return ok(collection_info({"rag_llm_system": next(specs).model_dump()}))
        return with_a_collection(lambda _: ok([{"points": []}]))(request)

    store = store_on(answer)
    assert store.search("live", QUERY, limit=3) == []

    assert store.search("live", QUERY[:2], limit=3) == []


def test_an_error_in_the_middle_of_a_scan_is_an_error() -> None:
    store = store_on(with_a_collection(lambda _: failed(500, "broken segment")))

    with pytest.raises(BackendError, match="broken segment"):
        list(store.scan("articles"))


def test_url_and_host_exclude_each_other_and_one_is_needed() -> None:
    for wrong in ({}, {"url": "https://q.test", "host": "q"}):
        with pytest.raises(ConfigurationError, match="either url"):
            QdrantAdapter(**wrong)


def test_a_host_with_a_scheme_is_a_setting_to_change() -> None:
    with pytest.raises(ConfigurationError, match="QDRANT_DATABASE_HOST is a host name alone"):
        QdrantAdapter(host="http://qdrant:6333")


VENDOR_ERRORS: dict[type[Exception], Exception] = {
    UnexpectedResponse: UnexpectedResponse(400, "Bad Request", b"{}", httpx.Headers()),
    ResponseHandlingException: ResponseHandlingException(httpx.ReadTimeout("late")),
    ResourceExhaustedResponse: ResourceExhaustedResponse("slow down", 1),
}


def test_every_error_of_the_client_has_a_translation() -> None:
    known = {*ApiException.__subclasses__(), *QdrantException.__subclasses__()}

    assert known == VENDOR_ERRORS.keys()
    for error in VENDOR_ERRORS.values():
        assert isinstance(translated(error, "q.test", "QDRANT_CLOUD_URL"), RagSystemError)
