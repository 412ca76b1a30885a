"""The older implementations' dump of the data warehouse: one JSON list per collection.

``content`` of a dumped document is a dictionary or the text of one, with keys in either case
(``Title``, ``Subtitle``, ``Content``); repositories hold one entry per file.
"""

import ast
import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rag_llm_system.application.preprocessing.categories import CATEGORIES
from rag_llm_system.domain.documents import Author, Document, Source
from rag_llm_system.domain.errors import DataError, MissingFile
from rag_llm_system.domain.ports import DocumentStore, SaveReport

USERS = "UserDocument.json"

# A dump does not say when a page was fetched; a constant keeps imports repeatable.
_UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_OWN_KEYS = {"title", "subtitle", "text", "content", "name", "tree"}


def file_name(category: str) -> str:
    """``articles`` -> ``ArticleDocument.json``."""
    return f"{CATEGORIES[category].singular.capitalize()}Document.json"


def export_dump(store: DocumentStore, folder: Path) -> dict[str, int]:
    """Write every collection; the number of rows per file. A file is replaced when it is complete."""
    folder.mkdir(parents=True, exist_ok=True)
    users = (
        {"_id": a.id, "first_name": a.first_name, "last_name": a.last_name} for a in store.authors()
    )
    rows = {USERS: _write(folder / USERS, users)}
    for category in CATEGORIES:
        documents = (_dumped(d) for d in store.find(category))
        rows[file_name(category)] = _write(folder / file_name(category), documents)
    return rows


def import_dump(store: DocumentStore, folder: Path) -> dict[str, SaveReport]:
    """Read what is there of the known files, plain or ``.gz``; what each save did.

    Raises MissingFile when there is none, DataError naming file and row when one is malformed; then
    nothing of that file is stored.
    """
    found = {name: path for name in _file_names() if (path := _existing(folder, name))}
    if not found:
        raise MissingFile(f"no dump in {folder}; expected one of {', '.join(_file_names())}")
    for row in _rows(found[USERS]) if USERS in found else []:
        store.save_author(Author.named(f"{row.get('first_name', '')} {row.get('last_name', '')}"))
    reports: dict[str, SaveReport] = {}
    for category in CATEGORIES:
        if path := found.get(file_name(category)):
            documents = [
                document
                for n, row in enumerate(_rows(path), start=1)
                for document in _documents(category, row, f"{path.name}, row {n}")
            ]
            for name in sorted({d.author_full_name for d in documents}):
                store.save_author(Author.named(name))
            reports[path.name] = store.save(documents)
    return reports


def _file_names() -> list[str]:
    return [USERS, *(file_name(category) for category in CATEGORIES)]


def _existing(folder: Path, name: str) -> Path | None:
    return next((p for p in (folder / name, folder / f"{name}.gz") if p.is_file()), None)


def _rows(path: Path) -> list[dict[str, Any]]:
    raw = path.read_bytes()
    try:
        rows = json.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)
    except (ValueError, OSError) as error:
        raise DataError(f"{path}: not a JSON file ({error}); export it again") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{path}: expected a list of objects")
    return rows


def _documents(category: str, row: Mapping[str, Any], where: str) -> Iterator[Document]:
    try:
        link, author = str(row["link"]), Author.named(str(row["author_full_name"]))
        content = row["content"]
    except KeyError as error:
        raise DataError(f"{where}: field {error.args[0]!r} is missing") from error
    for path, text_of in _parts(content, where):
        about = {k.casefold(): v for k, v in text_of.items()}
        yield Document(
            category=category,
            platform=str(row.get("platform") or "unknown"),
            title=str(about.get("title") or row.get("name") or path or ""),
            subtitle=str(about.get("subtitle") or ""),
            text=str(about.get("text") or about.get("content") or ""),
            author_id=author.id,
            author_full_name=author.full_name,
            source=Source(link=f"{link}/{path}" if path else link, fetched_at=_UNKNOWN_TIME),
            metadata={
                k: v
                for k, v in about.items()
                if k not in _OWN_KEYS and isinstance(v, str | int | float | bool)
            }
            | ({"source_file": path} if path else {}),
        )


def _parts(content: Any, where: str) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """One unnamed part, or one per file of a repository (a mapping of path to text)."""
    if isinstance(content, str):
        try:
            content = ast.literal_eval(content)
        except (ValueError, SyntaxError):
            return [("", {"text": content})]
    if not isinstance(content, dict):
        raise DataError(f"{where}: 'content' is a {type(content).__name__}, expected an object")
    if content and not _OWN_KEYS & {str(key).casefold() for key in content}:
        return [(str(path), {"text": text}) for path, text in sorted(content.items())]
    return [("", content)]


def _dumped(document: Document) -> dict[str, Any]:
    return {
        "_id": document.id,
        "platform": document.platform,
        "link": document.link,
        "author_id": document.author_id,
        "author_full_name": document.author_full_name,
        "content": {
            "Title": document.title,
            "Subtitle": document.subtitle,
            "Content": document.text,
            **document.metadata,
        },
    }


def _write(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    count = 0
    unfinished = path.with_name(f"{path.name}.part")
    with unfinished.open("w", encoding="utf-8") as file:
        file.write("[")
        for count, row in enumerate(rows, start=1):
            file.write(f"{',' if count > 1 else ''}\n{json.dumps(row, ensure_ascii=False)}")
        file.write("\n]\n")
    unfinished.replace(path)
    return count
