"""Makes question and answer rows from documents without a language model: the author's words answer."""

from collections.abc import Iterable, Iterator

from rag_llm_system.application.dataset.overlap import normalised, texts_of
from rag_llm_system.application.dataset.passages import Passage, passages, sentence_ends
from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.datasets import TrainingRow
from rag_llm_system.domain.documents import CleanedDocument

GENERATOR = "headings-1"
"""Stands in each row, so that a training set says what made it; changes when the rows would."""


def rows_from_documents(documents: Iterable[CleanedDocument]) -> Iterator[TrainingRow]:
    """One row per passage of prose, in the order of the documents; each answer is a slice of its document.

    A question or an answer that came before is not repeated. A document without a title gives no rows:
    nothing names what to ask for.
    """
    seen: set[str] = set()
    for document in documents:
        for row in _rows(document) if document.title.strip() else ():
            texts = texts_of(row)
            if seen.isdisjoint(texts):
                seen |= texts
                yield row


def _rows(document: CleanedDocument) -> Iterator[TrainingRow]:
    before = ""
    for passage in passages(document.text):
        yield TrainingRow(
            messages=(
                Message(
                    role="system",
                    content=f"You write as {document.author_full_name} does, in the author's own style.",
                ),
                Message(role="user", content=_question(document.title, passage, before)),
                Message(role="assistant", content=passage.text),
            ),
            document_id=document.id,
            metadata={
                "title": document.title,
                "section": passage.heading,
                "kind": "continuation" if passage.ordinal else "opening",
                "generator": GENERATOR,
            },
        )
        before = passage.text


def _question(title: str, passage: Passage, before: str) -> str:
    if passage.ordinal:
        return f'In "{title}" you write: "{_last_sentence(before)}" How do you go on?'
    if passage.heading and normalised(passage.heading) != normalised(title):
        return f'What do you write in "{title}" about "{passage.heading}"?'
    return f'How do you begin "{title}"?'


def _last_sentence(text: str) -> str:
    ends = [0, *sentence_ends(text)]
    return " ".join(text[ends[-2] : ends[-1]].split())
