"""What the readers of export archives share: the archive, and the texts that come out of it."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from pydantic import Field

from rag_llm_system.domain.crawling import Extracted
from rag_llm_system.domain.documents import Metadata, Value

LeftOut = Mapping[str, int]
Extract = Callable[[str, str], Extracted]
"""Finds the article in the HTML of a page, given its link as well. A pure function, for the sandbox."""


class Archive(Protocol):
    """An archive that is open. Its methods raise CrawlError."""

    @property
    def sha256(self) -> str: ...

    @property
    def left_out(self) -> LeftOut:
        """The files that are not listed, by reason."""

    def names(self) -> Sequence[str]:
        """The files in it, sorted."""

    def read(self, name: str) -> bytes: ...


OpenArchive = Callable[[Path], AbstractContextManager[Archive]]


class ExportedText(Value):
    """A post or an article of the archive's owner."""

    category: str
    link: str
    text: str
    title: str = ""
    subtitle: str = ""
    metadata: Metadata = Field(default_factory=dict)


Exported = Generator[ExportedText, None, LeftOut]


def decoded(content: bytes) -> str:
    """UTF-8, with or without a mark; what is not valid shows as such, as an export has no second copy."""
    return content.decode("utf-8-sig", errors="replace")
