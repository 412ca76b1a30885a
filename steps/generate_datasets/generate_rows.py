"""Rows of a training set, made by a generator from extracts of documents: instructions, or preferences."""

from typing import Annotated, Any

from zenml import log_metadata

from rag_llm_system.application.dataset.generation import generate
from rag_llm_system.application.dataset.generation_report import GenerationReport
from rag_llm_system.application.dataset.generators import row_generator
from rag_llm_system.application.dataset.generators_llm import LLMSettings
from rag_llm_system.application.dataset.prompts import GenerationPrompt
from rag_llm_system.bootstrap import EXTRACTIVE
from rag_llm_system.domain.datasets import ROW_MODELS, DatasetKind
from rag_llm_system.domain.errors import DataError
from steps.progress import progress, say
from steps.records import Kind, RecordsFile, read_records, write_records
from steps.session import current_system, scratch_folder
from steps.tracing import traced_step

_KINDS: dict[DatasetKind, Kind] = {
    "instruction": "instruction_rows",
    "preference": "preference_rows",
}


@traced_step
def generate_instruction_dataset(
    prompts: RecordsFile, generator: str, llm: dict[str, Any], max_lost_share: float
) -> Annotated[RecordsFile, "generated_rows"]:
    return _generate(prompts, "instruction", generator, llm, max_lost_share)


@traced_step
def generate_preference_dataset(
    prompts: RecordsFile, generator: str, llm: dict[str, Any], max_lost_share: float
) -> Annotated[RecordsFile, "generated_rows"]:
    return _generate(prompts, "preference", generator, llm, max_lost_share)


def _generate(
    prompts: RecordsFile,
    kind: DatasetKind,
    generator: str,
    llm: dict[str, Any],
    max_lost_share: float,
) -> RecordsFile:
    """Raises DataError when more than ``max_lost_share`` of what was asked for came to nothing."""
    report = GenerationReport()
    system = current_system()
    model = None if system.settings.LLM_BACKEND == EXTRACTIVE else system.llm
    maker = row_generator(generator, llm=model, settings=LLMSettings.model_validate(llm))
    with progress("generating rows", prompts.rows) as advance:
        asked = advance.each(read_records(prompts, GenerationPrompt))
        rows = generate(asked, maker, report)
        file = write_records(_KINDS[kind], rows, ROW_MODELS[kind], scratch_folder())
    lost = sum(report.lost.values())
    say(f"  {report.rows} rows of {report.prompts} extracts, {lost} of {report.candidates} lost")
    for reason, count in report.lost.most_common():
        say(f"    {count} {reason}")
    if lost > max_lost_share * report.candidates:
        raise DataError(
            f"{lost} of {report.candidates} rows were lost, more than max_lost_share {max_lost_share:g} allows; "
            f"the most for: {report.lost.most_common(1)[0][0]}"
        )
    log_metadata(
        {
            "generator": maker.name,
            "prompts": report.prompts,
            "candidates": report.candidates,
            "rows": report.rows,
            "retried": report.retried,
            "lost": dict(report.lost),
        }
    )
    return file
