"""The whole way from files to answers at several sizes: the documents' scaling table, measured."""

import json
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from rag_llm_system.domain.documents import Value, sha256_of
from rag_llm_system.domain.errors import BackendError, DataError
from tools.bench_vector_stores.documents import CLAIMED_SCALING
from tools.bench_vector_stores.memory import PeakMemory
from tools.bench_vector_stores.report import table
from tools.bench_vector_stores.worker import started

LARGEST_FILE_BYTES = 512_000
"""Generated tables of the standard library; the repository crawler leaves such files out as well."""

PACKAGES = ("torch", "sentence-transformers", "qdrant-edge-py")

_HEAD = (
    "files", "MB of text", "chunks", "windows", "index s", "of it clean, embed", "windows/s",
    "question ms", "on disk MB", "peak memory MB",
)  # fmt: skip
_CLAIMED_HEAD = ("files", "chunks", "index time", "query time", "size on disk")

_EXPLAINED = """\
The files are Python's own sources on this machine, then those of installed packages; which ones is decided by a hash
of their paths, so a smaller corpus is part of a larger one. Each size has a process of its own, with the default
encoder and the default store: clean, store the cleaned documents, chunk, embed and store the vectors, until a search
finds them. The encoder is loaded before the clock starts; nothing is cached. A question is embedded and searched for
in all categories (the median of several), without a language model: the documents' query time has one.
"""


class Task(Value):
    """Index so many files into ``folder``."""

    files: int
    folder: Path


class Scaled(Value):
    """``question_ms`` is the median; ``peak_mb`` of all processes together."""

    files: int
    text_mb: float
    chunks: int
    windows: int
    clean_s: float
    embed_s: float
    question_ms: float
    disk_mb: float
    peak_mb: float

    @property
    def index_s(self) -> float:
        return self.clean_s + self.embed_s


def source_files(count: int, roots: Sequence[Path]) -> list[tuple[str, str]]:
    """Names and texts of so many Python files, from the first root as far as it goes; raises DataError for too few."""
    found = list(islice((file for root in roots for file in _files(root)), count))
    if len(found) < count:
        raise DataError(f"{count} files wanted, {len(found)} Python files are here; ask for fewer")
    return found


def python_roots() -> list[Path]:
    """The standard library, then what is installed beside it."""
    return [Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib")]


def _files(root: Path) -> Iterator[tuple[str, str]]:
    """In the order of a hash of the name; those of installed packages are not part of the standard library."""
    names = [
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if "site-packages" not in path.relative_to(root).parts
    ]
    for name in sorted(names, key=sha256_of):
        path = root / name
        if path.stat().st_size > LARGEST_FILE_BYTES:
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if text.strip():
            yield name, text


def scale(files: int) -> Scaled:
    """One row, measured in a process of its own."""
    with TemporaryDirectory(prefix="bench-scaling-") as folder:
        task = Task(files=files, folder=Path(folder))
        arguments = ["tools.bench_vector_stores.scaling_run", task.model_dump_json()]
        with started(arguments) as process, PeakMemory(process.pid) as peak:
            said, _ = process.communicate()
    if process.returncode:
        raise BackendError(f"indexing {files} files failed; it said why above")
    row = Scaled.model_validate_json(said.splitlines()[-1])
    return row.model_copy(update={"peak_mb": max(row.peak_mb, peak.mb)})


def lines(rows: Sequence[Scaled]) -> Iterator[str]:
    """Markdown: what was measured, then what the documents claimed."""
    yield table(_HEAD, map(_cells, rows))
    yield "What the documents claimed:\n"
    yield table(
        _CLAIMED_HEAD, ((f"{files:,}", *claimed) for files, claimed in CLAIMED_SCALING.items())
    )


def document(facts: Mapping[str, str], command: str, rows: Sequence[Scaled]) -> str:
    """The whole page; all of it is generated."""
    return "\n".join(
        [
            "# From files to answers\n",
            f"Written by `{command}`; do not edit.\n",
            *(f"- {name}: {value}" for name, value in facts.items()),
            f"\n{_EXPLAINED}",
            *lines(rows),
        ]
    )


def as_json(facts: Mapping[str, str], rows: Sequence[Scaled]) -> str:
    figures = {**facts, "rows": [row.model_dump(mode="json") for row in rows]}
    return json.dumps(figures, indent=2) + "\n"


def _cells(row: Scaled) -> Sequence[str]:
    return (
        f"{row.files:,}",
        f"{row.text_mb:.1f}",
        f"{row.chunks:,}",
        f"{row.windows:,}",
        f"{row.index_s:.1f}",
        f"{row.clean_s:.1f}, {row.embed_s:.1f}",
        f"{row.windows / row.embed_s:,.0f}",
        f"{row.question_ms:.1f}",
        f"{row.disk_mb:.0f}",
        f"{row.peak_mb:.0f}",
    )
