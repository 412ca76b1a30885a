"""A benchmark becomes an index by the way of every document: cleaned, cut, embedded, loaded."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from rag_llm_system.application.evaluation.beir import Benchmark, BenchmarkDocument
from rag_llm_system.application.evaluation.language import code_language
from rag_llm_system.application.indexing import Indexer
from rag_llm_system.application.preprocessing.categories import CATEGORIES, Category, category_named
from rag_llm_system.application.preprocessing.dispatchers import CleaningDispatcher
from rag_llm_system.domain.documents import Author, CleanedDocument, Document, Metadata, Source

AUTO = "auto"
_PROSE, _CODE = "articles", "repositories"

# benchmarks do not say when; a constant keeps runs repeatable
_UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Ingested:
    """``names`` has the benchmark's id of each document by the id that it has in our index.

    ``dropped`` are those of which cleaning left nothing; ``embedded`` the documents that the index did not hold yet;
    ``categories`` counts the others by category.
    """

    names: Mapping[str, str]
    dropped: Sequence[str]
    embedded: int
    categories: Mapping[str, int]


def documents_of(benchmark: Benchmark, category: str = AUTO) -> Iterator[tuple[str, Document]]:
    """Every document of the corpus as the data warehouse keeps it, with the benchmark's id.

    Its category is what its metadata says, where that is a known one, else ``category``; AUTO decides once for all of
    the corpus: repositories when most texts are source code, or else articles. Raises UnknownName.
    """
    texts = [document.text for document in benchmark.documents.values()]
    language = code_language(texts)
    if category == AUTO:
        category = _CODE if language else _PROSE
    default = category_named(category)
    for name, document in benchmark.documents.items():
        own = document.metadata.get("category")
        known = CATEGORIES[own] if isinstance(own, str) and own in CATEGORIES else default
        yield name, _document(benchmark.name, name, document, known, language=language)


def _document(
    benchmark: str, name: str, document: BenchmarkDocument, category: Category, *, language: str
) -> Document:
    author = Author.named(benchmark)
    # a title without a text is what there is to read
    title, text = (
        ("", document.title) if not document.text.strip() else (document.title, document.text)
    )
    metadata = _metadata(document.metadata, category)
    if category.name == _CODE:
        metadata = {"source_file": name, **({"language": language} if language else {}), **metadata}
    return Document(
        category=category.name,
        platform="beir",
        title=title,
        text=text,
        author_id=author.id,
        author_full_name=author.full_name,
        source=Source(
            link=f"beir://{quote(benchmark, safe='')}/{quote(name, safe='')}",
            fetched_at=_UNKNOWN_TIME,
        ),
        metadata=metadata,
    )


def _metadata(given: Mapping[str, object], category: Category) -> Metadata:
    """What our own documents of this category may have; a benchmark's other fields mean something else."""
    numbers = {
        n: v for n in category.filterable_numbers if isinstance(v := given.get(n), int | float)
    }
    texts = {
        name: value
        for name in (*category.filterable, *(("source_file",) if category.name == _CODE else ()))
        if isinstance(value := given.get(name), str)
    }
    lists = {
        name: [str(each) for each in value]
        for name in category.filterable
        if isinstance(value := given.get(name), list)
    }
    return {**numbers, **texts, **lists}


def ingest(
    documents: Iterable[tuple[str, Document]],
    indexer: Indexer,
    on_document: Callable[[int], None] = lambda _: None,
) -> Ingested:
    """Make the index hold these documents and no others; ``on_document`` is told of each one that is embedded."""
    clean = CleaningDispatcher()
    cleaned: list[CleanedDocument] = []
    names: dict[str, str] = {}
    dropped: list[str] = []
    for name, document in documents:
        found = clean.dispatch(document)
        if found is None:
            dropped.append(name)
        else:
            names[document.id] = name
            cleaned.append(found)
    indexer.load_cleaned(cleaned)
    indexer.load_chunks(indexer.embed_changed(cleaned, on_document))
    return Ingested(
        names=names,
        dropped=dropped,
        embedded=indexer.report.embedded_documents,
        categories=Counter(document.category for document in cleaned),
    )
