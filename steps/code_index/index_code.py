"""Files of a code base -> chunks -> vectors -> store, for the files that changed."""

from pathlib import Path
from typing import Annotated

from zenml import log_metadata

from rag_llm_system.application.code.project import Project
from rag_llm_system.application.code.vectorizer import CodeIndexReport
from rag_llm_system.application.indexing.reports import reasons
from rag_llm_system.domain.code import CodeFile
from rag_llm_system.domain.errors import DataError
from rag_llm_system.domain.ports import encoder_name
from steps.progress import progress, say
from steps.records import RecordsFile, read_records
from steps.session import current_system
from steps.tracing import traced_step


@traced_step
def index_code(
    code_files: RecordsFile, root: str, name: str = ""
) -> Annotated[CodeIndexReport, "code_index_report"]:
    """The files are all there are of the code base: others of it are removed."""
    system, project = current_system(), Project(Path(root).expanduser(), name)
    files = read_records(code_files, CodeFile)
    with progress("indexing files", code_files.rows) as advance:
        report = system.code_vectorizer().embed_and_store(files, project, advance)
    if report.files != code_files.rows:
        raise DataError(f"{code_files.rows} files in, {report.files} counted")
    why = f" ({reasons(report.why)})" if report.why else ""
    say(
        f"  {project.name}: embedded {report.chunks} chunks of {report.embedded_files} files{why}, "
        f"{report.unchanged} unchanged, {report.removed_files} removed"
    )
    log_metadata({**report.model_dump(), "encoder": encoder_name(system.embedder)})
    return report
