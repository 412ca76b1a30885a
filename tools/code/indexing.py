"""Indexes a folder of source files, and says what came of it."""

import re
import time
from dataclasses import dataclass, field
from pathlib import Path

from rag_llm_system.application.code.miner import CodeMiner, MiningLimits, MiningReport
from rag_llm_system.application.code.project import Project
from rag_llm_system.application.code.vectorizer import CodeIndexReport, CodeVectorizer
from rag_llm_system.infrastructure.git_commit import head_commit
from steps.progress import progress


@dataclass(frozen=True)
class CodeFolder:
    """A folder and what of it is indexed. A path in ``exclude`` leaves out that folder, where it is below."""

    folder: Path
    name: str = ""
    extensions: tuple[str, ...] = ()
    exclude: tuple[Path | str, ...] = field(default=())
    max_file_kb: int = 512

    def project(self) -> Project:
        return Project(self.folder, self.name)

    def miner(self) -> CodeMiner:
        """Raises MissingFile where the folder is none."""
        return CodeMiner(
            self.folder,
            extensions=self.extensions,
            exclude=[one for one in map(self._pattern, self.exclude) if one],
            limits=MiningLimits(max_file_bytes=self.max_file_kb * 1024),
            commit=head_commit(self.folder),
        )

    def _pattern(self, excluded: Path | str) -> str:
        if isinstance(excluded, str):
            return excluded
        root, path = self.folder.resolve(), excluded.resolve()
        if path == root or not path.is_relative_to(root):
            return ""
        return f"/{_escaped(path.relative_to(root).as_posix())}/"


@dataclass(frozen=True)
class Indexed:
    """What was read, what became of it, and how long both took."""

    project: Project
    mined: MiningReport
    report: CodeIndexReport
    seconds: float


def index_folder(vectorizer: CodeVectorizer, code: CodeFolder) -> Indexed:
    """Make the index hold what the folder holds."""
    miner, project = code.miner(), code.project()
    started = time.perf_counter()
    with progress("files", None) as advance:
        report = vectorizer.embed_and_store(miner.mine(), project, advance)
    return Indexed(project, miner.report, report, time.perf_counter() - started)


def summary(indexed: Indexed) -> list[str]:
    """For people: files, chunks, what was left out and why, and seconds."""
    mined, report, seconds = indexed.mined, indexed.report, indexed.seconds
    lines = [
        f"{indexed.project.name}: {indexed.project.root}",
        f"  {_many(mined.files, 'file')} read, {_size(mined.bytes)}; {report.unchanged:,} unchanged",
        f"  {_many(report.embedded_files, 'file')} embedded as {_many(report.chunks, 'chunk')}{_reasons(report)}",
    ]
    if report.removed_files:
        lines.append(f"  {_many(report.removed_files, 'file')} removed, not there any more")
    if report.others:
        lines.append(f"  {_many(report.others, 'file')} of other code bases embedded too")
    if left := sum(mined.skipped.values()):
        lines.append(f"  {left:,} left out: {_counted(mined)}")
    rate = f", {mined.files / seconds:,.1f} files/s" if mined.files and seconds else ""
    return [*lines, f"  {seconds:.2f} s{rate}"]


def warning(indexed: Indexed) -> str:
    """What is wrong with a folder that gave nothing, or ""."""
    if indexed.mined.files:
        return ""
    why = f"; left out: {_counted(indexed.mined)}" if indexed.mined.skipped else ""
    return f"warning: no source file in {indexed.project.root}{why}"


def change_line(indexed: Indexed) -> str:
    """One line on what a run changed, "" where it changed nothing."""
    report, parts = indexed.report, []
    if report.embedded_files:
        files, chunks = _many(report.embedded_files, "file"), _many(report.chunks, "chunk")
        parts.append(f"{files} embedded as {chunks}")
    if report.removed_files:
        parts.append(f"{_many(report.removed_files, 'file')} removed")
    return ", ".join([*parts, f"{indexed.seconds:.2f} s"]) if parts else ""


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _reasons(report: CodeIndexReport) -> str:
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(report.why.items()))
    return f" ({reasons})" if reasons else ""


def _counted(mined: MiningReport) -> str:
    """The most frequent first."""
    counts = sorted(mined.skipped.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count:,} {reason}" for reason, count in counts)


def _size(size_bytes: int) -> str:
    if size_bytes < 1000:
        return f"{size_bytes} bytes"
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 100_000 else f"{size_bytes / 1e3:.1f} kB"


def _escaped(path: str) -> str:
    return re.sub(r"([*?\[\\])", r"\\\1", path)
