"""Golden sets: questions and the document that answers each, proposed from a user's own documents and reviewed by hand.

One JSON object a line: ``{"question", "link", "document_id", "category", "quote", "kind", "reviewed"}``. Of a question
that somebody adds, ``question`` and ``link`` are enough.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, zip_longest
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from rag_llm_system.application.evaluation.whole_files import write_whole
from rag_llm_system.application.preprocessing.categories import SEARCHED, Category
from rag_llm_system.domain.documents import CleanedDocument, Value, canonical_link
from rag_llm_system.domain.errors import DataError
from rag_llm_system.domain.ports import VectorStore

GOLDEN_SET = "golden_set.jsonl"
"""Its name in the data directory."""

SAMPLE = 2_000
"""So many documents questions are taken from, and so many say which words are rare."""

_READ_AT_ONCE = 64

Kind = Literal["heading", "definition", "keywords", "llm", "own"]


class GoldenQuestion(Value):
    """A question and the link of the document that answers it; ``quote`` is where, word for word, white space aside."""

    question: str = Field(min_length=1)
    link: str = Field(min_length=1)
    document_id: str = ""
    category: str = ""
    quote: str = ""
    kind: Kind = "own"
    reviewed: bool = False

    @property
    def key(self) -> str:
        """Names the question in a record of results."""
        return f"{self.question} -> {self.place}"

    @property
    def place(self) -> str:
        return canonical_link(self.link)


def read_golden(path: Path) -> list[GoldenQuestion]:
    """[] when there is no such file; raises DataError naming the line that is wrong."""
    if not path.exists():
        return []
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            rows.append(GoldenQuestion.model_validate_json(line))
        except ValidationError as error:
            wrong = error.errors(include_url=False)[0]
            where = ".".join(map(str, wrong["loc"])) or "the line"
            raise DataError(f"{path}, line {number}: {where}: {wrong['msg']}") from None
    return rows


def write_golden(path: Path, rows: Iterable[GoldenQuestion]) -> None:
    """The whole file or, if the process dies, the one that was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(row.model_dump(), ensure_ascii=False) for row in rows]
    write_whole(path, "".join(f"{line}\n" for line in lines))


def merged(
    there: Sequence[GoldenQuestion],
    proposed: Iterable[GoldenQuestion],
    number: int,
    *,
    replace: bool,
) -> list[GoldenQuestion]:
    """What is there, then proposals up to ``number`` in all; ``replace`` gives up what was not reviewed."""
    kept = [row for row in there if row.reviewed or not replace]
    asked = {_asked(row) for row in kept}
    new = (row for row in proposed if _asked(row) not in asked)
    return [*kept, *islice(new, max(0, number - len(kept)))]


def chosen(rows: Sequence[GoldenQuestion], number: int, *, enough: int) -> list[GoldenQuestion]:
    """The reviewed ones; all when fewer than ``enough`` are reviewed. Of more than ``number``, always the same."""
    reviewed = [row for row in rows if row.reviewed]
    usable = reviewed if len(reviewed) >= enough else rows
    first = {row.key: row for row in usable}
    return [first[key] for key in sorted(first, key=lambda key: order(0, key))[:number]]


def sampled_documents(
    store: VectorStore,
    seed: int,
    table: Mapping[str, Category] = SEARCHED,
    *,
    number: int = SAMPLE,
) -> list[CleanedDocument]:
    """Cleaned documents, category by category in turn, so that small categories are not lost among large ones.

    The order follows from seed and id: a document more or less leaves that of the others as it is.
    """
    ids = {
        name: sorted(
            (record.id for record in store.scan(category.cleaned_collection, fields=())),
            key=lambda one: order(seed, one),
        )
        for name, category in table.items()
    }
    turns = (
        (name, one)
        for row in zip_longest(*(_named(n, i) for n, i in ids.items()))
        for name, one in filter(None, row)
    )
    wanted = list(islice(turns, number))
    found: dict[str, CleanedDocument] = {}
    for name, category in table.items():
        found |= _documents(store, category, [one for of, one in wanted if of == name])
    return [found[one] for _, one in wanted if one in found]


def order(seed: int, text: str) -> str:
    """A place among others that says nothing of the text and is always the same."""
    return hashlib.sha256(f"{seed}:{text}".encode("utf-8", "surrogatepass")).hexdigest()


def _asked(row: GoldenQuestion) -> str:
    return " ".join(row.question.casefold().split())


def _named(name: str, ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    return ((name, one) for one in ids)


def _documents(
    store: VectorStore, category: Category, ids: Sequence[str]
) -> dict[str, CleanedDocument]:
    found = {}
    for start in range(0, len(ids), _READ_AT_ONCE):
        some = list(ids[start : start + _READ_AT_ONCE])
        for record in store.scan(category.cleaned_collection, where={"document_id": some}):
            fields = {k: v for k, v in record.payload.items() if k != "document_id"}
            found[record.id] = CleanedDocument.model_validate({**fields, "id": record.id})
    return found
