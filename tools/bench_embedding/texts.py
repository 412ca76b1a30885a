"""What the contenders encode: windows of this project's own articles, posts and files."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from rag_llm_system.application.crawlers.extraction import extract_article
from rag_llm_system.application.preprocessing.chunking_data_handlers import windows
from rag_llm_system.application.preprocessing.dispatchers import (
    ChunkingDispatcher,
    CleaningDispatcher,
)
from rag_llm_system.application.preprocessing.embedding_data_handlers import windows_of
from rag_llm_system.domain.documents import Author, Document, Source, Value, sha256_of
from rag_llm_system.domain.ports import Embedder
from rag_llm_system.settings import PROJECT_ROOT

T = TypeVar("T")

_AUTHOR = Author.named("Benchmark")
_LANGUAGES = {".md": "markdown", ".py": "python"}
_CODE = ("rag_llm_system", "steps", "pipelines", "tools")


class Sample(Value):
    """Texts of which none is longer than the encoder reads; ``tokens`` are its own, special ones included."""

    texts: tuple[str, ...]
    tokens: tuple[int, ...]

    @property
    def digest(self) -> str:
        """Tells whether two runs had the same texts."""
        return sha256_of("\x00".join(self.texts))[:12]


def project_texts(count: int, embedder: Embedder, root: Path = PROJECT_ROOT) -> list[str]:
    """At most ``count`` windows, as indexing gives them: half prose where there is enough of it, half files."""
    prose = spread(_windows([*_articles(root), *_posts(root)], embedder), count // 2)
    return prose + spread(_windows(_files(root), embedder), count - len(prose))


def sample_of(texts: Sequence[str], embedder: Embedder, special_tokens: int = 2) -> Sample:
    """Of a text that is too long, its first window."""
    cut = tuple(first_window(text, embedder) for text in texts)
    return Sample(
        texts=cut,
        tokens=tuple(len(embedder.token_spans(text)) + special_tokens for text in cut),
    )


def first_window(text: str, embedder: Embedder) -> str:
    start, end = windows(text, embedder.max_tokens, 0, embedder.token_spans)[0]
    return text[start:end]


def spread(items: Sequence[T], count: int) -> list[T]:
    """``count`` items at even distances, all of them when there are no more."""
    taken = min(count, len(items))
    return [items[index * len(items) // taken] for index in range(taken)]


def _windows(documents: Sequence[Document], embedder: Embedder) -> list[str]:
    cleaned = map(CleaningDispatcher().dispatch, documents)
    chunking = ChunkingDispatcher(embedder)
    return [
        window.text
        for document in cleaned
        if document
        for window in windows_of(chunking.dispatch(document), embedder)
    ]


def _articles(root: Path) -> Iterator[Document]:
    for path in sorted((root / "examples" / "site").glob("*.html")):
        found = extract_article(path.read_text(encoding="utf-8"), path.as_uri())
        yield _document("articles", path, found.text, title=found.title)


def _posts(root: Path) -> Iterator[Document]:
    path = root / "examples" / "posts.jsonl"
    for line in path.read_text(encoding="utf-8").splitlines():
        yield _document("posts", path, json.loads(line)["text"])


def _files(root: Path) -> list[Document]:
    code = (path for folder in _CODE for path in (root / folder).rglob("*.py"))
    return [
        _document("repositories", path, path.read_text(encoding="utf-8"), title=path.name)
        for path in sorted([*root.glob("*.md"), *code])
    ]


def _document(category: str, path: Path, text: str, title: str = "") -> Document:
    return Document(
        category=category,
        platform="local",
        title=title,
        text=text,
        author_id=_AUTHOR.id,
        author_full_name=_AUTHOR.full_name,
        source=Source(link=path.as_uri(), fetched_at=datetime.now(UTC)),
        metadata={"source_file": path.name, "language": _LANGUAGES[path.suffix]}
        if category == "repositories"
        else {},
    )
