"""Token vectors on disk: what fills them, what reads them, what is forgotten."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from rag_llm_system.domain.chunks import TokenVectors, Vectors
from rag_llm_system.domain.errors import BackendError
from rag_llm_system.domain.ports import Role, TokenEmbedder
from rag_llm_system.infrastructure.embedders.cache import CachedEmbedder
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.embedders.token_cache import CachedTokenEmbedder

DAY_S = 86_400


class Counted(HashingEmbedder):
    """Remembers what it was asked for, and in how many passes."""

    def __init__(self, model_id: str = "counted", engine: str = "") -> None:
        super().__init__(model_id, dimension=256)
        self.engine, self.asked, self.passes = engine, list[str](), 0

    def embed_with_tokens(
        self, texts: Sequence[str], *, role: Role = "document"
    ) -> tuple[Vectors, Sequence[TokenVectors]]:
        self.asked += texts
        self.passes += 1
        return super().embed_with_tokens(texts, role=role)


@pytest.fixture
def inner() -> Counted:
    return Counted()


@pytest.fixture
def cached(inner: Counted, tmp_path: Path) -> Iterator[CachedTokenEmbedder]:
    opened = CachedTokenEmbedder(inner, tmp_path / "made" / "tokens.sqlite")
    yield opened
    opened.close()


def same(one: TokenVectors, other: TokenVectors) -> bool:
    return np.array_equal(one.tokens, other.tokens) and np.array_equal(one.vectors, other.vectors)


def test_it_stands_for_its_encoder(cached: CachedTokenEmbedder, inner: Counted) -> None:
    assert (cached.model_id, cached.revision) == (inner.model_id, inner.revision)
    assert (cached.dimension, cached.max_tokens) == (inner.dimension, inner.max_tokens)
    assert cached.token_spans("two words") == inner.token_spans("two words")
    assert np.array_equal(cached.tokens(["two words"])[0], inner.tokens(["two words"])[0])
    assert cached.embed([]).shape == (0, inner.dimension)
    assert cached.embed_tokens([]) == []
    assert np.array_equal(cached.embed(["a b"]), inner.embed(["a b"]))


def test_only_what_keeps_token_vectors_says_so(
    cached: CachedTokenEmbedder, inner: Counted, tmp_path: Path
) -> None:
    assert isinstance(cached, TokenEmbedder)
    assert not isinstance(CachedEmbedder(inner, tmp_path / "vectors.sqlite"), TokenEmbedder)


def test_what_was_embedded_is_not_computed_again_for_its_tokens(
    cached: CachedTokenEmbedder, inner: Counted, tmp_path: Path
) -> None:
    cached.embed(["bread needs flour", "", "retrieval finds passages"])
    inner.asked.clear()
    found = cached.embed_tokens(["retrieval finds passages", "", "bread needs flour"])
    assert [len(text.tokens) for text in found] == [3, 0, 3]
    other = Counted()
    again = CachedTokenEmbedder(other, tmp_path / "made" / "tokens.sqlite")
    assert all(map(same, again.embed_tokens(["bread needs flour"]), found[2:]))
    again.close()
    assert inner.asked == other.asked == []


def test_what_is_missing_is_computed_once_and_is_the_same_when_read(
    cached: CachedTokenEmbedder, inner: Counted
) -> None:
    cached.embed(["b"])
    inner.asked.clear()
    made = cached.embed_tokens(["a", "b", "a", "c"])
    assert inner.asked == ["a", "c"]
    assert all(map(same, made, cached.embed_tokens(["a", "b", "a", "c"])))
    assert inner.asked == ["a", "c"]
    exact = inner.embed_tokens(["a", "b", "a", "c"])
    assert [t.tokens.tolist() for t in made] == [t.tokens.tolist() for t in exact]
    assert all(m.vectors.argmax() == e.vectors.argmax() for m, e in zip(made, exact, strict=True))


def test_both_come_from_one_pass_and_agree_with_each_alone(
    cached: CachedTokenEmbedder, inner: Counted
) -> None:
    vectors, tokens = cached.embed_with_tokens(["a b", "c"])
    assert inner.passes == 1
    assert np.array_equal(vectors, inner.embed(["a b", "c"]))
    assert all(map(same, tokens, cached.embed_tokens(["a b", "c"])))


def test_questions_are_passed_on_and_not_kept(
    cached: CachedTokenEmbedder, inner: Counted, tmp_path: Path
) -> None:
    assert np.array_equal(cached.embed(["who?"], role="query"), inner.embed(["who?"], role="query"))
    assert same(
        cached.embed_tokens(["who?"], role="query")[0],
        inner.embed_tokens(["who?"], role="query")[0],
    )
    cached.embed_with_tokens(["who?"], role="query")
    assert not (tmp_path / "made").exists()


def test_behind_the_cache_of_vectors_it_is_filled_by_what_is_new_there(
    cached: CachedTokenEmbedder, inner: Counted, tmp_path: Path
) -> None:
    before = CachedEmbedder(Counted(), tmp_path / "vectors.sqlite")
    before.embed(["old"])
    before.close()
    whole = CachedEmbedder(cached, tmp_path / "vectors.sqlite")
    whole.embed(["old", "new"])
    assert inner.asked == ["new"]
    cached.embed_tokens(["new"])
    assert inner.asked == ["new"]
    cached.embed_tokens(["old"])
    assert inner.asked == ["new", "old"]
    whole.close()


def test_engines_and_models_have_their_own(cached: CachedTokenEmbedder, tmp_path: Path) -> None:
    cached.embed(["a"])
    for other in (Counted(engine="cpu float32"), Counted(model_id="another")):
        opened = CachedTokenEmbedder(other, tmp_path / "made" / "tokens.sqlite")
        opened.embed_tokens(["a"])
        opened.close()
        assert other.asked == ["a"]


def test_many_texts_are_not_in_memory_at_once(cached: CachedTokenEmbedder, inner: Counted) -> None:
    texts = [str(i) for i in range(600)]
    assert np.array_equal(cached.embed(texts), inner.embed(texts))
    assert inner.passes == 3
    assert cached.forget(texts) == 600


def test_a_forgotten_text_leaves_nothing_on_the_disk(
    cached: CachedTokenEmbedder, inner: Counted, tmp_path: Path
) -> None:
    cached.embed(["gone", "kept"])
    assert cached.forget(["gone", "never there"]) == 1
    on_disk = b"".join(file.read_bytes() for file in (tmp_path / "made").iterdir())
    for text, there in (("gone", False), ("kept", True)):
        assert (inner.embed_tokens([text])[0].tokens.tobytes() in on_disk) is there
    inner.asked.clear()
    cached.embed_tokens(["gone", "kept"])
    assert inner.asked == ["gone"]


def test_what_was_not_used_for_longest_makes_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = Counted()
    cached = CachedTokenEmbedder(inner, tmp_path / "tokens.sqlite", limit_mb=1)
    monkeypatch.setattr(time, "time", lambda: 1.0 * DAY_S)
    cached.embed(["used again", "used once", *(f"{'word ' * 20}{i}" for i in range(250))])
    monkeypatch.setattr(time, "time", lambda: 2.0 * DAY_S)
    cached.embed_tokens(["used again"])
    cached.embed([f"{'new ' * 20}{i}" for i in range(200)])
    inner.asked.clear()
    cached.embed_tokens(["used again", "used once"])
    assert inner.asked == ["used once"]
    cached.close()


def test_a_damaged_file_is_set_aside_with_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "tokens.sqlite"
    path.write_bytes(b"no database at all" * 100)
    cached = CachedTokenEmbedder(Counted(), path)
    cached.embed_tokens(["a"])
    cached.embed_tokens(["a"])
    cached.close()
    (record,) = caplog.records
    assert "cache of token vectors" in record.getMessage()
    assert (tmp_path / "tokens.damaged-1").exists()


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "tokens.sqlite").mkdir()
    with pytest.raises(BackendError, match=r"tokens\.sqlite.*TOKEN_VECTORS_MB=0"):
        CachedTokenEmbedder(Counted(), tmp_path / "tokens.sqlite").embed_tokens(["a"])
