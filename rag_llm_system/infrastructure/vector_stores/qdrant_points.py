"""Many points in and out of one collection of a Qdrant server: uploads, searches and pages."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from qdrant_client import QdrantClient, models

from rag_llm_system.domain.ports import Record
from rag_llm_system.domain.queries import Hit
from rag_llm_system.infrastructure.vector_stores.points import Point
from rag_llm_system.infrastructure.vector_stores.qdrant_requests import (
    hits_in,
    point_struct,
    record_of,
)

_BATCH_POINTS = 256  # about 2 MB of JSON with 384 numbers each
_BATCH_QUERIES = 64
_PAGE_POINTS = 512


def upload(client: QdrantClient, name: str, points: Sequence[Point], *, at_once: int) -> None:
    """Send the points, ``at_once`` requests at a time. After an error what was not begun is not sent.

    Each request is answered when its points can be searched. An answer at the receipt (``wait=False``) would leave
    what goes wrong afterwards to the server's log.
    """

    def send(start: int) -> None:
        batch = [point_struct(one) for one in points[start : start + _BATCH_POINTS]]
        client.upsert(name, batch, wait=True)

    starts = range(0, len(points), _BATCH_POINTS)
    if at_once == 1 or len(starts) < 2:
        for start in starts:
            send(start)
        return
    with ThreadPoolExecutor(at_once) as threads:
        sent = [threads.submit(send, start) for start in starts]
        try:
            for one in sent:
                one.result()
        finally:
            threads.shutdown(cancel_futures=True)


def search(
    client: QdrantClient,
    name: str,
    requests: Sequence[models.QueryRequest],
    *,
    limit: int,
) -> list[list[Hit]]:
    """The best of each query, ties by id."""
    found: list[list[Hit]] = []
    for start in range(0, len(requests), _BATCH_QUERIES):
        found += _best_of_page(client, name, requests[start : start + _BATCH_QUERIES], limit)
    return found


def scrolled(
    client: QdrantClient,
    name: str,
    *,
    wanted: models.Filter | None,
    offset: str | None,
    with_payload: bool | list[str],
    with_vectors: bool,
) -> Iterator[Record]:
    """All points from the id ``offset`` on, ordered by id."""
    while True:
        page, following = client.scroll(
            name,
            scroll_filter=wanted,
            limit=_PAGE_POINTS,
            offset=offset,
            with_payload=with_payload,
            with_vectors=with_vectors,
        )
        for one in page:
            yield record_of(one)
        if following is None:
            return
        offset = str(following)


def _best_of_page(
    client: QdrantClient, name: str, requests: Sequence[models.QueryRequest], limit: int
) -> list[list[Hit]]:
    """The best of each; all are asked again while some are tied beyond what was asked for.

    So one call answers them all, from one collection: the name may be an alias that is pointed elsewhere meanwhile.
    """

    def fetch(number: int) -> list[list[Hit]]:
        asked = [one.model_copy(update={"limit": number}) for one in requests]
        return [hits_in(answer) for answer in client.query_batch_points(name, asked)]

    asked, found = limit + 1, fetch(limit + 1)
    while any(len(hits) == asked and hits[limit - 1].score == hits[-1].score for hits in found):
        asked *= 2
        found = fetch(asked)
    return [sorted(hits, key=lambda hit: (-hit.score, hit.id))[:limit] for hits in found]
