"""What the RAG API takes and gives."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AliasChoices, Field, StringConstraints, model_validator

from rag_llm_system.application.rag.answer import Asked, Found
from rag_llm_system.application.rag.retriever import MAX_K
from rag_llm_system.domain.answers import (
    Answer,
    AnswerSource,
    Confidence,
    Context,
    ContextChunk,
    Message,
)
from rag_llm_system.domain.documents import Scalar, Value
from rag_llm_system.domain.queries import Interpretation, Query, Range
from rag_llm_system.infrastructure.inference_pipeline_api.assistants import (
    DOCUMENTS,
    AssistantName,
    KnownUser,
    UserName,
)

MAX_QUERY_CHARS = 4000
MAX_HISTORY = 40
MAX_HISTORY_CHARS = 40_000
MAX_FILTERS = 16
MAX_FILTER_VALUES = 100
MAX_DEADLINE_S = 600.0
MAX_TOKENS = 32_000
MAX_COMMENT_CHARS = 2000
MAX_PREFERENCE_CHARS = 500

_Text = Annotated[str, Field(max_length=500)]
FieldName = Annotated[str, StringConstraints(max_length=100)]
Condition = (
    Scalar
    | Annotated[list[_Text | int | float | bool], Field(max_length=MAX_FILTER_VALUES)]
    | Range
)


class Turn(Value):
    """One message of the conversation so far."""

    role: Literal["user", "assistant"]
    content: str = Field(max_length=MAX_HISTORY_CHARS)


class RetrieveRequest(Value):
    """A question and what its sources must meet.

    ``filters``: conditions on payload fields, all required; a list means any of its members, an object with ``gte`` and
    ``lte`` a range. ``self_query``: whether conditions are read out of the question as well. ``user`` is whose tastes
    the film assistant knows.
    """

    query: str = Field(min_length=1, max_length=MAX_QUERY_CHARS, examples=["How is text chunked?"])
    assistant: AssistantName = DOCUMENTS
    user: UserName = ""
    k: int | None = Field(
        None,
        ge=1,
        le=MAX_K,
        strict=True,
        description="How many chunks to retrieve; null: as many as suit the assistant",
    )
    filters: dict[FieldName, Condition] = Field(
        default_factory=dict,
        max_length=MAX_FILTERS,
        validation_alias=AliasChoices("filters", "where"),
        examples=[{"category": "articles"}],
    )
    self_query: bool = Field(True, strict=True)
    history: list[Turn] = Field(
        default_factory=list,
        max_length=MAX_HISTORY,
        description="The conversation so far, oldest first: makes follow-up questions work",
    )
    deadline_s: float | None = Field(
        None,
        gt=0,
        le=MAX_DEADLINE_S,
        strict=True,
        description="Seconds this may take; null: as the server says",
    )

    @model_validator(mode="after")
    def _is_bounded(self) -> Self:
        if sum(len(turn.content) for turn in self.history) > MAX_HISTORY_CHARS:
            raise ValueError(
                f"history has over {MAX_HISTORY_CHARS} characters; send its last turns"
            )
        return self

    def asked(
        self, deadline_s: float, *, default_k: int, user: str, max_tokens: int | None = None
    ) -> Asked:
        """``deadline_s`` is the server's: a request may ask for less, not for more. ``user`` as it is stored."""
        return Asked(
            query=Query(text=self.query, where=self.filters),
            k=self.k or default_k,
            self_query=self.self_query,
            history=tuple(Message(role=turn.role, content=turn.content) for turn in self.history),
            deadline_s=min(deadline_s, self.deadline_s or deadline_s),
            max_tokens=max_tokens,
            user=user,
        )


class RagRequest(RetrieveRequest):
    """``max_tokens``: of prompt and answer together. ``passages``: whether sources carry their whole passage."""

    stream: bool = Field(False, strict=True)
    max_tokens: int | None = Field(None, ge=200, le=MAX_TOKENS, strict=True)
    passages: bool = Field(False, strict=True)


class Source(Value):
    """A passage that the answer was written from; ``n`` is the number by which the answer cites it.

    ``score`` is a cosine similarity, ``quote`` the part that says most about the question. ``lines`` ("10-24") is set
    for files; ``passage`` only where it was asked for.
    """

    n: int
    title: str
    link: str
    category: str
    score: float
    quote: str
    cited: bool
    headings: tuple[str, ...] = ()
    source_file: str = ""
    lines: str = ""
    passage: str | None = None

    @classmethod
    def of(cls, source: AnswerSource, *, passages: bool) -> "Source":
        shown = {name: getattr(source, name) for name in cls.model_fields if name != "passage"}
        return cls(**shown, passage=source.passage if passages else None)


