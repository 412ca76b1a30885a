"""A run ranks documents by their chunks, asks for more until there are enough, and times users' questions."""

from collections.abc import Mapping, Sequence

import pytest

from rag_llm_system.application.evaluation.metrics import METRICS
from rag_llm_system.application.evaluation.runs import TIMED, ranked_documents, run
from rag_llm_system.application.rag.retriever import DEFAULT_K
from rag_llm_system.domain.answers import Context, ContextChunk
from rag_llm_system.domain.queries import Query

NAMES = {f"id-{number}": str(number) for number in range(500)}


def chunk(number: int, document: str) -> ContextChunk:
    return ContextChunk(
        n=number,
        chunk_id=f"{document}:{number}",
        document_id=f"id-{document}",
        category="articles",
        title="",
        link="",
        author_full_name="",
        score=1.0,
        content="text",
    )


class Scripted:
    """Answers each question with the chunks of these documents, best first; remembers what was asked."""

    def __init__(self, answers: Mapping[str, Sequence[str]]) -> None:
        self._answers = answers
        self.asked: list[tuple[str, int]] = []

    def retrieve(self, query: Query, k: int) -> Context:
        self.asked.append((query.text, k))
        found = self._answers[query.text][:k]
        chunks = [chunk(number, document) for number, document in enumerate(found, start=1)]
        return Context(chunks=chunks, timings_s={"search": 0.002})


def asked(*documents: str) -> tuple[Scripted, list[str]]:
    retriever = Scripted({"?": documents})
    return retriever, ranked_documents(retriever, "?", NAMES)


def test_a_document_ranks_where_its_first_chunk_stands() -> None:
    _, ranked = asked("2", "1", "2", "3", "1")
    assert ranked == ["2", "1", "3"]


def test_a_hundred_documents_are_enough() -> None:
    retriever, ranked = asked(*map(str, range(300)))
    assert ranked == [str(number) for number in range(100)]
    assert retriever.asked == [("?", 100)]


def test_more_chunks_are_asked_for_while_they_give_too_few_documents() -> None:
    retriever, ranked = asked(*(str(number // 3) for number in range(600)))
    assert len(ranked) == 100
    assert [k for _, k in retriever.asked] == [100, 200, 400]


def test_after_a_thousand_chunks_it_is_enough() -> None:
    retriever, ranked = asked(*(str(number // 40) for number in range(4000)))
    assert len(ranked) == 25
    assert [k for _, k in retriever.asked] == [100, 200, 400, 1000]


def test_nothing_more_is_asked_for_when_there_are_no_more_chunks() -> None:
    retriever, ranked = asked("1", "2")
    assert ranked == ["1", "2"]
    assert [k for _, k in retriever.asked] == [100, 200]


def test_nothing_more_is_asked_for_when_every_document_is_found() -> None:
    retriever = Scripted({"?": ["1", "2"]})
    assert ranked_documents(retriever, "?", {"id-1": "1", "id-2": "2"}) == ["1", "2"]
    assert len(retriever.asked) == 1


def test_measures_come_for_every_query_and_progress_is_told() -> None:
    retriever = Scripted({"first?": ["1", "2"], "second?": ["3"]})
    told: list[None] = []
    found = run(
        retriever,
        {"q1": "first?", "q2": "second?"},
        {"q1": {"2": 1}, "q2": {"9": 1}},
        NAMES,
        on_query=lambda: told.append(None),
    )
    assert found.rankings == {"q1": ["1", "2"], "q2": ["3"]}
    assert found.measures.keys() == METRICS.keys()
    assert found.measures["mrr@10"] == {"q1": 0.5, "q2": 0.0}
    assert found.measures["recall@100"] == {"q1": 1.0, "q2": 0.0}
    assert found.intervals(seed=7)["mrr@10"].mean == 0.25
    assert len(told) == 2


def test_every_question_is_timed_with_the_k_of_users_before_it_is_ranked() -> None:
    retriever = Scripted({"first?": ["1"], "second?": ["2"]})
    found = run(retriever, {"q1": "first?", "q2": "second?"}, {"q1": {}, "q2": {}}, NAMES)
    warm_up, timed = retriever.asked[:2], retriever.asked[2:]
    assert warm_up == [("first?", DEFAULT_K), ("second?", DEFAULT_K)]
    assert [k for text, k in timed if text == "second?"] == [DEFAULT_K, 100, 200]
    assert found.latency_ms["search"].p50 == pytest.approx(2.0)
    assert found.latency_ms["total"].p50 <= found.latency_ms["total"].p95


def test_of_many_questions_some_at_even_distances_are_timed() -> None:
    queries = {str(number): f"{number}?" for number in range(2 * TIMED + 1)}
    retriever = Scripted({text: ["1"] for text in queries.values()})
    run(retriever, queries, {query: {} for query in queries}, {"id-1": "1"})
    timed = [text for text, k in retriever.asked[3:] if k == DEFAULT_K]
    assert timed == [f"{number}?" for number in range(0, 2 * TIMED + 1, 3)]


def test_a_question_that_is_a_document_does_not_find_itself() -> None:
    retriever = Scripted({"text of 1": ["1", "2"], "text of 2": ["2", "1"]})
    found = run(
        retriever, {"1": "text of 1", "2": "text of 2"}, {"1": {"2": 1}, "2": {"2": 1}}, NAMES
    )
    assert found.rankings == {"1": ["2"], "2": ["2", "1"]}
