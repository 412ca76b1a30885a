"""Chunks and their embedding windows: what the vector store keeps."""

from typing import Any, NamedTuple
from uuid import UUID, uuid5

import numpy as np
import numpy.typing as npt
from pydantic import Field

from rag_llm_system.domain.documents import Metadata, Value, sha256_of

Vectors = npt.NDArray[np.float32]
"""Shape (n, dimension), or (dimension,) for one; rows have length 1."""


class TokenVectors(NamedTuple):
    """One text, token by token: ``tokens`` of shape (n,) are the encoder's numbers of them, ``vectors`` of shape
    (n, dimension) have length 1. Special tokens are left out."""

    tokens: npt.NDArray[np.int32]
    vectors: Vectors


_WHERE_KNOWN = (
    "headings",
    "source_file",
    "language",
    "start_line",
    "end_line",
    "symbol",
    "symbols",
)


class Chunk(Value):
    """A slice ``[start, end)`` of a cleaned document's text, in characters.

    ``headings`` is the path of headings above its start, outermost first. Lines count from 1, both ends included; they
    and ``source_file``, ``language`` and ``symbol`` are set for files: ``symbol`` is the class or function that the
    chunk is or lies in, such as ``Store.save``.

    Chunks of a code base have ``symbols`` too, every definition that begins in them or that they lie in (``Store.save``
    and ``save``), and ``around``, the signatures of the definitions that they lie in, outermost first; None elsewhere.
    """

    document_id: str
    category: str
    platform: str
    link: str
    title: str = ""
    author_id: str
    author_full_name: str
    ordinal: int
    total_chunks: int
    start: int
    end: int
    content: str
    fingerprint: str
    headings: tuple[str, ...] = ()
    source_file: str = ""
    language: str = ""
    start_line: int = 0
    end_line: int = 0
    symbol: str = ""
    symbols: tuple[str, ...] = ()
    around: tuple[str, ...] | None = None
    metadata: Metadata = Field(default_factory=dict)

    @property
    def id(self) -> str:
        """Two documents with the same text keep their own chunks; an edit gives new ids."""
        return str(uuid5(UUID(self.document_id), f"{self.ordinal}:{sha256_of(self.content)}"))

    @property
    def place(self) -> tuple[str, ...]:
        """What a reader of the chunk alone has to be told: the document's title and the headings above, each once.

        A file's title is its path, and says little of what is in it, but for a chunk of a code base, which is told with
        what is around it. What the content begins with is left out.
        """
        if self.around is not None:
            names = (self.source_file, *self.headings, *self.around)
        else:
            names = (*self.headings,) if self.source_file else (self.title, *self.headings)
        beginning = self.content.lstrip("# \n").casefold()
        kept = dict.fromkeys(name for name in names if name.strip())
        return tuple(name for name in kept if not beginning.startswith(name.casefold()))

    def payload(self) -> dict[str, Any]:
        """The flat mapping a vector store keeps beside the vector; metadata never hides our own keys."""
        absent = {name for name in _WHERE_KNOWN if not getattr(self, name)}
        own = self.model_dump(mode="json", exclude={"metadata", "around", *absent})
        return {**self.metadata, **own, "chunk_id": self.id}


class Window(Value):
    """The part of a chunk that one vector stands for: never longer than the encoder can read.

    ``start`` and ``end`` are characters of the chunk's own content, ``header`` is what the encoder reads before them;
    ``document_windows`` is how many the whole document has, so that a store can tell whether all of them are there.
    """

    chunk: Chunk
    index: int
    total_windows: int
    document_windows: int
    start: int
    end: int
    header: str = ""

    @property
    def id(self) -> str:
        return str(uuid5(UUID(self.chunk.id), f"window:{self.index}"))

    @property
    def text(self) -> str:
        return self.chunk.content[self.start : self.end]

    @property
    def embedded_text(self) -> str:
        return self.header + self.text

    def payload(self) -> dict[str, Any]:
        """The chunk's payload and the window's own; the first window carries content and header for all of them."""
        of_chunk = self.chunk.payload()
        if self.index:
            del of_chunk["content"]
        else:
            of_chunk["header"] = self.header
        return {
            **of_chunk,
            "window": self.index,
            "total_windows": self.total_windows,
            "document_windows": self.document_windows,
            "window_start": self.start,
            "window_end": self.end,
        }
