"""The documents of the indexing benchmark, and the changes that are made to them."""

import ast
import sysconfig
import warnings
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path

from rag_llm_system.domain.documents import Author, Document, Source
from rag_llm_system.domain.errors import DataError
from tools.bench_embedding.text_files import read_texts
from tools.bench_embedding.texts import spread

AUTHOR = Author.named("Indexing Benchmark")
READ = datetime(2026, 11, 21, tzinfo=UTC)
ADDED = "This sentence was added later, and nothing else was changed."

_PROSE_CHARS, _ARTICLE_CHARS, _CODE_CHARS = 200, 1_000, 12_000
_NOT_LIBRARY = {"site-packages", "test", "tests", "idle_test", "lib2to3"}

PARAGRAPHS = 10
_PARAGRAPH_CHARS = 1_200  # longer than half of what an article's chunk may have: a chunk each
_WORDS = ("index", "chunk", "vector", "store", "window", "query", "reader", "writer", "token")


def documents_of_file(path: Path, count: int) -> list[Document]:
    """Articles of its lines of ``{"text": ...}``, at most ``count``, at even distances."""
    return [
        _document(n, text, "articles") for n, text in enumerate(spread(read_texts(path), count))
    ]


def documents_of_python(count: int, root: Path | None = None) -> list[Document]:
    """Docstrings as articles and posts, and files as they are; of the standard library where no folder is named.

    Raises DataError when there are fewer.
    """
    root = root or Path(sysconfig.get_path("stdlib"))
    paths = sorted(p for p in root.rglob("*.py") if not _NOT_LIBRARY & {*p.relative_to(root).parts})
    found = [part for path in paths for part in _parts(path, str(path.relative_to(root)))]
    if len(found) < count:
        raise DataError(f"{root} gives {len(found)} documents, not {count}; name texts with --data")
    return [_document(n, *part) for n, part in enumerate(spread(found, count))]


def generated_documents(chunks: int) -> Iterator[Document]:
    """Articles of ten paragraphs, each of which is a chunk; a stream, as they are many."""
    for number in range(-(-chunks // PARAGRAPHS)):
        text = "\n\n".join(_paragraph(number, n) for n in range(PARAGRAPHS))
        yield _document(number, text, "articles")


def edited(documents: Sequence[Document], share: float) -> list[Document]:
    """A sentence more at the end of every so many of them."""
    chosen = _chosen(documents, share)
    return [
        one.model_copy(update={"text": f"{one.text}\n\n{ADDED}"}) if one.id in chosen else one
        for one in documents
    ]


def without(documents: Sequence[Document], share: float) -> list[Document]:
    chosen = _chosen(documents, share)
    return [one for one in documents if one.id not in chosen]


def write_documents(path: Path, documents: Iterable[Document]) -> None:
    with path.open("w", encoding="utf-8") as lines:
        lines.writelines(f"{one.model_dump_json()}\n" for one in documents)


def read_documents(path: Path) -> Iterator[Document]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield Document.model_validate_json(line)


def _chosen(documents: Sequence[Document], share: float) -> set[str]:
    """At least one, at even distances in the order of their lengths: together they are as long as others."""
    by_length = sorted(documents, key=lambda one: (len(one.text), one.id))
    step = max(1, round(1 / share))
    return {one.id for one in by_length[step // 2 :: step]} or {by_length[0].id}


def _document(number: int, text: str, category: str, source_file: str = "") -> Document:
    code = {"source_file": source_file, "language": "python"} if source_file else {}
    link = f"http://bench.example/{category}/{number}"
    return Document(
        category=category,
        platform="bench.example",
        title=f"Document {number}",
        text=text,
        author_id=AUTHOR.id,
        author_full_name=AUTHOR.full_name,
        source=Source(link=link, fetched_at=READ),
        metadata=code,
    )


def _parts(path: Path, name: str) -> Iterator[tuple[str, str] | tuple[str, str, str]]:
    """Text and category, of files with their name."""
    try:
        text = path.read_text(encoding="utf-8")
        with warnings.catch_warnings(action="ignore"):  # about what is written in it
            tree = ast.parse(text)
    except (UnicodeDecodeError, SyntaxError):  # samples of other encodings and of errors
        return
    if _ARTICLE_CHARS <= len(text) <= _CODE_CHARS:
        yield text, "repositories", name
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            prose = ast.get_docstring(node) or ""
            if len(prose) >= _PROSE_CHARS:
                yield prose, "articles" if len(prose) >= _ARTICLE_CHARS else "posts"


def _paragraph(number: int, place: int) -> str:
    words = islice(cycle(_WORDS), (number + place) % len(_WORDS), None)
    sentence = f"Document {number} has a paragraph {place} about the"
    while len(sentence) < _PARAGRAPH_CHARS:
        sentence += f" {next(words)}"
    return f"{sentence}."
