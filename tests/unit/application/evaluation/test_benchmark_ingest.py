"""A benchmark goes the way of our own documents, and comes back under its own ids."""

import pytest

from rag_llm_system.application.evaluation.beir import Benchmark, BenchmarkDocument
from rag_llm_system.application.evaluation.ingest import AUTO, documents_of, ingest
from rag_llm_system.application.indexing import Indexer, cleaned_documents
from rag_llm_system.domain.documents import Document
from rag_llm_system.domain.errors import UnknownName
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore

CODE = "def add(a, b):\n    return a + b\n"
PROSE = "Bread needs flour, water and time."


def benchmark(**documents: BenchmarkDocument) -> Benchmark:
    return Benchmark("set", "test", documents, queries={}, grades={})


def documents(of: Benchmark, category: str = AUTO) -> dict[str, Document]:
    return dict(documents_of(of, category))


def test_prose_becomes_articles_and_code_files_of_a_repository() -> None:
    [prose] = documents(benchmark(d1=BenchmarkDocument(PROSE, "Bread"))).values()
    assert (prose.category, prose.title, prose.text) == ("articles", "Bread", PROSE)
    assert prose.metadata == {}
    [code] = documents(benchmark(d1=BenchmarkDocument(CODE))).values()
    assert (code.category, code.text) == ("repositories", CODE)
    assert code.metadata == {"source_file": "d1", "language": "python"}


def test_a_document_may_name_its_category_and_else_the_wanted_one_counts() -> None:
    given = benchmark(
        film=BenchmarkDocument(
            PROSE, metadata={"category": "movies", "year": 1958, "genres": ["War"]}
        ),
        other=BenchmarkDocument(PROSE, metadata={"category": "poems", "year": 1958}),
    )
    found = documents(given, "posts")
    assert found["film"].category == "movies"
    assert found["film"].metadata == {"year": 1958, "genres": ["War"]}
    assert found["other"].category == "posts"
    with pytest.raises(UnknownName, match="unknown category 'post'; known: articles"):
        documents(given, "post")


def test_metadata_that_our_own_documents_have_otherwise_is_left_out() -> None:
    metadata = {
        "language": "go",
        "source_file": "a/b.go",
        "headings": "x",
        "kind": 7,
        "content": "y",
    }
    [code] = documents(
        benchmark(d1=BenchmarkDocument(CODE, metadata=metadata)), "repositories"
    ).values()
    assert code.metadata == {"language": "go", "source_file": "a/b.go"}


def test_a_title_alone_is_the_text() -> None:
    [found] = documents(benchmark(d1=BenchmarkDocument("  ", "Knots that sailors tie"))).values()
    assert (found.title, found.text) == ("", "Knots that sailors tie")


def test_every_id_comes_back_whatever_it_is_made_of() -> None:
    names = ["a b", "a%20b", "A B", "x#y", "x?y", "x", "x/", "x/y", "é", "e\u0301", "..", ""]
    given = benchmark(**{name: BenchmarkDocument(f"{PROSE} {name}") for name in names})
    store = MemoryVectorStore()
    found = ingest(documents_of(given), Indexer(store, HashingEmbedder()))
    assert sorted(found.names.values()) == sorted(names)
    assert {document.id for document in cleaned_documents(store)} == found.names.keys()


def test_what_cleaning_empties_is_counted_and_the_rest_is_embedded_once() -> None:
    given = benchmark(
        bread=BenchmarkDocument(PROSE),
        markup=BenchmarkDocument("<br/> &nbsp;"),
        nothing=BenchmarkDocument(""),
        film=BenchmarkDocument(PROSE, metadata={"category": "movies"}),
    )
    store, seen = MemoryVectorStore(), []
    found = ingest(documents_of(given), Indexer(store, HashingEmbedder()), seen.append)
    assert sorted(found.names.values()) == ["bread", "film"]
    assert found.dropped == ["markup", "nothing"]
    assert found.categories == {"articles": 1, "movies": 1}
    assert (found.embedded, sum(seen)) == (2, 2)
    again = ingest(documents_of(given), Indexer(store, HashingEmbedder()))
    assert (again.embedded, again.names) == (0, found.names)


def test_another_benchmark_takes_the_place_of_the_one_before() -> None:
    store = MemoryVectorStore()
    ingest(documents_of(benchmark(old=BenchmarkDocument(PROSE))), Indexer(store, HashingEmbedder()))
    found = ingest(
        documents_of(benchmark(new=BenchmarkDocument(PROSE))), Indexer(store, HashingEmbedder())
    )
    assert [document.id for document in cleaned_documents(store)] == list(found.names)
