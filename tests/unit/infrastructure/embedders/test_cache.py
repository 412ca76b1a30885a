"""The cache of vectors: what it answers itself, what it loses, and what it survives."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.errors import BackendError
from rag_llm_system.domain.ports import Role
from rag_llm_system.infrastructure.embedders.cache import CachedEmbedder, CacheReport
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.settings import PROJECT_ROOT

DAY_S = 86_400


class Counted(HashingEmbedder):
    """Remembers what it was asked for; a query's vector is another one than a document's."""

    def __init__(self, model_id: str = "counted", engine: str = "") -> None:
        super().__init__(model_id, dimension=256)
        self.engine, self.asked = engine, list[str]()

    def embed(self, texts: Sequence[str], *, role: Role = "document") -> Vectors:
        self.asked += texts
        vectors = super().embed(texts)
        return vectors if role == "document" else -vectors


@pytest.fixture
def inner() -> Counted:
    return Counted()


@pytest.fixture
def cached(inner: Counted, tmp_path: Path) -> Iterator[CachedEmbedder]:
    opened = CachedEmbedder(inner, tmp_path / "made" / "vectors.sqlite")
    yield opened
    opened.close()


def again(tmp_path: Path, inner: HashingEmbedder, *texts: str, role: Role = "document") -> Vectors:
    opened = CachedEmbedder(inner, tmp_path / "made" / "vectors.sqlite")
    try:
        return opened.embed(texts, role=role)
    finally:
        opened.close()


def test_it_stands_for_its_encoder(cached: CachedEmbedder, inner: Counted) -> None:
    assert (cached.model_id, cached.revision) == (inner.model_id, inner.revision)
    assert (cached.dimension, cached.max_tokens) == (inner.dimension, inner.max_tokens)
    assert cached.token_spans("two words") == inner.token_spans("two words")
    assert cached.embed([]).shape == (0, inner.dimension)


def test_a_text_is_embedded_once_even_by_another_process(
    cached: CachedEmbedder, tmp_path: Path
) -> None:
    first = cached.embed(["one", "two"])
    other = Counted()
    assert again(tmp_path, other, "two", "one").tobytes() == first[::-1].tobytes()
    assert other.asked == []


def test_rows_stand_in_the_order_of_the_texts_and_clones_are_free(
    cached: CachedEmbedder, inner: Counted
) -> None:
    cached.embed(["b"])
    vectors = cached.embed(["a", "b", "a", "c"])
    assert np.array_equal(vectors, HashingEmbedder(dimension=256).embed(["a", "b", "a", "c"]))
    assert inner.asked == ["b", "a", "c"]
    assert cached.report == CacheReport(hits=2, misses=3)


def test_more_texts_than_one_statement_takes(cached: CachedEmbedder) -> None:
    texts = [str(i) for i in range(1201)]
    assert np.array_equal(cached.embed(texts), cached.embed(texts))
    assert cached.report == CacheReport(hits=1201, misses=1201)
    assert cached.forget(texts) == 1201


def test_roles_engines_and_models_have_their_own_vectors(
    cached: CachedEmbedder, tmp_path: Path
) -> None:
    document = cached.embed(["a"])
    assert np.array_equal(cached.embed(["a"], role="query"), -document)
    for other in (Counted(engine="cpu float32"), Counted(model_id="another")):
        again(tmp_path, other, "a")
        assert other.asked == ["a"]


def test_a_forgotten_text_leaves_no_vector_on_the_disk(
    cached: CachedEmbedder, inner: Counted, tmp_path: Path
) -> None:
    gone = cached.embed(["gone"])[0]
    cached.embed(["gone"], role="query")
    cached.embed(["kept"])
    assert cached.forget(["gone", "never there"]) == 2
    on_disk = b"".join(file.read_bytes() for file in (tmp_path / "made").iterdir())
    assert gone.tobytes() not in on_disk
    assert inner.embed(["kept"])[0].tobytes() in on_disk
    inner.asked.clear()
    cached.embed(["gone", "kept"])
    assert inner.asked == ["gone"]


def test_what_was_not_used_for_longest_makes_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = Counted()
    cached = CachedEmbedder(inner, tmp_path / "vectors.sqlite", limit_mb=1)
    monkeypatch.setattr(time, "time", lambda: 1.0 * DAY_S)
    cached.embed(["used again", "used once", *(f"old {i}" for i in range(500))])
    monkeypatch.setattr(time, "time", lambda: 2.0 * DAY_S)
    cached.embed(["used again"])
    cached.embed([f"new {i}" for i in range(500)])
    inner.asked.clear()
    cached.embed(["used again", "used once", "new 0"])
    assert inner.asked == ["used once"]
    cached.close()
    assert (tmp_path / "vectors.sqlite").stat().st_size < 1_800_000


@pytest.mark.parametrize(
    "damage", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4000]
)
def test_a_damaged_file_is_set_aside_with_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: bytes
) -> None:
    path = tmp_path / "vectors.sqlite"
    for _ in range(2):
        path.write_bytes(damage)
        caplog.clear()
        cached = CachedEmbedder(Counted(), path)
        cached.embed(["a"])
        cached.embed(["a"])
        assert cached.report == CacheReport(hits=1, misses=1)
        cached.close()
        (record,) = caplog.records
        assert "vectors.sqlite is damaged" in record.getMessage()
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "vectors.damaged-1",
        "vectors.damaged-2",
        "vectors.sqlite",
    ]


def test_pages_that_went_bad_under_a_running_cache_cost_no_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "vectors.sqlite"
    texts = [str(i) for i in range(300)]
    first = CachedEmbedder(Counted(), path)
    vectors = first.embed(texts)
    first.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * 4096 * 20)
    second = CachedEmbedder(Counted(), path)
    assert np.array_equal(second.embed(texts), vectors)
    second.close()
    assert len(caplog.records) == 1


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "vectors.sqlite").mkdir()
    with pytest.raises(BackendError, match=r"vectors\.sqlite.*EMBEDDING_CACHE_MB=0"):
        CachedEmbedder(Counted(), tmp_path / "vectors.sqlite").embed(["a"])


_WRITER = """
import sys
from pathlib import Path
from rag_llm_system.infrastructure.embedders.cache import CachedEmbedder
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
cached = CachedEmbedder(HashingEmbedder(), Path(sys.argv[1]))
for n in range(int(sys.argv[3])):
    cached.embed([f"{sys.argv[2]} {n} {i}" for i in range(20)])
    print(n, flush=True)
"""


def writer(path: Path, name: str, calls: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _WRITER, str(path), name, str(calls)]
    return subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True)


def test_what_a_killed_process_stored_is_there(tmp_path: Path) -> None:
    path = tmp_path / "vectors.sqlite"
    with writer(path, "killed", 100_000) as process:
        assert process.stdout
        stored = [int(process.stdout.readline()) for _ in range(30)]
        process.kill()
    cached = CachedEmbedder(HashingEmbedder(), path)
    cached.embed([f"killed {n} {i}" for n in stored for i in range(20)])
    cached.close()
    assert cached.report == CacheReport(hits=600, misses=0)


def test_processes_share_one_file(tmp_path: Path) -> None:
    path = tmp_path / "vectors.sqlite"
    running = [writer(path, "shared", 40) for _ in range(3)]
    for process in running:
        process.communicate()
    assert [process.returncode for process in running] == [0, 0, 0]
    cached = CachedEmbedder(HashingEmbedder(), path)
    cached.embed([f"shared {n} {i}" for n in range(40) for i in range(20)])
    cached.close()
    assert cached.report.misses == 0
