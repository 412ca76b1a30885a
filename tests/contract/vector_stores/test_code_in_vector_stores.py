"""Code bases are indexed, found by their symbols and forgotten in stores that filter in different ways."""

from contextlib import closing
from pathlib import Path

import pytest

from rag_llm_system.application.code.category import CODE_TABLE
from rag_llm_system.application.code.project import Project
from rag_llm_system.application.code.vectorizer import CodeVectorizer, code_bases
from rag_llm_system.application.rag.retriever import ContextRetriever
from rag_llm_system.domain.ports import VectorStore
from rag_llm_system.domain.queries import Query
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.tracing.off import OffTracer
from tests.contract.vector_stores.cases import open_backend
from tests.unit.application.code.code_files import code_files

APP, OTHER = Project(Path("/here/app")), Project(Path("/there/app"))
FILES = {
    "auth.py": "def login(user):\n    return check(user)\n",
    "session.py": "class Session:\n    def renew(self):\n        return 1\n",
}


# what a backend needs to be opened and published costs more here than all else: those where it is cheap
@pytest.mark.parametrize("backend", ["memory", "faiss", "chroma"])
def test_a_code_base_is_indexed_followed_and_forgotten(backend: str, tmp_path: Path) -> None:
    with closing(open_backend(backend, tmp_path / "store")) as store:
        _goes_through_its_life(store)


def _goes_through_its_life(store: VectorStore) -> None:
    vectorizer = CodeVectorizer(store, HashingEmbedder())
    retriever = ContextRetriever(store, HashingEmbedder(), OffTracer(), CODE_TABLE)
    vectorizer.embed_and_store(code_files(FILES), OTHER)
    vectorizer.embed_and_store(code_files(FILES), APP)

    edited = {"auth.py": FILES["auth.py"], "tokens.py": FILES["session.py"].replace("1", "2")}
    report = vectorizer.embed_and_store(code_files(edited), APP)
    found = retriever.search(Query(text="renew", where={"symbols": ["Session.renew"]}), 5)

    assert (report.unchanged, report.embedded_files, report.removed_files) == (1, 1, 1)
    assert {c.link for c in found} == {"file:///here/app/tokens.py", "file:///there/app/session.py"}
    assert {c.symbols for c in found} == {("Session", "Session.renew", "renew")}

    vectorizer.forget(OTHER.id)

    assert [(one.id, one.files, one.chunks) for one in code_bases(store)] == [(APP.id, 2, 2)]
    assert {c.source_file for c in retriever.search(Query(text="login"), 5)} == set(edited)
