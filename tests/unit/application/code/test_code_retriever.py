"""What a question calls by its name comes first; plain words cost and change nothing."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rag_llm_system.application.code.category import CODE_TABLE
from rag_llm_system.application.code.code_retriever import CodeRetriever, is_test
from rag_llm_system.application.code.project import Project
from rag_llm_system.application.code.vectorizer import CodeVectorizer
from rag_llm_system.application.rag.budget import UNLIMITED, Budget
from rag_llm_system.application.rag.retriever import ContextRetriever
from rag_llm_system.domain.answers import Context
from rag_llm_system.domain.ports import Span
from rag_llm_system.domain.queries import Query
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.tracing.off import OffTracer
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from tests.unit.application.code.code_files import code_files

SOURCES = {
    "README.md": "# Files\n\nFiles are saved to disk and loaded from disk by the store of files.\n",
    "src/config.py": "MAX_BYTES = 100\n\n\ndef limits():\n    return MAX_BYTES\n",
    "src/disk.py": (
        "import os\nimport json\n\n\nclass Store:\n    def __init__(self, root):\n        self.root = root\n\n"
        '    def save(self, file):\n        """Write it."""\n        os.replace(file, self.root)\n\n'
        + "".join(f"    def other_{n}(self):\n        return {n}\n\n" for n in range(60))
        + "    def flush_all(self):\n        return os.sync()\n"
    ),
    "src/use.py": (
        "from disk import Store\n\n\ndef copy(file):\n    # save the file, save it, save\n    Store().save(file)\n"
    ),
    "tests/test_disk.py": "def test_save():\n    assert save(file) is None  # save the file to disk\n",
}


class Counted:
    """A retriever, and how often it was asked."""

    def __init__(self, retriever: ContextRetriever) -> None:
        self._retriever = retriever
        self.asked: list[Query] = []

    def retrieve(self, query: Query, k: int, *, self_query: bool, budget: Budget) -> Context:
        self.asked.append(query)
        return self._retriever.retrieve(query, k, self_query=self_query, budget=budget)


class SpanNames(OffTracer):
    def __init__(self) -> None:
        self.names: list[str] = []

    @contextmanager
    def span(self, name: str, **described: Any) -> Iterator[Span]:  # type: ignore[override]
        self.names.append(name)
        with super().span(name, **described) as span:
            yield span


class Found:
    """An index of sources, and the ways to look into it."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.store = MemoryVectorStore()
        self.tracer = SpanNames()
        embedder = HashingEmbedder()
        self.index = CodeVectorizer(self.store, embedder)
        self.index.embed_and_store(code_files(sources), Project(Path("/code/one"), "one"))
        base = ContextRetriever(self.store, embedder, self.tracer, CODE_TABLE)
        self.counted = Counted(base)
        self.retriever = CodeRetriever(self.counted, self.store, self.tracer)

    def context(self, question: str, k: int = 8, **where: str) -> Context:
        return self.retriever.retrieve(Query(text=question, where=where), k)

    def first(self, question: str) -> str:
        return self.context(question).chunks[0].source_file


@pytest.fixture(scope="module")
def found() -> Found:
    return Found(SOURCES)


@pytest.mark.parametrize(
    ("question", "file"),
    [
        ("who calls Store.save with a file?", "src/disk.py"),
        ("who needs flush_all to save the file to disk?", "src/disk.py"),
        ("is a file saved by copy()?", "src/use.py"),
        ("are files saved, as src/config.py says?", "src/config.py"),
        ("are files saved to disk, as config.py says?", "src/config.py"),
    ],
)
def test_what_defines_a_name_comes_first(found: Found, question: str, file: str) -> None:
    assert found.first(question) == file


