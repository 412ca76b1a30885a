"""Messages to a language model, and answers with their sources."""

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.queries import Interpretation


class Message(Value):
    role: Literal["system", "user", "assistant"]
    content: str


class ContextChunk(Value):
    """One retrieved chunk, numbered as the answer cites it.

    ``score`` is the cosine similarity of its best window, ``relevance`` what it was ranked by: comparable within one
    retrieval, and with another one of the same stages.

    ``start`` and ``end`` are characters of the cleaned document, ``window`` those of ``content`` that matched best. The
    rest says where in a document or file the chunk stands, as far as that is known, and which definitions begin in it
    (see ``chunks.Chunk``).
    """

    n: int
    chunk_id: str
    document_id: str
    category: str
    title: str
    link: str
    author_full_name: str
    score: float
    relevance: float = 0.0
    content: str
    start: int = 0
    end: int = 0
    window: tuple[int, int] = (0, 0)
    headings: tuple[str, ...] = ()
    source_file: str = ""
    language: str = ""
    start_line: int = 0
    end_line: int = 0
    symbol: str = ""
    symbols: tuple[str, ...] = ()


class Context(Value):
    """What a question's retrieval gave, best first.

    ``interpretation`` is what self-query read in the question; ``notes`` are for the reader, such as a condition that
    was given up because nothing met it. ``timings_s`` has the seconds of each stage that ran, ``skipped`` the stages
    for which there was no time or budget. ``index_version`` changes with what is searched; ``condensed`` is the whole
    question that was made of a follow-up, "" where the question was whole.
    """

    chunks: Sequence[ContextChunk]
    interpretation: Interpretation = Interpretation()
    notes: Sequence[str] = ()
    timings_s: Mapping[str, float] = Field(default_factory=dict)
    skipped: tuple[str, ...] = ()
    index_version: str = ""
    condensed: str = ""


class AnswerSource(Value):
    """What the reader is shown of a passage that the answer was written from.

    ``quote`` is the part of ``passage`` that says most about the question, word for word. ``cited`` tells whether the
    answer cites it; ``start_line`` and ``end_line`` count from 1 and are set for files, ``lines`` shows both: "10-24".
    """

    n: int
    title: str
    link: str
    category: str
    score: float
    quote: str
    cited: bool = False
    headings: tuple[str, ...] = ()
    source_file: str = ""
    start_line: int = 0
    end_line: int = 0
    lines: str = ""
    passage: str = ""


class Confidence(Value):
    """How likely the sources are about the question: ``value`` in [0, 1], ``level`` in words."""

    value: float
    level: Literal["high", "medium", "low"]


class Answer(Value):
    """``text`` cites its sources as ``[1]``. No sources means that nothing was found: it is not an answer.

    ``notes`` are for the reader: what self-query understood, what retrieval gave up, what is doubtful. ``confidence``
    is None where nothing was found. ``condensed``, ``skipped`` and ``index_version`` are those of the :class:`Context`.
    """

    question: str
    text: str
    sources: Sequence[AnswerSource] = ()
    model: str
    grounded: bool
    confidence: Confidence | None = None
    notes: Sequence[str] = ()
    interpretation: Interpretation = Interpretation()
    timings_s: Mapping[str, float] = Field(default_factory=dict)
    trace_id: str = ""
    condensed: str = ""
    skipped: tuple[str, ...] = ()
    index_version: str = ""
