"""The labelled questions of self-query, and the vocabulary that they are asked against."""

import json
from datetime import date
from pathlib import Path
from typing import Any

from rag_llm_system.application.rag.self_query import Vocabulary
from rag_llm_system.domain.queries import Interpretation, Range

_FOLDER = Path(__file__).parents[3] / "data" / "self_query"
_KNOWN = json.loads((_FOLDER / "vocabulary.json").read_text(encoding="utf-8"))

TODAY = date.fromisoformat(_KNOWN["today"])
VALUES: dict[str, list[str]] = _KNOWN["values"]


def vocabulary() -> Vocabulary:
    return Vocabulary(VALUES, _KNOWN["numbers"])


def questions(name: str) -> list[dict[str, Any]]:
    """Rows of ``question`` and, where it is labelled, ``expected``."""
    lines = (_FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def as_labelled(read: Interpretation) -> dict[str, Any]:
    """The conditions as the files write them: a range by its ends, "any other author" by who is left out."""
    found: dict[str, Any] = {}
    for one in read.conditions:
        if isinstance(one.condition, Range):
            found[one.field] = one.condition.model_dump(exclude_none=True)
        elif one.label.startswith("not "):
            found[one.field] = {"not": sorted(set(VALUES[one.field]) - set(one.condition))}
        else:
            found[one.field] = one.condition
    return found