def test_relevance_falls_and_numbers_rise(found: Found) -> None:
    chunks = found.context("who calls Store.save with a file?").chunks
    assert [chunk.n for chunk in chunks] == list(range(1, len(chunks) + 1))
    assert [c.relevance for c in chunks] == sorted((c.relevance for c in chunks), reverse=True)
    assert len({chunk.chunk_id for chunk in chunks}) == len(chunks)


@pytest.mark.parametrize("question", ["how do i save a file", "get it and run the copy"])
def test_plain_words_are_searched_for_once(found: Found, question: str) -> None:
    found.counted.asked.clear()
    found.tracer.names.clear()
    found.context(question)
    assert len(found.counted.asked) == 1
    assert "symbols" not in found.tracer.names


def test_names_are_a_stage_of_their_own(found: Found) -> None:
    found.tracer.names.clear()
    context = found.context("what does flush_all do?")
    assert "symbols" in found.tracer.names
    assert context.timings_s["symbols"] >= 0


def test_a_name_that_nothing_has_is_told(found: Found) -> None:
    context = found.context("does Store.save call frobnicate_it or max_bytes in missing.py?")
    assert list(context.notes) == [
        "nothing that was found has `frobnicate_it`",
        "nothing that was found has `max_bytes`",
        "nothing that was found has `missing.py`",
    ]


def test_a_name_that_is_used_and_not_defined_is_no_note(found: Found) -> None:
    assert not found.context("where is os.replace() called, and MAX_BYTES read, in Node.js?").notes


def test_conditions_hold_for_names_too(found: Found) -> None:
    context = found.context("what is flush_all?", repository="two")
    assert not context.chunks
    assert found.context("what is flush_all?", repository="one").chunks


def test_a_chunk_knows_the_lines_of_its_file_that_it_needs(found: Found) -> None:
    [chunk] = [
        c for c in found.context("what is flush_all?").chunks if "def flush_all" in c.content
    ]
    assert chunk.headings == ("import os", "class Store:")


def test_an_edited_file_lends_no_lines_to_chunks_of_before() -> None:
    found = Found(SOURCES)
    cleaned = next(iter(found.store.scan("cleaned_code", where={"title": "src/disk.py"})))
    edited = {**cleaned.payload, "text": "# new\n" + str(cleaned.payload["text"])}
    found.store.upsert("cleaned_code", [cleaned.model_copy(update={"payload": edited})])
    assert all(
        not c.headings
        for c in found.context("what is flush_all?").chunks
        if c.source_file == "src/disk.py"
    )


def test_a_file_that_was_renamed_is_found_by_its_new_name() -> None:
    found = Found(SOURCES)
    found.context("what is in disk.py?")
    renamed = {path.replace("disk", "drum"): text for path, text in SOURCES.items()}
    found.index.embed_and_store(code_files(renamed), Project(Path("/code/one"), "one"))
    assert found.first("what is in drum.py?") == "src/drum.py"


def test_code_comes_before_its_tests_unless_they_are_asked_for() -> None:
    same = "def copy(file):\n    return 1\n"
    found = Found({"tests/copying.py": same, "src/other.py": same})
    question = Query(text="copying a file")
    before = found.counted.retrieve(question, 8, self_query=False, budget=UNLIMITED).chunks
    assert [c.source_file for c in before] == ["tests/copying.py", "src/other.py"]
    assert found.context("copying a file").chunks[1].relevance < before[0].relevance
    assert found.first("tests of copying a file") == "tests/copying.py"


@pytest.mark.parametrize(
    "path",
    ["tests/a.py", "a/__tests__/b.js", "test_a.py", "a_test.go", "src/a.test.ts", "a.spec.js",
     "FooTest.java", "conftest.py", "spec/a.rb"],
)  # fmt: skip
def test_tests_are_known_by_their_path(path: str) -> None:
    assert is_test(path)


@pytest.mark.parametrize(
    "path", ["src/latest.py", "contest.py", "attest/a.py", "", "testing.md", "a.py"]
)
def test_other_files_are_no_tests(path: str) -> None:
    assert not is_test(path)
