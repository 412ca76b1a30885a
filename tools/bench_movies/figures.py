"""What was measured, as it is written to a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from rag_llm_system.application.evaluation.bootstrap import Interval
from rag_llm_system.application.evaluation.film_requests import RequestScore
from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import DataError, MissingFile

_T = TypeVar("_T", bound=Value)


class Run(Value):
    """One way over all requests. ``titles`` were recommended, ``existing`` of them are in the records."""

    way: str
    scores: tuple[RequestScore, ...]
    titles: int
    existing: int
    p50_ms: float
    p95_ms: float


class Written(Value):
    """The texts of one writer over all requests.

    ``titles`` are set in bold letters; ``existing`` of them are in the records and ``candidates`` among the films
    found for the request; of the ``confidences``, ``computed`` are those of these films. ``made_up`` titles stand
    anywhere in the texts. ``sample`` is one answer.
    """

    writer: str
    answers: int
    titles: int
    existing: int
    candidates: int
    confidences: int
    computed: int
    made_up: int
    sample: str


class Figures(Value):
    """``golden``: the first films for one request, with their grades, 0 where they are not intended."""

    facts: Mapping[str, str]
    command: str
    runs: tuple[Run, ...]
    written: tuple[Written, ...]
    golden_request: str
    golden: tuple[tuple[str, int], ...]


class FirstSight(Value):
    """Measures by way, from before anything was changed because of these requests."""

    date: str
    measures: Mapping[str, Mapping[str, Interval]]


def read_figures(path: Path) -> Figures:
    """Raises MissingFile, and DataError for another file."""
    return _read(path, Figures)


def read_first_sight(path: Path) -> FirstSight:
    """Raises MissingFile, and DataError for another file."""
    return _read(path, FirstSight)


def _read(path: Path, kind: type[_T]) -> _T:
    if not path.is_file():
        raise MissingFile(f"{path} is not there; measure first, without --page-only")
    try:
        return kind.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        raise DataError(
            f"{path} holds no figures of this benchmark; remove it, or name another file"
        ) from error
