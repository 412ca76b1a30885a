"""Measures cleaning and chunking on documents that a user has: ``poe bench-chunking -- --data DIR``."""

import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tools.errors import clean_exit
from tools.start import start

if TYPE_CHECKING:
    from rag_llm_system.application.preprocessing.categories import Category
    from rag_llm_system.application.preprocessing.chunking_data_handlers import (
        ChunkSize,
        Span,
        Tokenize,
    )
    from rag_llm_system.domain.documents import Document

# What pages put around articles, looked for anywhere in a text: an article may well say one of them itself.
_PHRASES = (
    "Sign in",
    "Sign up",
    "Subscribe",
    "Share this post",
    "Get the app",
    "Open in app",
    "Copy link",
    "min read",
    "Thanks for reading",
    "Discussion about this post",
    "requires JavaScript",
    "cookie",
)
_SCALES = (0.5, 1, 2)  # of the category's own chunk size


@dataclass(frozen=True, slots=True)
class Chunked:
    """What one chunk size gave. ``lost_tokens`` lie in no window, ``uncovered`` characters in no chunk."""

    size: str
    chunks: int
    windows: int
    longest: int
    tokens: int
    lost_tokens: int
    characters: int
    uncovered: int
    seconds: float


@click.command(
    help="Clean and chunk documents, and print by category: characters before and after, boilerplate before and after, "
    "and for half, once and twice the chunk size the chunks, what they cover and the tokens that no window encodes."
)
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path),
    help="A folder with a dump of the data warehouse, or a JSON-lines file of records.",
)
@click.option(
    "--model", help="The encoder whose tokens count; the one in the package if not given."
)
def main(data: Path, model: str | None) -> None:
    with clean_exit():
        from rag_llm_system.application.preprocessing.categories import CATEGORIES
        from rag_llm_system.infrastructure.embedders.sentence_transformer import (
            SentenceTransformerEmbedder,
        )

        documents = documents_in(data)
        encoder = SentenceTransformerEmbedder(model) if model else SentenceTransformerEmbedder()
        for name in sorted({document.category for document in documents}):
            of_category = [document for document in documents if document.category == name]
            for line in _lines(
                CATEGORIES[name], of_category, encoder.token_spans, encoder.max_tokens
            ):
                click.echo(line)


def documents_in(data: Path) -> "list[Document]":
    """Of a dump's folder or a file of records; raises MissingFile or what its reader raises."""
    from rag_llm_system.application.crawlers.records import RecordsCrawler
    from rag_llm_system.application.preprocessing.categories import CATEGORIES
    from rag_llm_system.application.warehouse_dump import import_dump
    from rag_llm_system.domain.documents import Author
    from rag_llm_system.domain.errors import MissingFile
    from rag_llm_system.infrastructure.db.memory import MemoryDocumentStore

    if data.is_dir():
        store = MemoryDocumentStore()
        import_dump(store, data)
        return [document for category in CATEGORIES for document in store.find(category)]
    if not data.is_file():
        raise MissingFile(f"{data}: neither a folder with a dump nor a JSON-lines file of records")
    records = RecordsCrawler(Path.cwd(), allow_local=True)
    return list(records.crawl(data.resolve().as_uri(), Author.named("Benchmark"), None))


def _lines(
    category: "Category", documents: "Sequence[Document]", tokenize: "Tokenize", limit: int
) -> Iterator[str]:
    before = [document.text for document in documents]
    began = time.process_time()
    cleaned = [category.clean(text) for text in before]
    seconds = time.process_time() - began
    settled = sum(category.clean(text) == text for text in cleaned)
    characters = sum(map(len, before))
    yield f"{category.name}: {len(documents)} documents"
    rate = characters / max(seconds, 1e-9) / 1e6
    yield (
        f"  cleaned in {seconds:.2f} s of processor time ({rate:.1f} million characters a second); "
        f"{characters:,} characters before, {sum(map(len, cleaned)):,} after; "
        f"cleaning again changes {len(cleaned) - settled}"
    )
    yield f"  {'documents that say':28} {'before':>7} {'after':>7}"
    for phrase, was, remains in boilerplate_rates(before, cleaned):
        yield f"  {phrase:28} {was:7} {remains:7}"
    languages = [str(document.metadata.get("language", "")) for document in documents]
    yield f"  {'size':>22} {'chunks':>7} {'windows':>8} {'longest':>8} {'covered':>8} {'tokens lost':>16} {'CPU s':>6}"
    for scale in _SCALES:
        size = scaled(category.chunk_size, scale)
        yield _row(
            measured(replace(category, chunk_size=size), cleaned, languages, tokenize, limit)
        )


