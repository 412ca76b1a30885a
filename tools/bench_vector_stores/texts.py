"""Real texts for the benchmark: cut from JSON lines, embedded once by the project's encoder."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.documents import sha256_of
from rag_llm_system.domain.errors import DataError, MissingFile
from rag_llm_system.domain.ports import Embedder, Role, encoder_name
from rag_llm_system.settings import load_settings
from steps.progress import Advance, progress
from tools.bench_vector_stores.points import CONTENT_CHARS, Points, of_texts

QUESTION_WORDS = 12
"""A question is the beginning of a text that is not among the points."""

_BATCH = 256


def read_texts(data: Path, count: int) -> list[str]:
    """So many different pieces of 400 characters, in the order of the files and their lines.

    Raises MissingFile where there are none, DataError for too few.
    """
    files = [data] if data.is_file() else sorted(data.rglob("corpus.jsonl"))
    if not files:
        raise MissingFile(f"{data}: no such file, and no corpus.jsonl below it")
    pieces: dict[str, None] = {}
    for piece in (piece for file in files for piece in _pieces(file)):
        pieces[piece] = None
        if len(pieces) == count:
            return list(pieces)
    raise DataError(f"{data}: {len(pieces)} texts, {count} are needed; use fewer points")


def _pieces(file: Path) -> Iterator[str]:
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                row = json.loads(line)
                text = " ".join(f"{row.get('title', '')} {row['text']}".split())
            except (ValueError, KeyError, AttributeError, TypeError) as error:
                raise DataError(f"{file}, line {number}: no JSON object with a `text`") from error
            for start in range(0, len(text), CONTENT_CHARS):
                yield text[start : start + CONTENT_CHARS]


def embedded_texts(
    folder: Path, data: Path, count: int, questions: int, *, seed: int, cache: Path
) -> Points:
    """Points of texts below ``data``, the questions of others of them; vectors are kept in ``cache``."""
    texts = read_texts(data, count + questions)
    order = np.random.default_rng(seed).permutation(len(texts))
    shuffled = [texts[n] for n in order]
    asked = [" ".join(text.split()[:QUESTION_WORDS]) for text in shuffled[count:]]
    from rag_llm_system.bootstrap import build

    with build(load_settings()) as system:
        vectors = np.concatenate(
            [
                _embedded(system.embedder, shuffled[:count], "document", cache),
                _embedded(system.embedder, asked, "query", cache),
            ]
        )
    return of_texts(folder, vectors, shuffled[:count], seed)


def _embedded(embedder: Embedder, texts: Sequence[str], role: Role, cache: Path) -> Vectors:
    key = sha256_of("\0".join((encoder_name(embedder), role, *texts)))
    kept = cache / f"{key[:32]}.npy"
    if kept.exists():
        read: Vectors = np.load(kept)
        return read
    with progress(f"{role} texts embedded", len(texts)) as advance:
        vectors = np.concatenate(list(_batches(embedder, texts, role, advance)))
    cache.mkdir(parents=True, exist_ok=True)
    np.save(kept, vectors)
    return vectors


def _batches(
    embedder: Embedder, texts: Sequence[str], role: Role, advance: Advance
) -> Iterator[Vectors]:
    for start in range(0, len(texts), _BATCH):
        batch = [_readable(embedder, text) for text in texts[start : start + _BATCH]]
        yield embedder.embed(batch, role=role)
        advance(len(batch))


def _readable(embedder: Embedder, text: str) -> str:
    """As much of the text as one vector can stand for."""
    spans = embedder.token_spans(text)
    return text if len(spans) <= embedder.max_tokens else text[: spans[embedder.max_tokens - 1][1]]
