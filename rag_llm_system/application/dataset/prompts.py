"""Cuts documents into extracts, each of which rows of a training set are made from."""

from collections.abc import Iterable, Iterator, Sequence
from uuid import uuid5

from rag_llm_system.application.dataset.generation_report import GenerationReport
from rag_llm_system.application.dataset.offline_fitness import unfit
from rag_llm_system.application.dataset.offline_terms import repeated_terms
from rag_llm_system.application.dataset.passages import MIN_CHARS, passages
from rag_llm_system.application.preprocessing.chunking_data_handlers import (
    Chars,
    ChunkSize,
    Span,
    by_paragraph,
)
from rag_llm_system.application.preprocessing.markdown import code_or_prose
from rag_llm_system.domain.datasets import DatasetKind
from rag_llm_system.domain.documents import NAMESPACE, CleanedDocument, Value

PROMPT_VERSIONS: dict[DatasetKind, str] = {"instruction": "instruct-1", "preference": "prefer-1"}
"""Of the template with which a language model is asked; goes up when its wording does."""

EXTRACT_SIZE = Chars(1000, 2000)
PROSE_CATEGORIES = ("articles", "posts")
"""Written by somebody, in a style: records of films and source code are not. Documentation of repositories may be
named as well; their source code is left out."""

_MIN_PROSE_SHARE = 0.5
_ELSEWHERE, _LOOKED_AT = 3, 9


class GenerationPrompt(Value):
    """An extract, ``text[start:end]`` of a cleaned document, and what is known about it.

    ``terms`` are phrases that the document repeats and that occur in the extract; ``elsewhere`` holds passages of other
    extracts of the document, for answers that miss the question. ``title`` and ``heading`` may be "".
    """

    id: str
    document_id: str
    category: str
    title: str
    heading: str
    author_full_name: str
    extract: str
    start: int
    end: int
    kind: DatasetKind
    prompt_version: str
    terms: Sequence[str] = ()
    elsewhere: Sequence[str] = ()

    @property
    def chunk_id(self) -> str:
        return f"{self.document_id}:{self.start}-{self.end}"


def create_prompts(
    documents: Iterable[CleanedDocument],
    kind: DatasetKind,
    *,
    categories: Sequence[str] = PROSE_CATEGORIES,
    size: ChunkSize = EXTRACT_SIZE,
    report: GenerationReport | None = None,
) -> Iterator[GenerationPrompt]:
    """In the order of the documents; extracts end where paragraphs, sections or sentences do.

    A document shorter than an extract is one. Extracts that are mostly code are left out, and so are documents of other
    categories; ``report`` counts both.
    """
    report = report or GenerationReport()
    for document in documents:
        if document.category not in categories or document.metadata.get("kind") == "code":
            report.skipped["document is no prose"] += 1
            continue
        report.documents += 1
        yield from _of_document(document, kind, size, report)


def _of_document(
    document: CleanedDocument, kind: DatasetKind, size: ChunkSize, report: GenerationReport
) -> Iterator[GenerationPrompt]:
    text = document.text
    pieces = list(by_paragraph(text, size, _no_tokens))
    told = [
        _told(text[piece.start : piece.end]) if kind == "preference" else [] for piece in pieces
    ]
    terms = repeated_terms(text)
    for number, piece in enumerate(pieces):
        extract = text[piece.start : piece.end]
        if len(extract) > size.maximum or not _is_prose(extract):
            report.skipped["extract is no prose"] += 1
            continue
        lowered = extract.casefold()
        yield GenerationPrompt(
            id=str(uuid5(NAMESPACE, f"{kind}:{document.id}:{piece.start}-{piece.end}")),
            document_id=document.id,
            category=document.category,
            title=document.title,
            heading=piece.headings[-1] if piece.headings else "",
            author_full_name=document.author_full_name,
            extract=extract,
            start=piece.start,
            end=piece.end,
            kind=kind,
            prompt_version=PROMPT_VERSIONS[kind],
            terms=tuple(term for term in terms if term in lowered),
            elsewhere=_elsewhere(told, number),
        )


def _no_tokens(_text: str) -> list[Span]:
    """Sizes are in characters."""
    return []


def _is_prose(extract: str) -> bool:
    prose = sum(len(line) for is_code, line in code_or_prose(extract) if not is_code)
    return prose >= MIN_CHARS and prose >= _MIN_PROSE_SHARE * len(extract)


def _told(extract: str) -> list[str]:
    return [p.text for p in passages(extract) if not unfit(p.text)]


def _elsewhere(told: Sequence[Sequence[str]], number: int) -> tuple[str, ...]:
    """One passage each of extracts half a document away, so that none is taken often and none is a neighbour."""
    half = number + len(told) // 2
    others = [(half + step) % len(told) for step in range(min(_LOOKED_AT, len(told)))]
    found = [
        told[other][number % len(told[other])]
        for other in others
        if told[other] and other != number
    ]
    return tuple(found[:_ELSEWHERE])