def boilerplate_rates(
    before: Sequence[str], after: Sequence[str]
) -> Iterator[tuple[str, int, int]]:
    """Each phrase with the number of texts that had it, and of cleaned ones that have it still."""
    for phrase in _PHRASES:
        was, remains = (sum(phrase in text for text in texts) for texts in (before, after))
        if was or remains:
            yield phrase, was, remains


def scaled(size: "ChunkSize", scale: float) -> "ChunkSize":
    return replace(
        size,
        maximum=int(size.maximum * scale),
        minimum=int(size.minimum * scale),
        overlap=int(size.overlap * scale),
    )


def measured(
    category: "Category",
    texts: Sequence[str],
    languages: Sequence[str],
    tokenize: "Tokenize",
    limit: int,
) -> Chunked:
    """Chunk all texts at the category's size, and check what chunks and windows leave out."""
    from rag_llm_system.application.preprocessing.chunking_data_handlers import windows
    from rag_llm_system.application.preprocessing.embedding_data_handlers import (
        WINDOW_OVERLAP_TOKENS,
    )

    size = category.chunk_size
    chunks: list[list[Span]] = []
    began = time.process_time()
    for text, language in zip(texts, languages, strict=True):
        chunks.append([piece[:2] for piece in category.chunk(text, size, tokenize, language)])
    seconds = time.process_time() - began
    in_windows = [
        [
            (start + first, start + last)
            for start, end in spans
            for first, last in windows(text[start:end], limit, WINDOW_OVERLAP_TOKENS, tokenize)
        ]
        for text, spans in zip(texts, chunks, strict=True)
    ]
    words = [tokenize(text) for text in texts]
    length: Callable[[str], int] = len if size.unit == "chars" else lambda text: len(tokenize(text))
    return Chunked(
        size=f"{f'{size.minimum}-' if size.minimum else ''}{size.maximum} {size.unit}",
        chunks=sum(map(len, chunks)),
        windows=sum(map(len, in_windows)),
        longest=max(
            (
                length(text[a:b])
                for text, spans in zip(texts, chunks, strict=True)
                for a, b in spans
            ),
            default=0,
        ),
        tokens=sum(map(len, words)),
        lost_tokens=sum(map(_outside, words, in_windows)),
        characters=sum(len("".join(text.split())) for text in texts),
        uncovered=sum(map(_outside, map(_characters, texts), chunks)),
        seconds=seconds,
    )


def _characters(text: str) -> "list[Span]":
    return [(at, at + 1) for at, character in enumerate(text) if not character.isspace()]


def _outside(inner: "Iterable[Span]", spans: "Iterable[Span]") -> int:
    """How many of ``inner`` are not wholly within the union of ``spans``."""
    starts: list[int] = []
    ends: list[int] = []
    for first, last in sorted(spans):
        if ends and first <= ends[-1]:
            ends[-1] = max(ends[-1], last)
        else:
            starts.append(first)
            ends.append(last)
    outside = 0
    for first, last in inner:
        at = bisect_right(starts, first) - 1
        outside += at < 0 or ends[at] < last
    return outside


def _row(found: Chunked) -> str:
    covered = 1 - found.uncovered / found.characters if found.characters else 1.0
    return (
        f"  {found.size:>22} {found.chunks:7,} {found.windows:8,} {found.longest:8,} {covered:8.2%} "
        f"{f'{found.lost_tokens:,} of {found.tokens:,}':>16} {found.seconds:6.2f}"
    )


if __name__ == "__main__":
    start(main)
