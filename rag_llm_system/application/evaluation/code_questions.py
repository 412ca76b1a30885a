"""Questions about code with the definitions that answer them, found on the lines where they stand today.

::

    {"corpus": "own", "kind": "words", "question": "...", "answers": ["package/module.py::Class.method", ...]}

A label names a file and what it defines, so it survives edits around it; any one of a question's labels will do.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field, ValidationError

from rag_llm_system.application.preprocessing.code_boundaries import outline_of
from rag_llm_system.domain.documents import Value, sha256_of
from rag_llm_system.domain.errors import DataError, MissingFile

Kind = Literal["identifier", "words", "paraphrase"]
Half = Literal["dev", "held-out"]

_BETWEEN = "::"


class CodeQuestion(Value):
    """``kind``: it names an identifier, uses words of the code, or says it in words that the code does not use."""

    corpus: str
    kind: Kind
    question: str = Field(min_length=1)
    answers: tuple[str, ...] = Field(min_length=1)

    @property
    def half(self) -> Half:
        """Decided by a hash of the question: who tunes looks at "dev" alone."""
        return "held-out" if int(sha256_of(self.question)[:8], 16) % 2 else "dev"


class Lines(NamedTuple):
    """Lines ``[first, last]`` of a file, counted from 1."""

    file: str
    first: int
    last: int

    def overlaps(self, other: "Lines") -> bool:
        return self.file == other.file and self.first <= other.last and other.first <= self.last


def read_code_questions(path: Path) -> list[CodeQuestion]:
    """Raises MissingFile, or DataError naming the line that is no question or that repeats one."""
    if not path.is_file():
        raise MissingFile(f"{path} is not there; name a JSON-lines file of questions")
    found: dict[tuple[str, str], CodeQuestion] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            one = CodeQuestion.model_validate_json(line)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise DataError(f"{path}:{number}: {where or 'line'}: {first['msg']}") from error
        if (one.corpus, one.question) in found:
            raise DataError(f"{path}:{number} asks {json.dumps(one.question)} again")
        found[one.corpus, one.question] = one
    return list(found.values())


def definitions(text: str, language: str) -> dict[str, list[tuple[int, int]]]:
    """Every definition by its path, ``Store.save``, with its first and last lines.

    An overloaded function stands in several places.
    """
    outline = outline_of(text, language)
    blocks = outline.blocks if outline else ()
    paths: dict[int, str] = {}
    found: dict[str, list[tuple[int, int]]] = {}
    for index, block in enumerate(blocks):  # what is around comes first
        if block.name:
            around = paths.get(block.parent)
            paths[index] = f"{around}.{block.name}" if around else block.name
            found.setdefault(paths[index], []).append((block.first + 1, block.last + 1))
    return found


class Labels:
    """The labels of one code base, resolved; each file is read once."""

    def __init__(self, read: Callable[[str], str | None], language: str = "python") -> None:
        """``read`` gives the text of a path, None where there is no such file."""
        self._read, self._language = read, language
        self._known: dict[str, Mapping[str, Sequence[tuple[int, int]]] | None] = {}

    def lines(self, question: CodeQuestion) -> list[Lines]:
        """Raises DataError naming a label that leads nowhere."""
        return [place for label in question.answers for place in self._of(label, question)]

    def _of(self, label: str, question: CodeQuestion) -> list[Lines]:
        file, _, symbol = label.partition(_BETWEEN)
        if file not in self._known:
            text = self._read(file)
            self._known[file] = None if text is None else definitions(text, self._language)
        known = self._known[file]
        if known is None or symbol not in known:
            what = "there is no such file" if known is None else "the file defines nothing of it"
            raise DataError(
                f"stale label {label!r} of {question.corpus} ({question.question!r}): {what}; "
                "name what answers the question now"
            )
        return [Lines(file, first, last) for first, last in known[symbol]]


def first_hit(found: Sequence[Lines], wanted: Sequence[Lines]) -> int | None:
    """The rank, from 1, of the first result that has a line of what was wanted."""
    ranks = (
        rank
        for rank, one in enumerate(found, start=1)
        if any(one.overlaps(place) for place in wanted)
    )
    return next(ranks, None)
