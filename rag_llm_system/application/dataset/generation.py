"""Makes rows of prompts by a generator, and sees to it that no question is asked twice."""

from collections.abc import Iterable, Iterator

from rag_llm_system.application.dataset.generation_report import GenerationReport
from rag_llm_system.application.dataset.generators import RowGenerator
from rag_llm_system.application.dataset.prompts import GenerationPrompt
from rag_llm_system.domain.datasets import Row
from rag_llm_system.domain.errors import BackendError, DataError


def generate(
    prompts: Iterable[GenerationPrompt], generator: RowGenerator, report: GenerationReport
) -> Iterator[Row]:
    """In the order of the prompts; ``report`` grows while the rows are taken.

    Raises BackendError where the generator's model stays away, and DataError where its counts do not add up. ``report``
    then says in ``stopped`` what happened; the rows that came before are good.
    """
    try:
        yield from generator.rows(prompts, report)
    except BackendError as error:
        report.stopped = str(error)
        raise
    if not report.adds_up:
        raise DataError(
            f"generator {generator.name}: {report.candidates} pairs tried, but {report.rows} rows and "
            f"{sum(report.lost.values())} lost; report this"
        )
