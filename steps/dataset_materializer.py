"""How a ``datasets.DatasetDict`` is stored as an artifact: Arrow files, read where they lie and not into memory."""

import hashlib
import html
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from datasets import (
    Dataset,
    DatasetDict,
    are_progress_bars_disabled,
    disable_progress_bars,
    enable_progress_bars,
    load_from_disk,
)
from zenml.enums import ArtifactType, VisualizationType
from zenml.io import fileio
from zenml.materializers.base_materializer import BaseMaterializer
from zenml.utils import io_utils

from rag_llm_system.domain.datasets import PreferenceRow, conversation_of
from rag_llm_system.model.dataset_rows import rows_of
from steps.session import scratch_folder

_SHOWN_ROWS = 10
_STYLE = (
    "<style>body{font:14px system-ui;margin:1rem;max-width:60rem;color:#1c1c1c}section{border-top:1px solid #d0d0d0;"
    "padding:.5rem 0}b{display:inline-block;min-width:6rem;color:#555}p{white-space:pre-wrap;margin:.2rem 0}</style>"
)


class DatasetDictMaterializer(BaseMaterializer):
    """The folder that ``DatasetDict.save_to_disk`` writes."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (DatasetDict,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA

    def save(self, data: DatasetDict) -> None:
        folder = scratch_folder() / "dataset"
        with _no_bars():
            data.save_to_disk(str(folder))
        io_utils.copy_dir(str(folder), self._uri, overwrite=True)

    def load(self, data_type: type[Any]) -> DatasetDict:  # noqa: ARG002 - the base class's
        folder = Path(self._uri)
        if not folder.exists():  # a remote artifact store
            folder = scratch_folder() / "dataset"
            io_utils.copy_dir(self._uri, str(folder))
        loaded: DatasetDict = load_from_disk(str(folder))
        return loaded

    def save_visualizations(self, data: DatasetDict) -> dict[str, VisualizationType]:
        where = f"{self.uri}/rows.html"
        with fileio.open(where, "w") as file:
            file.write(_page(data))
        return {where: VisualizationType.HTML}

    def extract_metadata(self, data: DatasetDict) -> dict[str, Any]:
        return {
            **{f"{name}_rows": len(split) for name, split in data.items()},
            **{f"{name}_sha256": rows_digest(split) for name, split in data.items()},
        }

    def compute_content_hash(self, data: DatasetDict) -> str:
        digests = "\n".join(f"{name} {rows_digest(split)}" for name, split in sorted(data.items()))
        return hashlib.sha256(digests.encode()).hexdigest()

    @property
    def _uri(self) -> str:
        return f"{self.uri}/dataset"


@contextmanager
def _no_bars() -> Iterator[None]:
    """The library's progress bars are for notebooks; a run has its own."""
    shown = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if shown:
            enable_progress_bars()


def rows_digest(dataset: Dataset) -> str:
    """The SHA-256 of a dataset's rows, in their order."""
    digest = hashlib.sha256()
    for row in rows_of(dataset):
        digest.update(row.model_dump_json().encode())
    return digest.hexdigest()


def _page(data: DatasetDict) -> str:
    parts = [f"<!doctype html><meta charset=utf-8>{_STYLE}"]
    for name, split in data.items():
        shown = min(_SHOWN_ROWS, len(split))
        parts.append(f"<h2>{html.escape(name)}: {len(split)} rows, {shown} shown</h2>")
        for row in rows_of(split.select(range(shown))):
            said: list[tuple[str, str]] = [(m.role, m.content) for m in conversation_of(row)]
            if isinstance(row, PreferenceRow):
                said = [*said[:-1], ("chosen", row.chosen), ("rejected", row.rejected)]
            lines = "".join(
                f"<p><b>{html.escape(who)}</b> {html.escape(text)}</p>" for who, text in said
            )
            parts.append(f"<section>{lines}</section>")
    return "".join(parts)
