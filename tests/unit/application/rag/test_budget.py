"""What a request may cost: stages are left out in their order, and a deadline says what to change."""

import math

import pytest

from rag_llm_system.application.rag.budget import SKIPPED_FIRST, Budget, Estimates, Run
from rag_llm_system.application.rag.expanding import Feedback, Variations
from rag_llm_system.application.rag.index_version import IndexVersion
from rag_llm_system.application.rag.query_expansion import LLMExpander
from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.errors import DeadlineExceeded
from rag_llm_system.domain.queries import Query
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.llms.scripted import ScriptedLLM
from tests.unit.application.rag.test_retrieval_stages import Backwards, add, index, retriever


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def measured(**seconds: float) -> Estimates:
    estimates = Estimates()
    for stage, took in seconds.items():
        estimates.add(stage, took)
    return estimates


def test_time_that_is_over_is_said_with_the_stage_and_what_to_raise() -> None:
    clock = Clock()
    budget = Budget.of(2.5, clock=clock)
    budget.check("search")
    clock.now = 2.5
    with pytest.raises(
        DeadlineExceeded, match=r"2\.5 s .*search.*deadline_s of the request, or RAG_DEADLINE_S"
    ):
        budget.check("search")


def test_without_bounds_everything_has_room() -> None:
    budget = Budget.of(None)
    assert budget.left_s == math.inf
    assert budget.has_time_for(1e9)
    assert budget.has_tokens_for(10**9)


def test_what_is_reserved_is_left_alone() -> None:
    budget = Budget.of(10, 1000, reserved_s=4, reserved_tokens=700, clock=Clock())
    assert budget.has_time_for(6)
    assert not budget.has_time_for(6.1)
    assert budget.has_tokens_for(300)
    assert not budget.has_tokens_for(301)


def test_an_estimate_follows_what_is_measured() -> None:
    estimates = measured(rerank=1.0, search=0.5)
    assert estimates.of("rerank", "search", "never ran") == 1.5
    for _ in range(20):
        estimates.add("rerank", 0.1)
    assert estimates.of("rerank") == pytest.approx(0.1, abs=0.01)


def test_a_stage_that_was_slow_once_is_tried_again() -> None:
    estimates = measured(rerank=3.0)
    tried = (
        Run(Budget.of(1, clock=Clock()), estimates).has_room_for("reranking", "rerank")
        for _ in range(50)
    )
    assert any(tried)


@pytest.mark.parametrize(
    ("seconds", "skipped"), [(20, ()), (4, ("expansion",)), (1.5, ("expansion", "reranking"))]
)
def test_expansion_is_left_out_before_reranking(seconds: float, skipped: tuple[str, ...]) -> None:
    run = Run(Budget.of(seconds, clock=Clock()), measured(expansion=8, search=1, rerank=3))
    run.has_room_for("expansion", "expansion", "search", "rerank")
    run.has_room_for("reranking", "rerank")
    assert run.skipped == skipped == SKIPPED_FIRST[: len(skipped)]
    assert len(run.notes()) == len(skipped)


def test_retrieval_without_time_for_a_stage_leaves_it_out_and_says_so() -> None:
    store = index("Bread needs flour.", "Llamas eat grass.")
    clock = Clock()

    asked = retriever(store, expander=Feedback(store), reranking=Backwards())
    whole = asked.retrieve(Query(text="bread"))
    assert (whole.skipped, whole.notes) == ((), [])
    assert {"expansion", "rerank"} <= whole.timings_s.keys()

    hurried = asked.retrieve(Query(text="bread"), budget=Budget.of(1, reserved_s=2, clock=clock))

    assert hurried.skipped == ("expansion", "reranking")
    assert not {"expansion", "rerank"} & hurried.timings_s.keys()
    assert [note.split(":")[0] for note in hurried.notes] == [
        "without expansion",
        "without reranking",
    ]
    assert hurried.chunks


def test_a_model_is_not_asked_for_variations_that_the_tokens_do_not_pay() -> None:
    store = index("Bread needs flour.", "Llamas eat grass.")
    llm = ScriptedLLM(["what llamas like"])
    expander = Variations(LLMExpander(llm), HashingEmbedder().embed)
    asked = retriever(store, expander=expander)

    poor = asked.retrieve(
        Query(text="old bread recipes"), budget=Budget.of(None, 1000, reserved_tokens=900)
    )
    assert (poor.skipped, llm.asked) == (("expansion",), [])
    assert "max_tokens" in poor.notes[0]

    rich = asked.retrieve(
        Query(text="old bread recipes"), budget=Budget.of(None, 9000, reserved_tokens=900)
    )
    assert (rich.skipped, len(llm.asked)) == ((), 1)


def test_feedback_costs_no_tokens() -> None:
    store = index("Bread needs flour.")
    asked = retriever(store, expander=Feedback(store))
    assert asked.retrieve(Query(text="bread"), budget=Budget.of(None, 1)).skipped == ()


def test_retrieval_stops_between_two_stages_when_the_time_is_over() -> None:
    clock = Clock()

    class Late(HashingEmbedder):
        def embed(self, texts: object, **more: object) -> Vectors:
            clock.now = 9.0
            return super().embed(texts, **more)  # type: ignore[arg-type]

    store = index("Bread needs flour.")
    asked = retriever(store, embedder=Late())
    with pytest.raises(DeadlineExceeded, match="search"):
        asked.retrieve(Query(text="bread"), budget=Budget.of(5, clock=clock))


def test_the_version_of_an_index_changes_with_what_is_in_it() -> None:
    store = index("Bread needs flour.")
    first = retriever(store).retrieve(Query(text="bread")).index_version
    again = retriever(store).retrieve(Query(text="flour")).index_version
    add(store, "Bread needs salt.", category="posts")
    later = retriever(store).retrieve(Query(text="bread")).index_version
    assert first == again != later
    assert len(first) == len(later) == 12
    assert int(first, 16) >= 0


def test_the_points_are_counted_once_a_second() -> None:
    class Counting:
        asked = 0

        def count(self, name: str) -> int:
            self.asked += 1
            return 5

    clock, store = Clock(), Counting()
    version = IndexVersion(store, clock)  # type: ignore[arg-type]
    names = {"articles": "a-1", "posts": "p-1"}
    same = {version.of(names) for _ in range(10)}
    assert (len(same), store.asked) == (1, 2)
    clock.now = 1.0
    assert {version.of(names)} == same
    assert store.asked == 4
    assert version.of({**names, "posts": "p-2"}) not in same
