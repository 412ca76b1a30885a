"""Reads the records of a file, one after the other: JSON, JSON lines, CSV or TSV, each plain or .gz."""

import csv
import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from io import TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, NoReturn, cast

from rag_llm_system.domain.errors import ConfigurationError, DataError, MissingFile


class Found(NamedTuple):
    """One record and where it stands; ``wrong`` says why it could not be read, and is "" when it could."""

    place: str
    fields: Mapping[str, Any]
    wrong: str = ""


def records_of(path: Path, *, records: str = "", delimiter: str = "") -> Iterator[Found]:
    """In the order of the file; a record that cannot be read is found as well, with the reason.

    ``records`` is the key of the list where a JSON file holds an object. ``delimiter`` is what stands between the
    columns of a CSV file: a comma unless told, a tab in TSV. Raises MissingFile, ConfigurationError when the file
    is of another kind, and DataError when it is damaged.
    """
    plain = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    suffix = plain.suffix.lower()
    if suffix not in _READERS:
        raise ConfigurationError(
            f"film records {path}: files of this kind are not read; use {', '.join(_READERS)}, plain or .gz"
        )
    if not path.is_file():
        raise MissingFile(f"film records {path}: no such file")
    try:
        with closing(_opened(path)) as file:
            yield from _READERS[suffix](path, file, records, delimiter)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"film records {path}: damaged ({error}); get it anew") from error
    except OSError as error:
        raise ConfigurationError(f"film records {path}: cannot read it: {error.strerror}") from None


def _opened(path: Path) -> BinaryIO:
    if path.suffix.lower() == ".gz":
        return cast(BinaryIO, gzip.open(path, "rb"))
    return path.open("rb")


def _json_lines(path: Path, file: BinaryIO, records: str, delimiter: str) -> Iterator[Found]:  # noqa: ARG001
    for number, line in enumerate(file, start=1):
        text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        if text.strip():
            yield _line(f"line {number}", text)


def _json(path: Path, file: BinaryIO, records: str, delimiter: str) -> Iterator[Found]:  # noqa: ARG001
    try:
        whole = json.loads(file.read().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        _not_utf_8(path, error)
    except (ValueError, RecursionError) as error:
        raise DataError(f"film records {path}: not JSON ({error}); mend it") from None
    for number, one in enumerate(_listed(path, whole, records), start=1):
        yield _record(f"record {number}", one)


def _listed(path: Path, whole: Any, records: str) -> list[Any]:
    found = whole.get(records) if records and isinstance(whole, dict) else whole
    if isinstance(found, list):
        return found
    lists = (
        sorted(k for k, v in whole.items() if v and isinstance(v, list))
        if isinstance(whole, dict)
        else []
    )
    there = f"lists are at {', '.join(lists)}" if lists else "there is no list"
    wanted = f"no list at {records!r}" if records else "not a list of records"
    raise ConfigurationError(
        f"film records {path}: {wanted}; {there}: name the key as 'records' in the mapping"
    )


def _csv(path: Path, file: BinaryIO, records: str, delimiter: str) -> Iterator[Found]:  # noqa: ARG001
    tabs = path.name.lower().removesuffix(".gz").endswith(".tsv")
    # newline="": line ends within quotes are the record's own
    with TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
        rows = csv.DictReader(text, delimiter=delimiter or ("\t" if tabs else ","), restval="")
        try:
            while (found := _row(rows)) is not None:
                yield found
        except UnicodeDecodeError as error:
            _not_utf_8(path, error)


def _row(rows: "csv.DictReader[str]") -> Found | None:
    try:
        row = next(rows, None)
    except csv.Error as error:
        return Found(f"line {rows.reader.line_num}", {}, f"not CSV ({error})")
    if row is None:
        return None
    wrong = "more values than columns" if None in row else ""
    return Found(f"line {rows.reader.line_num}", row, wrong)


def _line(place: str, line: bytes) -> Found:
    try:
        return _record(place, json.loads(line.decode("utf-8")))
    except UnicodeDecodeError:
        return Found(place, {}, "not UTF-8")
    except (ValueError, RecursionError):
        return Found(place, {}, "not JSON")


def _record(place: str, found: Any) -> Found:
    return Found(place, found) if isinstance(found, dict) else Found(place, {}, "not an object")


def _not_utf_8(path: Path, error: UnicodeDecodeError) -> NoReturn:
    raise DataError(
        f"film records {path}: not UTF-8 at byte {error.start}; save it as UTF-8"
    ) from None


_READERS: Mapping[str, Callable[[Path, BinaryIO, str, str], Iterator[Found]]] = {
    ".json": _json,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".csv": _csv,
    ".tsv": _csv,
}
