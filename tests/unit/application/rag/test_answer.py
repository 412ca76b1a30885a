"""Answers cite their sources, say how sure they are, and without sources there is no answer."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from rag_llm_system.application.rag.answer import (
    NO_SOURCES,
    REFUSED,
    UNCITED,
    Answering,
    Asked,
    LLMWriter,
)
from rag_llm_system.application.rag.budget import Budget
from rag_llm_system.application.rag.confidence import LOW
from rag_llm_system.application.rag.context import ContextBuilder
from rag_llm_system.application.rag.extractive import ExtractiveWriter
from rag_llm_system.application.rag.follow_up import RuleFollowUps
from rag_llm_system.application.rag.prepared import subject_of
from rag_llm_system.domain.answers import Answer, Context, ContextChunk, Message
from rag_llm_system.domain.errors import ConfigurationError, DeadlineExceeded
from rag_llm_system.domain.ports import LLM, SpanKind, Tracer
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
    return answering(ScriptedLLM([text])).write(QUESTION, Context(chunks=chunks, **more))


def answering(
    llm: LLM,
    context: Context = Context(chunks=[]),  # noqa: B008 - frozen
    tracer: Tracer = OffTracer(),  # noqa: B008 - does nothing
    *,
    max_tokens: int = 50,
    **options: Any,
) -> Answering:
    writer = LLMWriter(llm, max_tokens=max_tokens, temperature=0.0)
    return Answering(FixedRetriever(context), writer, tracer, **options)


class FixedRetriever:
    """Finds the same for every question; ``asked`` keeps them."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.asked: list[str] = []
        self.budgets: list[Budget] = []

    def retrieve(self, query: Query, k: int, *, self_query: bool, budget: Budget) -> Context:
        self.asked.append(query.text)
        self.budgets.append(budget)
        assert self_query
        return self._context.model_copy(update={"chunks": self._context.chunks[:k]})


class ListedSpans:
    """A tracer that keeps the inputs of its spans."""

    trace_id = "t1"

    def __init__(self) -> None:
        self.inputs: dict[str, Any] = {}

    @contextmanager
    def span(
        self,
        name: str,
        *,
        kind: SpanKind = "general",
        inputs: Mapping[str, Any] | None = None,
        caller: Mapping[str, str] | None = None,
    ) -> Iterator["ListedSpans"]:
        self.inputs[name] = (kind, inputs)
        yield self

    def record(self, **_: Any) -> None:
        """Nothing is kept of outputs."""

    def headers(self) -> dict[str, str]:
        return {}

    def score(self, trace_id: str, name: str, value: float, comment: str = "") -> None:
        """Nobody reads it."""

    def flush(self) -> None:
        """Nothing is waiting."""


def test_the_extractive_answer_goes_from_retrieval_to_a_citation() -> None:
    context = Context(chunks=[chunk(1, STOPS), chunk(2, BREAD)], timings_s={"rerank": 0.01})
    writer = ExtractiveWriter(HashingEmbedder(dimension=256))
    extracting = Answering(FixedRetriever(context), writer, OffTracer())
    answer = extracting.answer(Asked(query=Query(text=QUESTION), k=1))
    assert f"- {STOPS} [1]" in answer.text
    assert answer.grounded
    assert [source.link for source in answer.sources] == ["http://a.example/1"]
    assert set(answer.timings_s) == {"rerank", "retrieve", "context", "generate"}


def test_nothing_retrieved_gives_no_answer_and_asks_no_model() -> None:
    llm = ScriptedLLM(["Invented."])
    answer = answering(llm).write(QUESTION, Context(chunks=[], notes=["no document by Zoë"]))
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
    answer = answering(llm).write(QUESTION, Context(chunks=[chunk(1, STOPS), chunk(2, BREAD)]))
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


def test_a_source_names_file_and_lines_and_has_its_passage() -> None:
    code = chunk(
        1, f"# {STOPS}\n" + "x = 1\n" * 100, source_file="server.py", language="python",
        start_line=3, end_line=103, headings=("Server",),
    )  # fmt: skip
    [source] = written("It stops [1].", code).sources
    assert (source.source_file, source.start_line, source.end_line) == ("server.py", 3, 103)
    assert (source.lines, source.headings) == ("3-103", ())  # lines of the file, for the model
    assert source.passage == code.content
    assert source.quote.startswith(f"# {STOPS} x = 1")
    [of_an_article] = written("It stops [1].", chunk(1, STOPS)).sources
    assert of_an_article.lines == ""


def test_the_trace_tells_which_wording_of_the_prompt_was_used() -> None:
    tracer = ListedSpans()
    code = chunk(1, STOPS, source_file="server.py", language="python")
    traced = answering(ScriptedLLM(["It stops [1]."]), tracer=tracer)
    traced.write(QUESTION, Context(chunks=[code]))
    kind, inputs = tracer.inputs["generate"]
    assert (kind, inputs["model"], inputs["passages"]) == ("llm", "scripted", 1)
    assert inputs["prompt_version"].startswith("answer-code-")


