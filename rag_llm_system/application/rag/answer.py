"""Answers a question: retrieve, build the context, write, check the citations."""

import re
import time
from collections.abc import Iterator, Sequence
from typing import Protocol

from rag_llm_system.application.rag import prompt_templates
from rag_llm_system.application.rag.context import formatted, pack
from rag_llm_system.application.rag.retriever import DEFAULT_K, ContextRetriever
from rag_llm_system.domain.answers import Answer, AnswerSource, ContextChunk
from rag_llm_system.domain.ports import LLM, Tracer
from rag_llm_system.domain.queries import Query

NO_SOURCES = "No sources were found for this question, so there is no answer."

MIN_SCORE = 0.3
"""Below this cosine a chunk is about something else. Measured with MiniLM on two corpora (the handbook and 76
articles), 12 questions each way: the best chunk of a question about something else scored 0.14 to 0.30, that
of a question about the corpus 0.35 to 0.78. Another encoder has another scale."""

_CITATION = re.compile(r"(?<![\w)\"'])\[(\d+)\]")
_QUOTE_CHARS = 200


class AnswerWriter(Protocol):
    """Writes an answer from numbered chunks."""

    @property
    def model_id(self) -> str: ...

    def write(self, question: str, chunks: Sequence[ContextChunk]) -> Iterator[str]: ...


class LLMWriter:
    """Lets a language model write, with the chunks as its context."""

    def __init__(self, llm: LLM, *, max_tokens: int, temperature: float) -> None:
        self._llm = llm
        self._max_tokens = max_tokens
        self._temperature = temperature
        self.model_id = llm.model_id

    def write(self, question: str, chunks: Sequence[ContextChunk]) -> Iterator[str]:
        prompt = prompt_templates.answer_prompt(question, formatted(chunks))
        return self._llm.stream(prompt, max_tokens=self._max_tokens, temperature=self._temperature)


def answer_question(
    query: Query,
    *,
    retriever: ContextRetriever,
    writer: AnswerWriter,
    tracer: Tracer,
    k: int = DEFAULT_K,
) -> Answer:
    """The answer with its sources; without sources it says so, and nothing is generated."""
    with tracer.span("rag", inputs={"query": query.text, "k": k}) as span:
        started = time.perf_counter()
        chunks = retriever.search(query, k)
        retrieved = time.perf_counter()
        answer = write_answer(query.text, chunks, writer=writer, tracer=tracer)
        timings = {
            "retrieve": round(retrieved - started, 4),
            "generate": round(time.perf_counter() - retrieved, 4),
        }
        span.record(answer=answer.text, sources=[s.link for s in answer.sources])
        return answer.model_copy(update={"timings_s": timings, "trace_id": span.trace_id})


def write_answer(
    question: str, chunks: Sequence[ContextChunk], *, writer: AnswerWriter, tracer: Tracer
) -> Answer:
    """The writing half of :func:`answer_question`, from chunks that were retrieved before."""
    relevant = pack([c for c in chunks if c.score >= MIN_SCORE])
    if not relevant:
        return Answer(question=question, text=NO_SOURCES, model=writer.model_id, grounded=False)
    inputs = {
        "model": writer.model_id,
        "prompt_version": prompt_templates.ANSWER_VERSION,
        "chunks": len(relevant),
    }
    with tracer.span("generate", kind="llm", inputs=inputs) as span:
        written = "".join(writer.write(question, relevant)).strip()
        span.record(answer=written)
    text, cited = checked_citations(written, {c.n for c in relevant})
    return Answer(
        question=question,
        text=text or NO_SOURCES,
        sources=tuple(_source(c) for c in relevant) if text else (),
        model=writer.model_id,
        grounded=bool(text and cited),
    )


def checked_citations(text: str, known: set[int]) -> tuple[str, set[int]]:
    """The text without citations of sources that do not exist, and the numbers that are cited."""
    cited = {int(n) for n in _CITATION.findall(text)} & known
    kept = _CITATION.sub(lambda m: m.group() if int(m.group(1)) in known else "", text)
    return re.sub(r" +([.,;])", r"\1", kept) if kept != text else text, cited


def _source(chunk: ContextChunk) -> AnswerSource:
    quote = " ".join(chunk.content.split())
    return AnswerSource(
        n=chunk.n,
        title=chunk.title,
        link=chunk.link,
        category=chunk.category,
        score=round(chunk.score, 4),
        quote=quote if len(quote) <= _QUOTE_CHARS else f"{quote[:_QUOTE_CHARS].rstrip()}…",
    )
