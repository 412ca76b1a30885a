"""THE table of row generators, and what each of them has."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Protocol

from rag_llm_system.application.dataset.generation_report import GenerationReport
from rag_llm_system.application.dataset.generators_llm import LLMGenerator, LLMSettings
from rag_llm_system.application.dataset.offline import OfflineGenerator
from rag_llm_system.application.dataset.prompts import GenerationPrompt
from rag_llm_system.domain.datasets import Row
from rag_llm_system.domain.errors import ConfigurationError, UnknownName
from rag_llm_system.domain.ports import LLM


class RowGenerator(Protocol):
    """Makes rows of prompts, of the kind that each prompt names."""

    @property
    def name(self) -> str:
        """Name and version; every row carries it."""

    def rows(self, prompts: Iterable[GenerationPrompt], report: GenerationReport) -> Iterator[Row]:
        """In the order of the prompts; counts prompts, candidates, rows and what is lost in ``report``."""


def _offline(_llm: LLM | None, _settings: LLMSettings) -> RowGenerator:
    return OfflineGenerator()


def _by_llm(llm: LLM | None, settings: LLMSettings) -> RowGenerator:
    if llm is None:
        raise ConfigurationError(
            "generator 'llm' needs a language model: set LLM_BACKEND and its address, or use generator 'offline'"
        )
    return LLMGenerator(llm, settings)


GENERATORS: Mapping[str, Callable[[LLM | None, LLMSettings], RowGenerator]] = MappingProxyType(
    {"offline": _offline, "llm": _by_llm}
)


def row_generator(
    name: str, *, llm: LLM | None = None, settings: LLMSettings | None = None
) -> RowGenerator:
    """Raises UnknownName listing the known ones, ConfigurationError where one needs what is not there."""
    if name not in GENERATORS:
        raise UnknownName("generator", name, GENERATORS)
    return GENERATORS[name](llm, settings or LLMSettings())
