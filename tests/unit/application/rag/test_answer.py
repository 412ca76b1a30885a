"""Answers cite their sources, and without sources there is no answer."""

import pytest

from rag_llm_system.application.indexing import Indexer
from rag_llm_system.application.rag.answer import (
    NO_SOURCES,
    LLMWriter,
    answer_question,
    checked_citations,
    write_answer,
)
from rag_llm_system.application.rag.context import formatted, pack
from rag_llm_system.application.rag.extractive import PREAMBLE, ExtractiveWriter, sentences
from rag_llm_system.application.rag.retriever import ContextRetriever
from rag_llm_system.domain.answers import ContextChunk
from rag_llm_system.domain.queries import Query
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.llms.scripted import ScriptedLLM
from rag_llm_system.infrastructure.tracing.off import OffTracer
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from tests.unit.application.builders import cleaned

TEXT = """## Stopping

The embedded server stops when the last process that uses it ends. It is never left behind, not even after a crash.

```python
server.stop()  # not a sentence to quote.
```

Bread needs flour and water and a lot of time."""


def chunk(n: int, content: str = TEXT, score: float = 0.8) -> ContextChunk:
    return ContextChunk(
        n=n,
        chunk_id=f"c{n}",
        document_id=f"d{n}",
        category="articles",
        title=f"Title {n}",
        link=f"http://a.example/{n}",
        author_full_name="The Project",
        score=score,
        content=content,
    )


def extractive() -> ExtractiveWriter:
    return ExtractiveWriter(HashingEmbedder(dimension=256))


def test_the_extractive_answer_quotes_word_for_word_and_says_so() -> None:
    answer = write_answer(
        "When does the embedded server stop?", [chunk(1)], writer=extractive(), tracer=OffTracer()
    )
    assert answer.text.startswith(PREAMBLE)
    assert "The embedded server stops when the last process that uses it ends. [1]" in answer.text
    assert answer.grounded
    assert [s.link for s in answer.sources] == ["http://a.example/1"]


def test_nothing_retrieved_gives_no_answer_and_asks_no_model() -> None:
    llm = ScriptedLLM(["Invented."])
    writer = LLMWriter(llm, max_tokens=50, temperature=0.0)
    answer = write_answer("Who?", [], writer=writer, tracer=OffTracer())
    assert (answer.text, answer.sources, answer.grounded) == (NO_SOURCES, (), False)
    assert llm.asked == []


def test_chunks_about_something_else_are_no_sources() -> None:
    answer = write_answer("Who?", [chunk(1, score=0.05)], writer=extractive(), tracer=OffTracer())
    assert answer.text == NO_SOURCES


def test_a_model_gets_the_numbered_context_and_its_citations_are_checked() -> None:
    llm = ScriptedLLM(["It stops [1], they say [7]."])
    writer = LLMWriter(llm, max_tokens=50, temperature=0.0)
    answer = write_answer("When?", [chunk(1), chunk(2)], writer=writer, tracer=OffTracer())
    assert answer.text == "It stops [1], they say."
    assert answer.grounded
    assert "[2] Title 2 (http://a.example/2)" in llm.asked[0][1].content


def test_an_answer_without_citations_is_not_grounded() -> None:
    writer = LLMWriter(ScriptedLLM(["It stops."]), max_tokens=50, temperature=0.0)
    assert not write_answer("When?", [chunk(1)], writer=writer, tracer=OffTracer()).grounded


def test_subscripts_in_code_are_no_citations() -> None:
    assert checked_citations("Use rows[7] here [1].", {1}) == ("Use rows[7] here [1].", {1})


def test_code_and_headings_are_not_quoted() -> None:
    found = sentences(TEXT)
    assert not any("server.stop" in s or "##" in s for s in found)
    assert "It is never left behind, not even after a crash." in found


def test_the_context_keeps_to_its_budget() -> None:
    packed = pack([chunk(n, "x" * 700) for n in range(1, 9)], budget_chars=1500)
    assert sum(len(c.content) for c in packed) == 1500
    assert [c.n for c in packed] == [1, 2, 3]


def test_a_question_goes_through_retrieval_and_writing() -> None:
    store, embedder = MemoryVectorStore(), HashingEmbedder(dimension=256)
    indexer = Indexer(store, embedder)
    indexer.load_chunks(
        indexer.embed_changed([cleaned("http://a.example/1", TEXT, category="posts")])
    )
    answer = answer_question(
        Query(text="The embedded server stops when the last process ends?"),
        retriever=ContextRetriever(store, embedder, OffTracer()),
        writer=ExtractiveWriter(embedder),
        tracer=OffTracer(),
    )
    assert answer.grounded
    assert set(answer.timings_s) == {"retrieve", "generate"}


def test_a_source_without_a_whole_sentence_is_not_quoted() -> None:
    bare = chunk(1, "```\ncode only\n```\n\n# A heading\n\na fragment without an end")
    answer = write_answer("What?", [bare], writer=extractive(), tracer=OffTracer())
    assert (answer.text, answer.sources) == (NO_SOURCES, ())


def test_list_items_are_sentences_of_their_own_and_repeated_ones_are_quoted_once() -> None:
    text = "- The server stops by itself when nobody uses it.\n- Bread needs flour, water and time."
    found = sentences(text)
    assert found == [
        "The server stops by itself when nobody uses it.",
        "Bread needs flour, water and time.",
    ]
    both = [chunk(1, text), chunk(2, text)]
    answer = write_answer(
        "When does the server stop?", both, writer=extractive(), tracer=OffTracer()
    )
    assert answer.text.count("The server stops by itself") == 1


@pytest.mark.parametrize("title", ["", "Title"])
def test_a_source_without_a_title_is_shown_by_its_link(title: str) -> None:
    shown = formatted([chunk(1).model_copy(update={"title": title})])
    assert shown.startswith(f"[1] {title or 'http://a.example/1'} (http://a.example/1)\n")
