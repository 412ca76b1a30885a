"""The code bases that are asked about: this project's own, and two installed packages that a reader knows."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from rag_llm_system.application.code.miner import CodeMiner
from rag_llm_system.application.evaluation.code_questions import (
    CodeQuestion,
    Labels,
    Lines,
    read_code_questions,
)
from rag_llm_system.domain.code import CodeFile
from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.infrastructure.git_commit import head_commit
from rag_llm_system.settings import PROJECT_ROOT

QUESTIONS = Path(__file__).with_name("questions.jsonl")
OWN = "own"


class Corpus(NamedTuple):
    """Python files below ``root``; ``exclude`` has patterns of what is left out, ``version`` names the state."""

    name: str
    root: Path
    version: str
    exclude: Sequence[str] = ()

    def files(self) -> list[CodeFile]:
        return CodeMiner(self.root, extensions=(".py",), exclude=self.exclude).mine_all()

    def text(self, path: str) -> str | None:
        file = self.root / path
        return file.read_text(encoding="utf-8") if file.is_file() else None


class Asked(NamedTuple):
    """A question and the lines that answer it."""

    question: CodeQuestion
    wanted: Sequence[Lines]


def corpora() -> Mapping[str, Corpus]:
    """By the name that questions have them by."""
    # a package that was installed has no tests and no docs either
    own = Corpus(
        OWN,
        PROJECT_ROOT,
        head_commit(PROJECT_ROOT)[:12] or "no commit",
        exclude=("/tests/", "/docs/", "/examples/", "/configs/"),
    )
    # pydantic carries its earlier major version along: whatever one asks, it has a second right answer
    packages = (_package("datasets"), _package("pydantic", exclude=("/v1/",)))
    return {corpus.name: corpus for corpus in (own, *packages)}


def asked(corpus: Corpus, questions: Sequence[CodeQuestion]) -> list[Asked]:
    """Those about the corpus. Raises DataError naming a label that is stale."""
    labels = Labels(corpus.text)
    return [Asked(one, labels.lines(one)) for one in questions if one.corpus == corpus.name]


def questions() -> list[CodeQuestion]:
    return read_code_questions(QUESTIONS)


def _package(name: str, exclude: Sequence[str] = ()) -> Corpus:
    found = find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise ConfigurationError(f"package {name!r} is not installed; install the project again")
    root = Path(found.submodule_search_locations[0])
    return Corpus(name, root, f"{name} {version(name)}", exclude)
