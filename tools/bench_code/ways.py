"""The ways of searching code that need no index of ours: grep, and the way of the users' documents."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from langchain_text_splitters import RecursiveCharacterTextSplitter

from rag_llm_system.application.evaluation.code_questions import Lines
from rag_llm_system.application.preprocessing.terms import content_words
from rag_llm_system.domain.code import CodeFile
from rag_llm_system.domain.ports import Embedder

DEPTH = 30
"""Results that are looked at: no rank behind that counts."""

USERS_K = 8
"""The documents' top-k, and the code assistant's."""

CHUNK_CHARS, OVERLAP_CHARS = 1500, 200
_BLOCK_LINES = 40  # about as much as the documents' chunks have
_WORD = re.compile(r"\w+")


class Found(NamedTuple):
    """One result: where it stands and how much one has to read."""

    lines: Lines
    chars: int


Search = Callable[[str, int], Sequence[Found]]
"""A question to so many of its best results, best first."""


class _Block(NamedTuple):
    found: Found
    text: str


def grep(files: Sequence[CodeFile]) -> Search:
    """As one greps for the words of a question: blocks of 40 lines by how many of the words they have.

    Words are compared as ``grep -i`` does, within longer ones too. Ties go to the file that has more of the words,
    then to the block that has them more often.
    """
    whole = {file.path: file.content.casefold() for file in files}
    blocks = [block for file in files for block in _blocks(file)]

    def search(question: str, k: int) -> list[Found]:
        said = dict.fromkeys(_WORD.findall(question.casefold()))
        words = [word for word in said if content_words(word)]
        in_file = {path: sum(word in text for word in words) for path, text in whole.items()}
        ranked = sorted(
            (
                (-sum(map(bool, counts)), -in_file[block.found.lines.file], -sum(counts), n)
                for n, block in enumerate(blocks)
                if any(counts := [block.text.count(word) for word in words])
            ),
        )
        return [blocks[n].found for *_, n in ranked[:k]]

    return search


def documented(
    files: Sequence[CodeFile], embedder: Embedder, cache: Embedder | None = None
) -> Search:
    """The way of the documents: LangChain's recursive splitter, one vector for each chunk, cosine.

    The encoder reads the beginning of a chunk, as far as its window goes: what is behind is cut off, silently there.
    ``cache`` may have vectors of chunks; one of a question would be found sooner than anybody's is.
    """
    splitter = RecursiveCharacterTextSplitter(
        chunk_size=CHUNK_CHARS, chunk_overlap=OVERLAP_CHARS, add_start_index=True
    )
    found: list[Found] = []
    texts: list[str] = []
    for file in files:
        for part in splitter.create_documents([file.content]):
            text = part.page_content
            first = file.content.count("\n", 0, part.metadata["start_index"]) + 1
            found.append(Found(Lines(file.path, first, first + text.count("\n")), len(text)))
            texts.append(_read_part(text, embedder))
    vectors = (cache or embedder).embed(texts)

    def search(question: str, k: int) -> list[Found]:
        [asked] = embedder.embed([_read_part(question, embedder)], role="query")
        best = np.argsort(-(vectors @ asked), kind="stable")[:k]
        return [found[n] for n in best]

    return search


def _read_part(text: str, embedder: Embedder) -> str:
    """What of it fits the encoder's window."""
    spans = embedder.token_spans(text)
    return text if len(spans) <= embedder.max_tokens else text[: spans[embedder.max_tokens - 1][1]]


def _blocks(file: CodeFile) -> Iterator[_Block]:
    lines = file.content.split("\n")
    for first in range(0, len(lines), _BLOCK_LINES):
        some = lines[first : first + _BLOCK_LINES]
        text = "\n".join(some)
        place = Lines(file.path, first + 1, first + len(some))
        yield _Block(Found(place, len(text)), text.casefold())