class RagResponse(Value):
    """``sources`` are all that the answer was written from. ``grounded``: whether it cites any of them.

    ``confidence`` is null where nothing was found; ``interpretation`` is what was read out of the question,
    ``question`` the whole question that was made of a follow-up ("" where it was whole), ``notes`` are for the reader.
    ``skipped`` are the stages for which there was no time or budget, ``timings_s`` the seconds of those that ran.
    ``trace_id`` names the trace and takes feedback. ``compliance_status`` is "compliant", or "non_compliant: <rule>"
    for what the policy withheld.
    """

    answer: str
    sources: list[Source]
    grounded: bool
    confidence: Confidence | None
    notes: list[str]
    interpretation: Interpretation
    question: str
    timings_s: Mapping[str, float]
    model: str
    index_version: str
    trace_id: str
    skipped: list[str]
    compliance_status: str = "compliant"

    @classmethod
    def of(cls, answer: Answer, *, passages: bool = False) -> "RagResponse":
        return cls(
            answer=answer.text,
            sources=[Source.of(one, passages=passages) for one in answer.sources],
            grounded=answer.grounded,
            confidence=answer.confidence,
            notes=list(answer.notes),
            interpretation=answer.interpretation,
            question=answer.condensed,
            timings_s=dict(answer.timings_s),
            model=answer.model,
            index_version=answer.index_version,
            trace_id=answer.trace_id,
            skipped=list(answer.skipped),
        )


class FoundEvent(Value):
    """The first event of a stream: what the answer will be written from."""

    sources: list[Source]
    question: str
    interpretation: Interpretation
    notes: list[str]
    skipped: list[str]
    index_version: str
    confidence: Confidence | None
    trace_id: str

    @classmethod
    def of(cls, found: Found, *, passages: bool) -> "FoundEvent":
        return cls(
            sources=[Source.of(one, passages=passages) for one in found.sources],
            question=found.condensed,
            interpretation=found.interpretation,
            notes=list(found.notes),
            skipped=list(found.skipped),
            index_version=found.index_version,
            confidence=found.confidence,
            trace_id=found.trace_id,
        )


class RetrieveResponse(Value):
    """``chunks`` as they were ranked, best first, before any was left out, joined or cut for a prompt."""

    chunks: list[ContextChunk]
    question: str
    interpretation: Interpretation
    notes: list[str]
    skipped: list[str]
    index_version: str
    timings_s: Mapping[str, float]
    trace_id: str

    @classmethod
    def of(cls, context: Context, trace_id: str) -> "RetrieveResponse":
        return cls(
            chunks=list(context.chunks),
            question=context.condensed,
            interpretation=context.interpretation,
            notes=list(context.notes),
            skipped=list(context.skipped),
            index_version=context.index_version,
            timings_s={stage: round(s, 4) for stage, s in context.timings_s.items()},
            trace_id=trace_id,
        )


class FeedbackRequest(Value):
    """``score``: 1 is good, 0 is bad."""

    trace_id: str = Field(min_length=36, max_length=36, json_schema_extra={"format": "uuid"})
    score: float = Field(ge=0, le=1, strict=True)
    comment: str = Field("", max_length=MAX_COMMENT_CHARS)


class Stored(Value):
    stored: bool = True


class PreferenceRequest(Value):
    """A sentence on what ``user`` likes, or on films they have seen."""

    user: KnownUser
    text: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_PREFERENCE_CHARS),
    ] = Field(examples=["I like sci-fi, but with good characters"])


class KeptPreference(Value):
    id: str
    kind: Literal["taste", "seen"]
    text: str


class KeptPreferences(Value):
    preferences: list[KeptPreference]


class Filters(Value):
    """The values that the index has for the most used filters.

    ``assistants`` are those that have something to answer from; ``repositories`` the code bases.
    """

    authors: list[str]
    categories: list[str]
    platforms: list[str]
    assistants: list[str]
    repositories: list[str]


class Health(Value):
    """``error`` says why loading failed."""

    status: Literal["loading", "ready", "failed"]
    error: str = ""
