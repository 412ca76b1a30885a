"""What each stage of retrieval adds, and that leaving it out leaves it out."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from rag_llm_system.application.indexing import Indexer
from rag_llm_system.application.rag.expanding import Expanding, Feedback, Variations
from rag_llm_system.application.rag.fusion import Candidate, Ranked
from rag_llm_system.application.rag.query_expansion import LLMExpander
from rag_llm_system.application.rag.question import Question
from rag_llm_system.application.rag.reranking import RERANKED, ByModel, LateInteraction, Reranking
from rag_llm_system.application.rag.retriever import ContextRetriever
from rag_llm_system.application.rag.self_query import SelfQuery
from rag_llm_system.domain.queries import Condition, Interpretation, Query, Stages
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.llms.scripted import ScriptedLLM
from rag_llm_system.infrastructure.tracing.off import OffTracer
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from tests.unit.application.builders import cleaned


class Understands:
    """Self-query that always understands the same."""

    def __init__(self, **conditions: object) -> None:
        self._conditions = tuple(
            Condition(field=field, condition=condition, label=f"{field} {condition}")
            for field, condition in conditions.items()
        )

    def interpret(self, question: str) -> Interpretation:
        return Interpretation(conditions=self._conditions)


class Backwards:
    """A reranking that turns the order round, and stops after ``scored`` texts."""

    needs_tokens = False

    def __init__(self, scored: int = RERANKED) -> None:
        self._scored = scored

    def relevance(self, question, collections, texts, before) -> list[float]:
        return [float(n) for n in range(len(texts))][: self._scored]


def index(*texts: str, category: str = "articles") -> MemoryVectorStore:
    store = MemoryVectorStore()
    add(store, *texts, category=category)
    return store


def add(store: MemoryVectorStore, *texts: str, category: str) -> None:
    indexer = Indexer(store, HashingEmbedder())
    documents = [
        cleaned(f"http://a.example/{category}/{n}", text, category=category)
        for n, text in enumerate(texts)
    ]
    indexer.load_chunks(indexer.embed_changed(documents))


def retriever(
    store: MemoryVectorStore,
    *,
    ranking: str = "evidence",
    self_query: SelfQuery | None = None,
    expander: Expanding | None = None,
    reranking: Reranking | None = None,
    embedder: HashingEmbedder | None = None,
) -> ContextRetriever:
    return ContextRetriever(
        store,
        embedder or HashingEmbedder(),
        OffTracer(),
        stages=Stages.model_validate({"ranking": ranking}),
        self_query=self_query,
        expander=expander,
        reranking=reranking,
    )


def links(found: Sequence[object]) -> list[str]:
    return [chunk.link.rpartition("/")[2] for chunk in found]  # type: ignore[attr-defined]


@pytest.mark.parametrize("ranking", ["dense", "bm25", "rrf", "evidence"])
def test_every_ranking_finds_the_text_with_the_words(ranking: str) -> None:
    store = index("Bread needs flour.", "Llamas eat grass.", "Rivers carry water.")
    found = retriever(store, ranking=ranking).search(Query(text="llamas and grass"))
    assert links(found)[0] == "1"


def test_words_alone_find_only_what_has_some() -> None:
    store = index("Bread needs flour.", "Llamas eat grass.")
    assert links(retriever(store, ranking="bm25").search(Query(text="flour"))) == ["0"]


def test_a_question_of_function_words_is_searched_by_meaning() -> None:
    store = index("Bread needs flour.", "It is what it is.")
    found = retriever(store).search(Query(text="What is it?"))
    assert len(found) == 2


def test_a_search_is_the_same_whatever_the_number_that_is_asked_for() -> None:
    store = index(*(f"Bread number {n} needs flour and word{n}." for n in range(40)))
    few = retriever(store).search(Query(text="bread word7 word9"), k=3)
    many = retriever(store).search(Query(text="bread word7 word9"), k=30)
    assert [c.chunk_id for c in few] == [c.chunk_id for c in many[:3]]


def test_what_the_question_says_about_its_sources_must_hold() -> None:
    store = index("Bread needs flour.")
    add(store, "Bread needs salt.", category="posts")
    context = retriever(store, self_query=Understands(category="posts")).retrieve(
        Query(text="bread")
    )
    assert {chunk.category for chunk in context.chunks} == {"posts"}
    assert context.interpretation.where == {"category": "posts"}
    assert not context.notes


def test_what_nothing_meets_is_given_up_and_the_reader_is_told() -> None:
    store = index("Bread needs flour.")
    understands = Understands(author_full_name="Ada Lovelace", category="articles")
    context = retriever(store, self_query=understands).retrieve(Query(text="bread"))
    assert len(context.chunks) == 1
    [note] = context.notes
    assert "Ada Lovelace" in note


def test_a_condition_of_the_caller_is_never_given_up() -> None:
    store = index("Bread needs flour.")
    wanted = Query(text="bread", where={"platform": "nowhere"})
    context = retriever(store, self_query=Understands(category="articles")).retrieve(wanted)
    assert not context.chunks


def test_the_caller_decides_against_the_question() -> None:
    store = index("Bread needs flour.")
    add(store, "Bread needs salt.", category="posts")
    wanted = Query(text="bread", where={"category": "articles"})
    context = retriever(store, self_query=Understands(category="posts")).retrieve(wanted)
    assert {chunk.category for chunk in context.chunks} == {"articles"}
    assert not context.interpretation.conditions


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("posts", {"posts"}), (["posts", "articles"], {"posts", "articles"}), ([], set()), (5, set())],
)
def test_a_category_is_a_condition_like_others(wanted: object, found: set[str]) -> None:
    store = index("Bread needs flour.")
    add(store, "Bread needs salt.", category="posts")
    chunks = retriever(store).search(Query(text="bread", where={"category": wanted}))
    assert {chunk.category for chunk in chunks} == found


def test_self_query_can_be_left_out_for_one_question() -> None:
    store = index("Bread needs flour.")
    add(store, "Bread needs salt.", category="posts")
    asked = retriever(store, self_query=Understands(category="posts"))
    context = asked.retrieve(Query(text="bread"), self_query=False)
    assert {chunk.category for chunk in context.chunks} == {"articles", "posts"}


def test_reranking_decides_the_order() -> None:
    store = index("Bread, bread, bread.", "Bread and water.", "Water.")
    plain = retriever(store).search(Query(text="bread"))
    turned = retriever(store, reranking=Backwards()).search(Query(text="bread"))
    assert links(turned) == links(plain)[::-1]


def test_what_was_not_reranked_in_time_stays_behind_in_its_order() -> None:
    store = index("Bread, bread, bread.", "Bread and water.", "Water.")
    plain = links(retriever(store).search(Query(text="bread")))
    some = retriever(store, reranking=Backwards(scored=2)).search(Query(text="bread"))
    assert links(some) == [plain[1], plain[0], plain[2]]


def test_late_interaction_adds_to_what_was_found_before() -> None:
    store = index("Bread needs flour.", "Llamas eat grass.")
    asked = retriever(store, reranking=LateInteraction(store, HashingEmbedder()))
    context = asked.retrieve(Query(text="llamas eat"))
    assert links(context.chunks)[0] == "1"
    before = retriever(store).retrieve(Query(text="llamas eat"))
    assert context.chunks[0].relevance > before.chunks[0].relevance
    assert {"embed", "search", "load", "rerank"} <= context.timings_s.keys()


def test_late_interaction_counts_tokens_again_when_the_index_has_grown() -> None:
    store = index("Bread needs flour.")
    asked = retriever(store, reranking=LateInteraction(store, HashingEmbedder()))
    alone = asked.search(Query(text="bread and grass"))[0].relevance
    add(store, *(f"Bread of kind {n}." for n in range(30)), category="posts")
    again = retriever(store, reranking=LateInteraction(store, HashingEmbedder()))
    assert asked.search(Query(text="bread and grass")) == again.search(
        Query(text="bread and grass")
    )
    assert asked.search(Query(text="bread and grass"))[0].relevance != alone


def test_a_model_decides_alone() -> None:
    class Shortest:
        def score(self, question: str, texts: Sequence[str]) -> list[float]:
            return [1 / len(text) for text in texts]

    store = index("Bread, bread, bread and more bread.", "Water.")
    found = retriever(store, reranking=ByModel(Shortest())).search(Query(text="bread"))
    assert [chunk.content for chunk in found] == ["Water.", "Bread, bread, bread and more bread."]


def test_feedback_moves_the_question_towards_what_it_found() -> None:
    store = index("Bread needs flour.", "Flour comes from wheat.", "Llamas eat grass.")
    embedder = HashingEmbedder()
    question = Question("bread", embedder.embed(["bread"])[0])
    [first, *_] = retriever(store).search(Query(text="bread"))
    ranked = [Ranked(Candidate(first.chunk_id, "articles", 1.0, 0.0), 1.0)]
    live = {"articles": store.aliases()["article_chunks_embedded"]}

    moved = Feedback(store).expanded(question, ranked, live)

    assert moved is not None
    target = embedder.embed(["Bread needs flour."])[0]
    assert moved.vector @ target > question.vector @ target
    assert np.linalg.norm(moved.vector) == pytest.approx(1.0)


def test_expansion_searches_for_what_it_made_of_the_question() -> None:
    class Instead:
        def tokens(self, question: Question) -> int:
            return 0

        def expanded(
            self,
            question: Question,
            first: Sequence[Ranked],
            collections: Mapping[str, str],
            *,
            within_s: float = math.inf,
        ) -> Question | None:
            return Question("llamas", HashingEmbedder().embed(["llamas eat grass"])[0])

    store = index("Bread needs flour.", "Llamas eat grass.")
    found = retriever(store, expander=Instead()).search(Query(text="bread"))
    assert links(found)[0] == "1"


@pytest.mark.parametrize(("cosines", "pays"), [((0.5, 0.49), True), ((0.9, 0.4), False)])
def test_variations_are_asked_for_where_the_first_look_leaves_a_doubt(
    cosines: tuple[float, float], pays: bool
) -> None:
    embedder = HashingEmbedder()
    question = Question("old bread recipes", embedder.embed(["old bread recipes"])[0])
    ranked = [
        Ranked(Candidate(str(n), "articles", cosine, 0.0), 1.0) for n, cosine in enumerate(cosines)
    ]
    expanding = Variations(LLMExpander(ScriptedLLM(["recipes for old bread"])), embedder.embed)
    assert (expanding.expanded(question, ranked, {}) is not None) is pays
