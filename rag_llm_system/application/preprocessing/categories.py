"""THE table of document categories: how each is cleaned, chunked and filtered.

To add one: an entry here and a sample under ``tests/data/categories``. Nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rag_llm_system.application.preprocessing.chunking_data_handlers import (
    Chars,
    Chunker,
    ChunkSize,
    Tokens,
    by_code,
    by_paragraph,
    by_sentence,
)
from rag_llm_system.application.preprocessing.cleaning_data_handlers import (
    Cleaner,
    clean_post,
    clean_prose,
    keep,
)
from rag_llm_system.domain.errors import UnknownName


@dataclass(frozen=True, slots=True)
class Category:
    """``name`` is the plural; ``version`` goes up when the functions below change what they give."""

    name: str
    clean: Cleaner
    chunk: Chunker
    chunk_size: ChunkSize
    filterable: tuple[str, ...] = ()
    version: int = 1

    @property
    def singular(self) -> str:
        return self.name[:-3] + "y" if self.name.endswith("ies") else self.name.removesuffix("s")

    @property
    def cleaned_collection(self) -> str:
        return f"cleaned_{self.name}"

    @property
    def chunk_collection(self) -> str:
        return f"{self.singular}_chunks_embedded"


_ALL = (
    Category("articles", clean=clean_prose, chunk=by_paragraph, chunk_size=Chars(1000, 2000)),
    Category("posts", clean=clean_post, chunk=by_sentence, chunk_size=Tokens(250, overlap=25)),
    Category(
        "repositories",
        clean=keep,
        chunk=by_code,
        chunk_size=Tokens(1500, overlap=100),
        filterable=("language", "repository"),
    ),
)
CATEGORIES: Mapping[str, Category] = MappingProxyType({c.name: c for c in _ALL})


def category_named(name: str, table: Mapping[str, Category] = CATEGORIES) -> Category:
    """Raises UnknownName listing the known ones."""
    try:
        return table[name]
    except KeyError:
        raise UnknownName("category", name, table) from None
