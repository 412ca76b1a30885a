"""Reads a code base from its folder."""

from pathlib import Path
from typing import Annotated

from zenml import log_metadata

from rag_llm_system.application.code.miner import CodeMiner, MiningReport
from rag_llm_system.domain.code import CodeFile
from rag_llm_system.domain.errors import DataError
from rag_llm_system.infrastructure.git_commit import head_commit
from steps.progress import progress, say
from steps.records import RecordsFile, write_records
from steps.session import scratch_folder
from steps.tracing import traced_step


@traced_step
def mine_code(
    root: str, extensions: list[str] | None = None, exclude: list[str] | None = None
) -> tuple[Annotated[RecordsFile, "code_files"], Annotated[MiningReport, "mining_report"]]:
    """Raises DataError when there is no file to index: the index would be emptied by a mistake in the path."""
    folder = Path(root).expanduser()
    miner = CodeMiner(
        folder, extensions=extensions or (), exclude=exclude or (), commit=head_commit(folder)
    )
    with progress("reading files", None) as advance:
        file = write_records("code_files", advance.each(miner.mine()), CodeFile, scratch_folder())
    report = miner.report
    skipped = ", ".join(f"{count} {reason}" for reason, count in report.skipped.items())
    if not file.rows:
        raise DataError(f"{root}: no file to index; left out: {skipped or 'none, it is empty'}")
    say(f"  {report.files} files, {report.bytes / 1e6:.1f} MB; left out: {skipped or 'none'}")
    log_metadata(report.model_dump())
    return file, report
