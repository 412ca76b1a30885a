"""The index of code bases holds what their folders hold, and a run touches only what changed."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from rag_llm_system.application.code.category import CODE_TABLE, code_table
from rag_llm_system.application.code.project import Project
from rag_llm_system.application.code.vectorizer import (
    CodeIndexReport,
    CodeVectorizer,
    code_bases,
)
from rag_llm_system.application.indexing import Indexer
from rag_llm_system.application.indexing.collections import chunk_collection_of
from rag_llm_system.application.preprocessing.chunking_data_handlers import Tokens
from rag_llm_system.application.rag.retriever import ContextRetriever
from rag_llm_system.domain.answers import ContextChunk
from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.code import CodeFile
from rag_llm_system.domain.errors import BackendError
from rag_llm_system.domain.ports import Role, VectorStore
from rag_llm_system.domain.queries import Query, Where
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.tracing.off import OffTracer
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from tests.unit.application.builders import cleaned
from tests.unit.application.code.code_files import code_files

APP = Project(Path("/here/app"))
OTHER = Project(Path("/there/app"))
AUTH = "def login(user):\n    return check(user)\n"
SESSION = "class Session:\n    def renew(self):\n        return 1\n"
FILES = {"auth.py": AUTH, "session.py": SESSION, "empty.py": "\n"}


class CountingEmbedder(HashingEmbedder):
    """Remembers what it embedded, and fails at the text that holds ``fails_at``."""

    def __init__(self, fails_at: str = "", dimension: int = 64) -> None:
        super().__init__(dimension=dimension)
        self.texts: list[str] = []
        self.fails_at = fails_at

    def embed(self, texts: Sequence[str], *, role: Role = "document") -> Vectors:
        if self.fails_at and any(self.fails_at in text for text in texts):
            raise BackendError("the encoder is gone")
        self.texts += texts
        return super().embed(texts, role=role)


def index(
    store: VectorStore,
    files: Mapping[str, str],
    project: Project = APP,
    embedder: HashingEmbedder | None = None,
) -> CodeIndexReport:
    vectorizer = CodeVectorizer(store, embedder or HashingEmbedder())
    return vectorizer.embed_and_store(code_files(files), project)


def found(
    store: VectorStore,
    question: str,
    embedder: HashingEmbedder | None = None,
    where: Where | None = None,
) -> list[ContextChunk]:
    retriever = ContextRetriever(store, embedder or HashingEmbedder(), OffTracer(), CODE_TABLE)
    return retriever.search(Query(text=question, where=where or {}), 20)


def test_a_first_run_embeds_every_file_that_has_something_in_it() -> None:
    store = MemoryVectorStore()

    report = index(store, FILES)

    assert (report.files, report.embedded_files, report.empty) == (3, 2, 1)
    assert (report.unchanged, report.removed_files, dict(report.why)) == (0, 0, {"new": 2})
    assert report.chunks == store.count("code_chunks_embedded", where={"window": 0}) == 2
    assert report.collections["cleaned_code"] == 2


def test_what_is_found_says_where_it_is_and_what_begins_in_it() -> None:
    store = MemoryVectorStore()
    index(store, FILES)

    best = found(store, "renew the session")[0]

    assert (best.source_file, best.start_line, best.end_line) == ("session.py", 1, 3)
    assert best.symbols == ("Session", "Session.renew", "renew")
    assert best.link == "file:///here/app/session.py"
    assert best.author_full_name == "app"


def test_chunks_are_filtered_by_symbol_and_by_file() -> None:
    store = MemoryVectorStore()
    index(store, FILES)

    by_symbol = found(store, "what is this", where={"symbols": ["Session.renew"]})
    by_file = found(store, "what is this", where={"source_file": "auth.py"})

    assert [c.source_file for c in by_symbol] == ["session.py"]
    assert [c.symbols for c in by_file] == [("login",)]


def test_a_second_run_without_changes_embeds_nothing() -> None:
    store, embedder = MemoryVectorStore(), CountingEmbedder()
    index(store, FILES)

    report = index(store, FILES, embedder=embedder)

    assert (report.unchanged, report.embedded_files, dict(report.why)) == (2, 0, {})
    assert embedder.texts == []


def test_an_edit_costs_the_edited_file_alone() -> None:
    store, embedder = MemoryVectorStore(), CountingEmbedder()
    index(store, FILES)

    report = index(store, {**FILES, "auth.py": AUTH.replace("check", "verify")}, embedder=embedder)

    assert (report.unchanged, dict(report.why)) == (1, {"edited": 1})
    assert len(embedder.texts) == 1
    assert "verify" in found(store, "def login")[0].content
    assert "check" not in "".join(c.content for c in found(store, "check"))


def test_a_renamed_file_is_found_by_its_new_name_alone() -> None:
    store = MemoryVectorStore()
    index(store, FILES)

    report = index(store, {"login.py": AUTH, "session.py": SESSION})

    assert (dict(report.why), report.removed_files) == ({"moved": 1}, 1)
    assert {c.source_file for c in found(store, "login")} == {"login.py", "session.py"}


def test_a_file_that_is_gone_or_empty_now_is_found_no_more() -> None:
    store = MemoryVectorStore()
    index(store, {**FILES, "third.py": "third = 3\n"})

    report = index(store, {"auth.py": AUTH, "session.py": ""})

    assert (report.removed_files, report.empty, report.unchanged) == (2, 1, 1)
    assert {c.source_file for c in found(store, "session third")} == {"auth.py"}


def test_other_code_bases_are_left_alone_also_one_of_the_same_name_and_files() -> None:
    store = MemoryVectorStore()
    index(store, FILES)
    index(store, FILES, OTHER)

    index(store, {"auth.py": AUTH}, OTHER)

    assert {c.link for c in found(store, "session")} == {
        "file:///here/app/auth.py",
        "file:///here/app/session.py",
        "file:///there/app/auth.py",
    }


def test_a_folder_within_another_may_be_a_code_base_too() -> None:
    store = MemoryVectorStore()
    index(store, {"src/auth.py": AUTH})

    index(store, {"auth.py": AUTH}, Project(Path("/here/app/src")))
    again = index(store, {"src/auth.py": AUTH})

    assert again.unchanged == 1
    assert len(found(store, "login")) == 2


def test_the_data_warehouse_s_index_and_that_of_code_do_not_touch_one_another() -> None:
    store, embedder = MemoryVectorStore(), HashingEmbedder()
    article = cleaned("http://a.example/1", "An article about something.")
    index(store, FILES)

    indexer = Indexer(store, embedder)
    indexer.load_cleaned([article])
    indexer.load_chunks(list(indexer.embed_changed([article])))
    index(store, {"auth.py": AUTH})

    assert store.count("article_chunks_embedded") == 1
    assert {c.source_file for c in found(store, "login")} == {"auth.py"}


def test_a_run_that_died_while_it_embedded_is_completed_by_the_next() -> None:
    store = MemoryVectorStore()
    index(store, FILES)
    edited = {**FILES, "auth.py": AUTH.replace("check", "verify"), "new.py": "new = 1\n"}
    with pytest.raises(BackendError):
        index(store, edited, embedder=CountingEmbedder(fails_at="verify"))
    before = found(store, "def login")[0].content

    report = index(store, edited)

    assert before == AUTH.rstrip()
    assert dict(report.why) == {"edited": 1, "new": 1}
    assert "verify" in found(store, "def login")[0].content


def test_a_run_that_died_while_files_were_read_removes_nothing() -> None:
    store = MemoryVectorStore()
    index(store, FILES)

    def read() -> Iterator[CodeFile]:
        yield code_files(FILES)[0]
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        CodeVectorizer(store, HashingEmbedder()).embed_and_store(read(), APP)

    assert {c.source_file for c in found(store, "login")} == {"auth.py", "session.py"}


def test_a_new_encoder_reads_all_code_bases_so_that_it_can_answer() -> None:
    store, other = MemoryVectorStore(), HashingEmbedder(dimension=32)
    index(store, FILES)
    index(store, FILES, OTHER)

    report = index(store, FILES, embedder=other)

    assert (report.embedded_files, report.others) == (2, 2)
    assert {c.link.split("/")[3] for c in found(store, "login", other)} == {"here", "there"}


def test_another_chunk_size_cuts_the_code_base_anew() -> None:
    store, table = MemoryVectorStore(), code_table(Tokens(8, overlap=0))
    index(store, FILES)

    report = CodeVectorizer(store, HashingEmbedder(), table).embed_and_store(code_files(FILES), APP)

    assert dict(report.why) == {"chunk settings changed": 2}
    assert report.chunks > 2


def test_progress_adds_up_to_the_files_that_were_given() -> None:
    store = MemoryVectorStore()
    index(store, {"auth.py": AUTH})
    done: list[int] = []

    CodeVectorizer(store, HashingEmbedder()).embed_and_store(code_files(FILES), APP, done.append)

    assert sum(done) == len(FILES)


def test_code_bases_are_listed_with_their_folders_and_sizes() -> None:
    store = MemoryVectorStore()
    index(store, {"a b/größe.py": AUTH, "session.py": SESSION})
    index(store, {"auth.py": AUTH}, OTHER)

    listed = [(one.name, one.root, one.files, one.chunks) for one in code_bases(store)]

    assert sorted(listed) == [("app", "file:///here/app", 2, 2), ("app", "file:///there/app", 1, 1)]


def test_nothing_is_listed_where_nothing_is_indexed() -> None:
    assert code_bases(MemoryVectorStore()) == []


def test_a_code_base_that_was_forgotten_is_found_no_more_and_the_other_one_is() -> None:
    store, other = MemoryVectorStore(), HashingEmbedder(dimension=32)
    index(store, FILES)
    index(store, FILES, OTHER)
    index(store, FILES, embedder=other)

    forgotten = CodeVectorizer(store, other).forget(APP.id)

    assert forgotten == 2
    assert [one.id for one in code_bases(store)] == [OTHER.id]
    for embedder in (HashingEmbedder(), other):
        name = chunk_collection_of(CODE_TABLE["code"], embedder)
        assert store.count(name, where={"author_id": APP.id}) == 0
        assert store.count(name, where={"author_id": OTHER.id}) > 0


def test_to_forget_what_is_not_there_removes_nothing() -> None:
    store = MemoryVectorStore()
    index(store, FILES)

    assert CodeVectorizer(store, HashingEmbedder()).forget(OTHER.id) == 0
    assert len(found(store, "login")) == 2
