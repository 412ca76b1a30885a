"""Writes a set for trainers: messages, Alpaca, ShareGPT, preference pairs, and the card that describes it."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from rag_llm_system.application.dataset.export_card import dataset_card
from rag_llm_system.application.dataset.formats_written import (
    as_alpaca,
    as_messages,
    as_preference,
    as_sharegpt,
)
from rag_llm_system.application.dataset.gates_report import DatasetReport
from rag_llm_system.application.dataset.rows_files import (
    TEST_FILE,
    TRAIN_FILE,
    RowsFile,
    whole_file,
    write_values,
)
from rag_llm_system.domain.datasets import (
    DatasetKind,
    Row,
)
from rag_llm_system.domain.errors import ConfigurationError

CARD_FILE = "README.md"

_FORMS: Mapping[DatasetKind, Mapping[str, tuple[Callable[[Any], Any], str]]] = {
    "instruction": {
        "": (as_messages, "`messages`, as TRL and the OpenAI API read them"),
        "_alpaca": (
            as_alpaca,
            "Alpaca: `instruction`, `input`, `output`; earlier turns in `history`",
        ),
        "_sharegpt": (as_sharegpt, "ShareGPT: `conversations`"),
    },
    "preference": {
        "": (as_preference, "`prompt`, `chosen`, `rejected`, as TRL's DPO trainer reads them"),
        "_sft": (as_messages, "`messages` with the chosen answer, for fine-tuning before DPO"),
    },
}
"""The end of a file's name -> how a row is written, what the file holds."""


def export_formats(
    folder: Path,
    train: Iterable[Row],
    test: Iterable[Row],
    *,
    report: DatasetReport,
    title: str,
) -> list[Path]:
    """JSON lines in each form, without metadata, and ``README.md``; the files.

    Each file is replaced as a whole. The rows are read once for each form, so ``folder`` must not be where they are:
    those files know where a row comes from, these do not.
    """
    for rows in (train, test):
        if isinstance(rows, RowsFile) and rows.path.parent.resolve() == folder.resolve():
            raise ConfigurationError(
                f"{folder} holds the rows that are exported; name another folder"
            )
    written: list[Path] = []
    about: list[tuple[str, str]] = []
    for end, (form, holds) in _FORMS[report.kind].items():
        for name, rows, there in (
            (TRAIN_FILE, train, report.train_rows),
            (TEST_FILE, test, report.test_rows),
        ):
            if there:
                path = folder / name.replace(".", f"{end}.")
                write_values(path, map(form, rows))
                written.append(path)
                about.append((f"`{path.name}`", f"{there:,}, {holds}"))
    with whole_file(folder / CARD_FILE) as file:
        file.write(dataset_card(title, report, about).encode("utf-8"))
    return [*written, folder / CARD_FILE]
