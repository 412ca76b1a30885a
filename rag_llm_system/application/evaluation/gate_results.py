"""What an index finds for each question of a golden set, and the results that were accepted last."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from rag_llm_system.application.evaluation.golden import GoldenQuestion
from rag_llm_system.application.evaluation.metrics import Grades
from rag_llm_system.application.evaluation.whole_files import write_whole
from rag_llm_system.application.preprocessing.categories import SEARCHED, Category
from rag_llm_system.domain.documents import canonical_link
from rag_llm_system.domain.errors import DataError
from rag_llm_system.domain.ports import VectorStore

ACCEPTED = "retrieval_gate.json"
"""The name, in the data directory, of the results of the last index that was accepted."""

KEPT_DOCUMENTS = 10


class Seen(NamedTuple):
    """The document that a found chunk is of."""

    document_id: str
    link: str


Search = Callable[[Sequence[str]], Sequence[Sequence[Seen]]]
"""What is found for each of the questions, best first."""

Found = Mapping[str, tuple[str, ...]]
"""The way of ranking to the documents that it found, by id, best first, each once."""

Results = Mapping[str, Found]
"""By the key of the question."""


def expected_documents(
    questions: Iterable[GoldenQuestion],
    store: VectorStore,
    table: Mapping[str, Category] = SEARCHED,
) -> dict[str, Grades]:
    """By key, the cleaned documents with the question's link; questions without one are left out."""
    there: dict[str, list[str]] = {}
    for category in table.values():
        for record in store.scan(category.cleaned_collection, fields=("link",)):
            there.setdefault(canonical_link(record.payload["link"]), []).append(record.id)
    return {
        question.key: dict.fromkeys(there[question.place], 1)
        for question in questions
        if question.place in there
    }


def results_of(
    questions: Sequence[GoldenQuestion], searches: Mapping[str, Search], links: dict[str, str]
) -> dict[str, Found]:
    """Ask every question in every way; ``links`` gets the link of each document that was found."""
    results: dict[str, dict[str, tuple[str, ...]]] = {question.key: {} for question in questions}
    texts = [question.question for question in questions]
    for way, search in searches.items() if questions else ():
        for question, found in zip(questions, search(texts), strict=True):
            links.update(found)
            results[question.key][way] = tuple(dict.fromkeys(one.document_id for one in found))
    return dict(results)


def read_accepted(path: Path) -> dict[str, Found]:
    """{} when nothing was accepted yet."""
    if not path.exists():
        return {}
    try:
        return dict(_RESULTS.validate_json(path.read_bytes()))
    except ValidationError:
        raise DataError(
            f"{path} is not what the gate wrote; remove it, and the next run has nothing to compare with"
        ) from None


def write_accepted(path: Path, results: Results) -> None:
    """Of each question as many documents as a comparison looks at; a file that says the same is left alone."""
    shortened = {
        key: {way: list(found[:KEPT_DOCUMENTS]) for way, found in ways.items()}
        for key, ways in sorted(results.items())
    }
    text = json.dumps(shortened, indent=1, ensure_ascii=False) + "\n"
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    write_whole(path, text)


_RESULTS: TypeAdapter[Results] = TypeAdapter(Results)
