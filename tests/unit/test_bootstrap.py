"""The wiring: nothing is built before it is used, and a wrong setting is named where it is needed."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from rag_llm_system.application.rag.answer import LLMWriter
from rag_llm_system.application.rag.extractive import ExtractiveWriter
from rag_llm_system.bootstrap import System, build, vector_store
from rag_llm_system.domain.documents import Author
from rag_llm_system.domain.errors import ConfigurationError, CrawlError, UnknownName
from rag_llm_system.domain.ports import CollectionSpec, Record
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from rag_llm_system.settings import Settings

QUICK = {"VECTOR_STORE": "memory", "EMBEDDER": "hashing", "TRACING": "off"}
SCRIPTED = "rag_llm_system.infrastructure.llms.scripted:ScriptedLLM"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))


def system(**settings: Any) -> System:
    return build(Settings(**{**QUICK, **settings}))


def test_building_opens_nothing(tmp_path: Path) -> None:
    with build(Settings(DATABASE_HOST="mongodb://db.invalid", EMBEDDER="unknown")):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_question_opens_no_data_warehouse(tmp_path: Path) -> None:
    with system(DATABASE_HOST="mongodb://db.invalid") as built:
        assert built.retriever
        assert isinstance(built.writer, ExtractiveWriter)
    assert list(tmp_path.iterdir()) == []


def test_every_part_is_built_once() -> None:
    with system() as built:
        assert isinstance(built.embedder, HashingEmbedder)
        assert isinstance(built.vectors, MemoryVectorStore)
        assert built.embedder is built.embedder
        assert built.vectors is built.vectors
        assert built.indexer() is not built.indexer()


def test_what_was_opened_is_closed_and_closing_twice_does_nothing_more() -> None:
    point = Record(id=str(UUID(int=1)), payload={})
    for built in (system(VECTOR_STORE="qdrant"), system(VECTOR_STORE="qdrant")):
        built.vectors.ensure("cleaned_posts", CollectionSpec())
        built.vectors.upsert("cleaned_posts", [point])  # StoreLocked if the first still held it
        built.close()
        built.close()


@pytest.mark.parametrize(
    ("setting", "part", "message"),
    [
        (
            "LLM_BACKEND",
            "writer",
            "unknown LLM backend 'nothing'; known: extractive, local, ollama, openai, sagemaker",
        ),
        (
            "EMBEDDER",
            "embedder",
            "unknown embedder 'nothing'; known: hashing, ollama, openai, sent",
        ),
        ("VECTOR_STORE", "vectors", "unknown vector store 'nothing'; known: .*memory, qdrant"),
    ],
)
def test_an_unknown_backend_is_named_with_the_known_ones(
    setting: str, part: str, message: str
) -> None:
    with system(**{setting: "nothing"}) as built, pytest.raises(UnknownName, match=message):
        getattr(built, part)


@pytest.mark.parametrize(
    "path", ["no_such_package.module:Class", "rag_llm_system.settings:Nothing"]
)
def test_a_path_that_leads_nowhere_is_an_unknown_name(path: str) -> None:
    with system(LLM_BACKEND=path) as built, pytest.raises(UnknownName, match=path):
        _ = built.writer


@pytest.mark.parametrize("backend", ["scripted", SCRIPTED])
def test_a_backend_is_a_known_name_or_a_path(backend: str) -> None:
    with system(LLM_BACKEND=backend) as built:
        assert isinstance(built.writer, LLMWriter)
        assert built.writer.model_id == "scripted"


def test_the_settings_of_a_backend_reach_it() -> None:
    address = "http://127.0.0.1:11434/v1"
    with system(LLM_BACKEND="openai", OPENAI_BASE_URL=address, OPENAI_MODEL_ID="llama") as built:
        assert built.writer.model_id == "llama"


def test_openai_itself_needs_a_key() -> None:
    with (
        system(LLM_BACKEND="openai") as built,
        pytest.raises(ConfigurationError, match="LLM_BACKEND=openai needs OPENAI_API_KEY"),
    ):
        _ = built.writer


def test_the_qdrant_cloud_needs_an_address() -> None:
    with (
        build(Settings(USE_QDRANT_CLOUD=True)) as built,
        pytest.raises(ConfigurationError, match="set QDRANT_CLOUD_URL too"),
    ):
        _ = built.vectors


@pytest.mark.parametrize(
    ("backend", "kind"),
    [("qdrant", "QdrantEdgeAdapter"), ("faiss", "FAISSAdapter"), ("chroma", "ChromaAdapter")],
)
def test_a_store_of_this_machine_keeps_its_files_in_the_data_directory(
    backend: str, kind: str, tmp_path: Path
) -> None:
    with system(VECTOR_STORE=backend) as built:
        assert type(built.vectors).__name__ == kind
        built.vectors.ensure("cleaned_posts", CollectionSpec())
    assert [path.name for path in (tmp_path / "data").iterdir()] == [backend]


def test_another_store_than_the_one_in_use_is_opened_by_name(tmp_path: Path) -> None:
    settings = Settings(VECTOR_STORE="memory")
    store = vector_store(settings, "qdrant", path=tmp_path / "elsewhere")
    store.ensure("cleaned_posts", CollectionSpec())
    store.close()
    assert (tmp_path / "elsewhere").is_dir()
    with pytest.raises(ConfigurationError, match="'memory' has no folder"):
        vector_store(settings, path=tmp_path)


def test_the_settings_of_an_encoder_on_a_server_reach_it() -> None:
    with system(
        EMBEDDER="ollama", TEXT_EMBEDDING_MODEL_ID="bge-large", EMBEDDING_MAX_TOKENS=300
    ) as built:
        assert built.embedder.model_id == "bge-large"
        assert built.embedder.max_tokens == 298  # the model adds two of its own


def test_questions_are_not_kept_and_documents_are(tmp_path: Path) -> None:
    with system(EMBEDDER="sentence-transformers") as built:
        assert built.embedding_cache is not None
        assert built.embedder is not built.embedding_cache
    with system(EMBEDDER="sentence-transformers", EMBEDDING_CACHE_MB=0) as built:
        assert built.embedding_cache is None


@pytest.mark.parametrize("link", ["file:posts.jsonl", "file:export.zip", "git+file:."])
def test_files_of_this_machine_are_crawled_only_when_allowed(link: str) -> None:
    with (
        system() as built,
        built.crawlers() as dispatcher,
        pytest.raises(CrawlError, match="are not allowed here"),
    ):
        list(dispatcher.crawler_for(link).crawl(link, Author.named("Ada Test"), None))


@pytest.mark.parametrize(
    ("link", "kind"),
    [
        ("https://github.com/a/b", "GithubCrawler"),
        ("git+https://git.example/a/b", "GithubCrawler"),
        ("file:a.jsonl", "LocalFileCrawler"),
        ("file:export.zip", "LocalFileCrawler"),
        ("https://a.example/", "CustomArticleCrawler"),
        ("https://medium.com/@ada/story-1", "MediumCrawler"),
        ("https://ada.medium.com/story-1", "MediumCrawler"),
        ("https://ada.substack.com/p/story", "SubstackCrawler"),
        ("https://www.linkedin.com/posts/ada-1", "LinkedInCrawler"),
        ("list+https://a.example/", "ListingCrawler"),
        ("https://github.com.evil.example/a/b", "CustomArticleCrawler"),
    ],
)
def test_every_kind_of_link_has_its_crawler(link: str, kind: str) -> None:
    with system() as built, built.crawlers() as dispatcher:
        assert type(dispatcher.crawler_for(link)).__name__ == kind
