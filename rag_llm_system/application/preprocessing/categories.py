"""THE table of document categories: how each is cleaned, chunked and filtered.

To add one: an entry here and a sample under ``tests/data/categories``. Nothing else.
"""

from collections.abc import Callable, Mapping
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
    clean_record,
    file_facts,
    keep,
)
from rag_llm_system.application.preprocessing.publication_dates import publication_facts
from rag_llm_system.domain.documents import Metadata
from rag_llm_system.domain.errors import UnknownName


@dataclass(frozen=True, slots=True)
class Category:
    """``name`` is the plural; ``version`` goes up when the functions below change what they give.

    ``facts`` finds out more from a document's metadata, and is added to it; ``filterable`` and ``filterable_numbers``
    name the metadata that stores index, texts and numbers. ``personal``: what one user told, which no question of
    another may find; only its own use cases look there.
    """

    name: str
    clean: Cleaner
    chunk: Chunker
    chunk_size: ChunkSize
    facts: Callable[[Metadata], Metadata] = lambda _: {}
    filterable: tuple[str, ...] = ()
    filterable_numbers: tuple[str, ...] = ()
    version: int = 1
    irregular_singular: str = ""
    personal: bool = False

    @property
    def singular(self) -> str:
        if self.irregular_singular:
            return self.irregular_singular
        return self.name[:-3] + "y" if self.name.endswith("ies") else self.name.removesuffix("s")

    @property
    def cleaned_collection(self) -> str:
        return f"cleaned_{self.name}"

    @property
    def chunk_collection(self) -> str:
        return f"{self.singular}_chunks_embedded"


_ALL = (
    Category(
        "articles",
        clean=clean_prose,
        chunk=by_paragraph,
        chunk_size=Chars(1000, 2000),
        facts=publication_facts,
        filterable_numbers=("published_on",),
        version=3,
    ),
    Category(
        "posts",
        clean=clean_post,
        chunk=by_sentence,
        chunk_size=Tokens(250, overlap=25),
        facts=publication_facts,
        filterable_numbers=("published_on",),
        version=3,
    ),
    Category(
        "repositories",
        clean=keep,
        chunk=by_code,
        chunk_size=Tokens(1500, overlap=100),
        facts=file_facts,
        filterable=("language", "repository", "kind"),
        version=2,
    ),
    Category(
        "movies",
        clean=clean_record,
        chunk=by_sentence,
        # one chunk each: of 6,000 films from Wikipedia, the longest record has 548 tokens
        chunk_size=Tokens(600, overlap=50),
        filterable=("genres", "cast"),
        filterable_numbers=("year",),
        version=2,
        irregular_singular="movie",
    ),
    Category(
        "preferences",
        clean=clean_record,
        chunk=by_sentence,
        chunk_size=Tokens(250, overlap=25),
        filterable=("kind",),
        personal=True,
    ),
)
CATEGORIES: Mapping[str, Category] = MappingProxyType({c.name: c for c in _ALL})
SEARCHED: Mapping[str, Category] = MappingProxyType({c.name: c for c in _ALL if not c.personal})
"""Where questions are answered from."""


def category_named(name: str, table: Mapping[str, Category] = CATEGORIES) -> Category:
    """Raises UnknownName listing the known ones."""
    try:
        return table[name]
    except KeyError:
        raise UnknownName("category", name, table) from None
