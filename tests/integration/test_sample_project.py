"""The sample project of the examples, asked as people ask, with the encoder that is installed with the project."""

import json
import subprocess
import sys

import pytest

from rag_llm_system.application.code.category import CODE_TABLE
from rag_llm_system.application.code.code_retriever import CodeRetriever
from rag_llm_system.application.code.miner import CodeMiner
from rag_llm_system.application.code.project import Project
from rag_llm_system.application.code.query_engine import CodeQueryEngine
from rag_llm_system.application.code.vectorizer import CodeVectorizer
from rag_llm_system.application.rag.extractive import ExtractiveWriter
from rag_llm_system.application.rag.reranking import LateInteraction
from rag_llm_system.application.rag.retriever import ContextRetriever
from rag_llm_system.infrastructure.embedders.sentence_transformer import SentenceTransformerEmbedder
from rag_llm_system.infrastructure.tracing.off import OffTracer
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from rag_llm_system.settings import PROJECT_ROOT

ACCOUNTS = PROJECT_ROOT / "examples" / "accounts"


@pytest.fixture(scope="module")
def engine() -> CodeQueryEngine:
    store, tracer = MemoryVectorStore(), OffTracer()
    embedder = SentenceTransformerEmbedder()
    project = Project(ACCOUNTS)
    CodeVectorizer(store, embedder).embed_and_store(CodeMiner(ACCOUNTS).mine(), project)
    reranking = LateInteraction(store, embedder)
    found = ContextRetriever(store, embedder, tracer, CODE_TABLE, reranking=reranking)
    retriever = CodeRetriever(found, store, tracer)
    return CodeQueryEngine(retriever, ExtractiveWriter(embedder), tracer)


@pytest.mark.parametrize(
    ("question", "file", "quoted"),
    [
        ("How does authentication work?", "auth.py", "def authenticate("),
        ("Where is a session ended?", "session.py", "_logout"),
        ("How long does a session last?", "session.py", "half an hour"),
        ("Which status code does a wrong name get?", "api.py", "UNAUTHORISED"),
        ("What is a password hashed with?", "auth.py", "def hash_password("),
        ("What does SessionStore.renew raise?", "session.py", "def renew("),
    ],
)
def test_a_question_names_the_file_first_and_quotes_the_lines(
    engine: CodeQueryEngine, question: str, file: str, quoted: str
) -> None:
    assert engine.search(question)[0].source_file == file
    answer = engine.query(question)
    assert answer.sources[0].source_file == file
    assert quoted in answer.text
    assert answer.grounded


def test_the_sample_project_runs() -> None:
    person = {"name": "Ada", "password": "correct horse battery"}
    requests = [
        {"action": "register", **person},
        {"action": "login", **person, "name": "ADA"},
        {"action": "login", **person, "password": "a wrong one, but long"},
        {"action": "profile", "token": "of nobody"},
        {"action": "login"},
        {"action": "dance"},
    ]
    told = subprocess.run(
        [sys.executable, "-B", "api.py", *map(json.dumps, requests)],
        cwd=ACCOUNTS,
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    responses = [json.loads(line) for line in told.stdout.splitlines()]
    assert [response["status"] for response in responses] == [200, 200, 401, 401, 400, 404]
    assert responses[1]["token"]
