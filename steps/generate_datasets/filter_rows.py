"""Leaves out rows that are too short, badly formed, said before, or tell what is private."""

from typing import Annotated, Any

from zenml import log_metadata

from rag_llm_system.application.dataset.filters import FilterConfig, FilterReport
from rag_llm_system.application.dataset.filters import filter_rows as rows_kept
from rag_llm_system.domain.datasets import ROW_MODELS, DatasetKind
from rag_llm_system.domain.errors import DataError
from steps.progress import say
from steps.records import RecordsFile, read_records, write_records
from steps.session import scratch_folder
from steps.tracing import traced_step


@traced_step
def filter_rows(
    rows: RecordsFile, dataset_type: DatasetKind, filters: dict[str, Any]
) -> Annotated[RecordsFile, "filtered_rows"]:
    model, report = ROW_MODELS[dataset_type], FilterReport()
    kept = rows_kept(read_records(rows, model), FilterConfig.model_validate(filters), report)
    file = write_records(rows.kind, kept, model, scratch_folder())
    say(f"  {report.kept} of {report.rows_in} rows kept")
    for reason, count in report.dropped.most_common():
        say(f"    {count} dropped: {reason}, such as {', '.join(report.examples[reason])}")
    log_metadata(
        {
            "rows": report.rows_in,
            "kept": report.kept,
            "dropped": dict(report.dropped),
            "redacted": dict(report.redacted),
        }
    )
    if not file.rows:
        raise DataError(
            f"none of the {report.rows_in} generated rows passes the filters; the most were dropped for: "
            f"{', '.join(reason for reason, _ in report.dropped.most_common(3)) or 'nothing was generated'}"
        )
    return file