def test_the_builder_decides_how_much_a_model_is_shown() -> None:
    two = Context(
        chunks=[chunk(1, STOPS), chunk(2, f"{STOPS} {BREAD} And nothing else is needed.")]
    )
    builder = ContextBuilder(budget_tokens=40)
    answer = answering(ScriptedLLM(["It stops [1]."]), builder=builder).write(QUESTION, two)
    assert len(answer.sources) == 1


def test_a_token_budget_cuts_the_context_and_the_answer() -> None:
    class Noted(ScriptedLLM):
        tokens = 0

        def stream(
            self, messages: Sequence[Message], *, max_tokens: int, temperature: float
        ) -> Iterator[str]:
            self.tokens = max_tokens
            return super().stream(messages, max_tokens=max_tokens, temperature=temperature)

    def asked(max_tokens: int | None) -> tuple[int, int]:
        llm = Noted(["It stops [1]."])
        answering(llm, context, max_tokens=300).answer(
            Asked(query=Query(text=QUESTION), max_tokens=max_tokens)
        )
        prompt = "".join(message.content for message in llm.asked[0])
        return len(prompt), llm.tokens

    context = Context(chunks=[chunk(1, f"{STOPS} " * 50), chunk(2, f"Again: {STOPS} " * 50)])
    whole, tokens = asked(None)
    cut, fewer = asked(700)
    assert tokens == 300
    assert 0 < fewer < 300
    assert cut < whole
    assert cut / 3 + fewer <= 700
    assert asked(10_000) == (whole, 300)


def test_a_token_budget_without_room_for_a_source_is_refused() -> None:
    context = Context(chunks=[chunk(1, STOPS)])
    with pytest.raises(ConfigurationError, match=r"max_tokens is 20, .* allow \d+ or more"):
        answering(ScriptedLLM(), context).answer(Asked(query=Query(text=QUESTION), max_tokens=20))


def test_retrieval_is_told_what_writing_needs() -> None:
    retriever = FixedRetriever(Context(chunks=[chunk(1, STOPS)]))
    writer = LLMWriter(ScriptedLLM(["It stops [1]."]), max_tokens=50, temperature=0.0)
    twice = Answering(retriever, writer, OffTracer(), ContextBuilder(budget_tokens=500))
    for _ in range(2):
        twice.answer(Asked(query=Query(text=QUESTION), max_tokens=900, deadline_s=60))
    first, second = retriever.budgets
    assert (first.max_tokens, first.reserved_s) == (900, 0.0)
    assert first.reserved_tokens >= 550
    assert second.reserved_s > 0


def test_a_deadline_in_the_middle_of_an_answer_says_what_to_raise() -> None:
    now = [0.0]

    class Slow:
        model_id = "slow"

        def stream(
            self, messages: Sequence[Message], *, max_tokens: int, temperature: float
        ) -> Iterator[str]:
            try:
                yield "It "
                now[0] = 10.0
                yield "stops"
                raise AssertionError("nobody waits for this")
            finally:
                now.append(1.0)

    slow = answering(Slow(), Context(chunks=[chunk(1, STOPS)]), clock=lambda: now[0])
    with pytest.raises(
        DeadlineExceeded, match=r"within 5 s .*generation.* deadline_s .*RAG_DEADLINE_S"
    ):
        slow.answer(Asked(query=Query(text=QUESTION), deadline_s=5))
    assert now[1:] == [1.0]


def test_a_follow_up_is_searched_and_asked_as_a_whole_question() -> None:
    llm = ScriptedLLM(["When its last client ends [1]."])
    retriever = FixedRetriever(Context(chunks=[chunk(1, STOPS)], index_version="0123456789ab"))
    writer = LLMWriter(llm, max_tokens=50, temperature=0.0)
    talk = Answering(retriever, writer, OffTracer(), follow_up=RuleFollowUps())
    history = (
        Message(role="user", content="What is the embedded server?"),
        Message(role="assistant", content="A process [1]."),
    )
    answer = talk.answer(Asked(query=Query(text="When does it stop?"), history=history))
    assert retriever.asked == [answer.condensed]
    assert "embedded server" in answer.condensed
    assert answer.condensed in llm.asked[0][-1].content
    assert answer.question == "When does it stop?"
    assert answer.index_version == "0123456789ab"
    assert "follow_up" in answer.timings_s
    whole = talk.answer(Asked(query=Query(text=QUESTION), history=history))
    assert whole.condensed == ""


def test_an_answer_that_cites_nothing_can_be_refused() -> None:
    context = Context(chunks=[chunk(1, STOPS)])
    strict = answering(ScriptedLLM(["It stops. See [9]."]), refuse_ungrounded=True)
    refused = strict.write(QUESTION, context)
    assert (refused.text, refused.grounded, len(refused.sources)) == (REFUSED, False, 1)
    assert UNCITED not in refused.notes
    cites = answering(ScriptedLLM(["It stops [1]."]), refuse_ungrounded=True)
    assert cites.write(QUESTION, context).text == "It stops [1]."


def test_only_retrieving_gives_the_context_of_the_whole_question() -> None:
    context = Context(chunks=[chunk(1, STOPS)])
    retrieved = answering(ScriptedLLM(), context).retrieve(Asked(query=Query(text=QUESTION)))
    assert retrieved.context.chunks == context.chunks
    assert "retrieve" in retrieved.context.timings_s
