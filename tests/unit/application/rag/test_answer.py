"""Answers cite their sources, say how sure they are, and without sources there is no answer."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rag_llm_system.application.rag.answer import (
    NO_SOURCES,
    UNCITED,
    LLMWriter,
    answer_question,
    subject_of,
    write_answer,
)
from rag_llm_system.application.rag.confidence import LOW
from rag_llm_system.application.rag.context import ContextBuilder
from rag_llm_system.application.rag.extractive import ExtractiveWriter
from rag_llm_system.domain.answers import Answer, Context, ContextChunk
from rag_llm_system.domain.ports import SpanKind
from rag_llm_system.domain.queries import Condition, Interpretation, Query
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.llms.scripted import ScriptedLLM
from rag_llm_system.infrastructure.tracing.off import OffTracer
from tests.unit.application.rag.retrieved import chunk

QUESTION = "When does the embedded server stop?"
STOPS = "The embedded server stops when the last process that uses it ends."
BREAD = "Bread needs flour, water and time."


def written(text: str, *chunks: ContextChunk, **more: Any) -> Answer:
    """The answer of a model that says ``text``."""
    writer = LLMWriter(ScriptedLLM([text]), max_tokens=50, temperature=0.0)
    context = Context(chunks=chunks, **more)
    return write_answer(QUESTION, context, writer=writer, tracer=OffTracer())


class FixedRetriever:
    """Finds the same for every question."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def retrieve(self, query: Query, k: int, *, self_query: bool) -> Context:
        assert query.text == QUESTION
        assert self_query
        return self._context.model_copy(update={"chunks": self._context.chunks[:k]})


class ListedSpans:
    """A tracer that keeps the inputs of its spans."""

    trace_id = "t1"

    def __init__(self) -> None:
        self.inputs: dict[str, Any] = {}

    @contextmanager
    def span(
        self, name: str, *, kind: SpanKind = "general", inputs: Mapping[str, Any] | None = None
    ) -> Iterator["ListedSpans"]:
        self.inputs[name] = (kind, inputs)
        yield self

    def record(self, **_: Any) -> None:
        """Nothing is kept of outputs."""

    def flush(self) -> None:
        """Nothing is waiting."""


def test_the_extractive_answer_goes_from_retrieval_to_a_citation() -> None:
    context = Context(chunks=[chunk(1, STOPS), chunk(2, BREAD)], timings_s={"rerank": 0.01})
    answer = answer_question(
        Query(text=QUESTION),
        retriever=FixedRetriever(context),
        writer=ExtractiveWriter(HashingEmbedder(dimension=256)),
        tracer=OffTracer(),
        k=1,
    )
    assert f"- {STOPS} [1]" in answer.text
    assert answer.grounded
    assert [source.link for source in answer.sources] == ["http://a.example/1"]
    assert set(answer.timings_s) == {"rerank", "retrieve", "context", "generate"}


def test_nothing_retrieved_gives_no_answer_and_asks_no_model() -> None:
    llm = ScriptedLLM(["Invented."])
    answer = write_answer(
        QUESTION,
        Context(chunks=[], notes=["no document by Zoë"]),
        writer=LLMWriter(llm, max_tokens=50, temperature=0.0),
        tracer=OffTracer(),
    )
    assert (answer.text, answer.sources, answer.grounded) == (NO_SOURCES, (), False)
    assert (answer.confidence, answer.notes) == (None, ("no document by Zoë",))
    assert llm.asked == []


def test_chunks_about_something_else_are_no_sources() -> None:
    assert written("Invented [1].", chunk(1, BREAD, score=0.3)).text == NO_SOURCES


def test_words_that_only_say_where_to_look_need_not_be_in_a_source() -> None:
    read = Interpretation(
        conditions=(
            Condition(field="category", condition="posts", label="in posts", evidence="posts"),
            Condition(field="platform", condition="x", label="on x", evidence="post"),
        )
    )
    assert subject_of("What do posts say about postal codes?", read).split() == (
        ["What", "do", "say", "about", "postal", "codes?"]
    )


def test_a_model_that_says_nothing_gives_no_answer() -> None:
    assert written(" ", chunk(1, STOPS)).text == NO_SOURCES


def test_a_model_gets_the_numbered_sources_and_its_citations_are_checked() -> None:
    llm = ScriptedLLM(["It stops (source 1), they say [7]."])
    answer = write_answer(
        QUESTION,
        Context(chunks=[chunk(1, STOPS), chunk(2, BREAD)]),
        writer=LLMWriter(llm, max_tokens=50, temperature=0.0),
        tracer=OffTracer(),
    )
    assert answer.text == "It stops [1], they say."
    assert [(source.n, source.cited) for source in answer.sources] == [(1, True), (2, False)]
    assert f"[2] Title 2 (http://a.example/2)\n{BREAD}" in llm.asked[0][1].content


def test_an_answer_without_a_valid_citation_is_not_grounded_and_says_so() -> None:
    answer = written("It stops [9].", chunk(1, STOPS))
    assert not answer.grounded
    assert UNCITED in answer.notes


def test_low_confidence_is_said() -> None:
    low = written("It stops [1].", chunk(1, BREAD, score=0.4))
    high = written("It stops [1].", chunk(1, STOPS))
    assert low.confidence is not None
    assert high.confidence is not None
    assert (low.confidence.level, low.notes) == ("low", (LOW,))
    assert (high.confidence.level, high.notes) == ("high", ())


def test_the_reader_is_told_what_was_understood_and_what_was_given_up() -> None:
    interpretation = Interpretation(
        conditions=(
            Condition(field="author_id", condition="1", label="author Zoë Müller"),
            Condition(field="year", condition=2023, label="from 2023"),
        )
    )
    answer = written(
        "It stops [1].", chunk(1, STOPS), interpretation=interpretation, notes=["without the year"]
    )
    assert answer.notes == ("understood: author Zoë Müller, from 2023", "without the year")
    assert answer.interpretation == interpretation


def test_a_source_names_file_and_lines_and_shows_how_it_begins() -> None:
    code = chunk(
        1, f"# {STOPS}\n" + "x = 1\n" * 100, source_file="server.py", language="python",
        start_line=3, end_line=103, headings=("Server",),
    )  # fmt: skip
    [source] = written("It stops [1].", code).sources
    assert (source.source_file, source.start_line, source.end_line) == ("server.py", 3, 103)
    assert source.headings == ("Server",)
    assert source.quote.startswith(f"# {STOPS} x = 1")
    assert len(source.quote) <= 201


def test_the_trace_tells_which_wording_of_the_prompt_was_used() -> None:
    tracer = ListedSpans()
    code = chunk(1, STOPS, source_file="server.py", language="python")
    writer = LLMWriter(ScriptedLLM(["It stops [1]."]), max_tokens=50, temperature=0.0)
    write_answer(QUESTION, Context(chunks=[code]), writer=writer, tracer=tracer)
    assert tracer.inputs["generate"] == (
        "llm",
        {"model": "scripted", "prompt_version": "answer-code-1", "passages": 1},
    )


def test_the_builder_decides_how_much_a_model_is_shown() -> None:
    answer = write_answer(
        QUESTION,
        Context(chunks=[chunk(1, STOPS), chunk(2, f"{STOPS} {BREAD} And nothing else is needed.")]),
        writer=LLMWriter(ScriptedLLM(["It stops [1]."]), max_tokens=50, temperature=0.0),
        tracer=OffTracer(),
        builder=ContextBuilder(budget_tokens=40),
    )
    assert len(answer.sources) == 1
