"""Rows in files, one a line: read one at a time and checked, written as a whole or not at all."""

import errno
import gzip
import json
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any

from rag_llm_system.application.dataset.formats import BadRow, kind_of_value, row_of
from rag_llm_system.application.dataset.formats_written import as_stored
from rag_llm_system.domain.datasets import DatasetKind, Row
from rag_llm_system.domain.errors import (
    ConfigurationError,
    DataError,
    MissingFile,
    StorageFull,
)

TRAIN_FILE = "train.jsonl"
TEST_FILE = "test.jsonl"

MAX_LINE_BYTES = 16 * 1024 * 1024
"""A longer line is no conversation, and might not fit into memory."""
MAX_LIST_BYTES = 512 * 1024 * 1024
"""A JSON list is read as a whole, which takes several times its size; JSON lines have no limit."""

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class RowsFile:
    """The rows of a file, each time it is iterated; never more than one is in memory.

    Files are JSON lines or one JSON list, plain or ``.gz``, in any form of ``formats``. Raises MissingFile, or
    DataError naming file, line, field and reason.
    """

    def __init__(self, path: Path, kind: DatasetKind | None = None) -> None:
        self.path = path
        self._kind = kind

    @property
    def kind(self) -> DatasetKind:
        """As given, or else that of the first row."""
        if self._kind is None:
            self._kind = kind_of_value(next(self._values())[1])
        return self._kind

    def __iter__(self) -> Iterator[Row]:
        kind = self._kind
        for place, value in self._values():
            kind = kind or kind_of_value(value)
            try:
                yield row_of(value, kind)
            except BadRow as error:
                raise DataError(f"{place}: {error}") from error

    def _values(self) -> Iterator[tuple[str, Any]]:
        """(place, JSON value) of each row."""
        if not self.path.is_file():
            raise MissingFile(
                f"{self.path}: no such file; generate the training set first, or name another"
            )
        found = False
        with opened(self.path) as file:
            for place, value in values_of(file, str(self.path)):
                found = True
                yield place, value
        if not found:
            raise DataError(f"{self.path}: the file holds no rows")


def write_rows(path: Path, rows: Iterable[Row]) -> int:
    """Replaces the file at once, when all rows are on disk; the number of rows."""
    return write_values(path, map(as_stored, rows))


def write_values(path: Path, values: Iterable[Any]) -> int:
    """JSON values, one a line; else as :func:`write_rows`."""
    written = 0
    with whole_file(path) as file:
        for value in values:
            file.write(json_line(value))
            written += 1
    return written


def json_line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8") + b"\n"


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A new file that takes the place of ``path`` when all went well; else ``path`` stays as it is.

    Raises ConfigurationError when there can be no such file, StorageFull when there is no room for it.
    """
    with _beside(path) as file:
        temporary = Path(file.name)
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise StorageFull(
                    f"{path}: no room left to write it; what was there before is kept"
                ) from error
            raise
        finally:
            temporary.unlink(missing_ok=True)


def _beside(path: Path) -> IO[bytes]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return NamedTemporaryFile("wb", dir=path.parent, prefix=f".{path.name}.", delete=False)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written: {error.strerror}; name another place"
        ) from error


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """To read, unpacked if its name ends in ``.gz``. Raises DataError when it cannot be unpacked."""
    with _to_read(path) as file:
        if path.suffix != ".gz":
            yield file
            return
        try:
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield unpacked  # type: ignore[misc]  # a binary file in all but name
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise DataError(f"{path}: not a complete gzip file; fetch or pack it again") from error


def _to_read(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error


def values_of(file: IO[bytes], name: str) -> Iterator[tuple[str, Any]]:
    """(place, JSON value) of each line, or of each item of a list; empty lines are passed over."""
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if number == 1:
            line = line.removeprefix(_BYTE_ORDER_MARK)
            if line.lstrip().startswith(b"["):
                yield from _list(line, file, name)
                return
        if len(line) > MAX_LINE_BYTES:
            raise DataError(f"{name}, line {number}: longer than {MAX_LINE_BYTES // 2**20} MB")
        if line.strip():
            place = f"{name}, line {number}"
            yield place, parsed(line, place)


def _list(start: bytes, file: IO[bytes], name: str) -> Iterator[tuple[str, Any]]:
    content = start + file.read(MAX_LIST_BYTES + 1)
    if len(content) > MAX_LIST_BYTES:
        raise DataError(
            f"{name}: a JSON list of over {MAX_LIST_BYTES // 2**20} MB; write a row a line instead, "
            "such as with: jq -c '.[]'"
        )
    rows = parsed(content, name)
    del content
    for n, row in enumerate(rows if isinstance(rows, list) else (), start=1):
        yield f"{name}, row {n}", row


def parsed(content: bytes, place: str) -> Any:
    """A JSON value. Raises DataError that names the place."""
    try:
        return json.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise DataError(f"{place}: not UTF-8 (byte {error.start + 1})") from error
    except json.JSONDecodeError as error:
        raise DataError(f"{place}: not JSON ({error.msg}, column {error.colno})") from error
    except RecursionError as error:
        raise DataError(f"{place}: nested too deeply") from error
