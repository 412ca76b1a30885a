"""What every encoder promises that gives the vectors of single tokens, with and without a cache in front of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag_llm_system.domain.errors import DataError
from rag_llm_system.domain.ports import Role, TokenEmbedder
from rag_llm_system.infrastructure.embedders import EMBEDDERS
from rag_llm_system.infrastructure.embedders.token_cache import CachedTokenEmbedder
from rag_llm_system.infrastructure.loading import load

TEXTS = ["How are models fine-tuned?", "Fine-tuning of models.", "", "Bread needs flour. " * 7, "x"]
ROLES: tuple[Role, ...] = ("document", "query")
WITH_TOKENS = ("hashing", "sentence-transformers")


@pytest.fixture(scope="module", params=WITH_TOKENS)
def inner(request: pytest.FixtureRequest) -> Any:
    return load("embedder", request.param, EMBEDDERS)()


@pytest.fixture(scope="module", params=["bare", "cached"])
def embedder(
    request: pytest.FixtureRequest, inner: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    if request.param == "bare":
        yield inner
        return
    folder: Path = tmp_path_factory.mktemp("cache")
    cached = CachedTokenEmbedder(inner, folder / "token_vectors.sqlite")
    yield cached
    cached.close()


def test_it_says_that_it_has_them(embedder: Any) -> None:
    assert isinstance(embedder, TokenEmbedder)


def test_others_say_that_they_have_none() -> None:
    for name in sorted(set(EMBEDDERS) - set(WITH_TOKENS)):
        assert not isinstance(load("embedder", name, EMBEDDERS)("any"), TokenEmbedder)


@pytest.mark.parametrize("role", ROLES)
def test_each_token_of_a_text_has_a_vector_of_length_one(embedder: Any, role: Role) -> None:
    found = embedder.embed_tokens(TEXTS, role=role)
    for text, (tokens, vectors) in zip(TEXTS, found, strict=True):
        assert tokens.shape == (len(embedder.token_spans(text)),)
        assert tokens.dtype == np.int32
        assert vectors.shape == (len(tokens), vectors.shape[1])
        assert vectors.dtype == np.float32
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)


@pytest.mark.parametrize("role", ROLES)
def test_both_ways_from_one_pass_agree_with_each_alone(embedder: Any, role: Role) -> None:
    vectors, tokens = embedder.embed_with_tokens(TEXTS, role=role)
    assert np.array_equal(vectors, embedder.embed(TEXTS, role=role))
    for one, other in zip(tokens, embedder.embed_tokens(TEXTS, role=role), strict=True):
        assert np.array_equal(one.tokens, other.tokens)
        assert np.array_equal(one.vectors, other.vectors)


def test_tokens_are_those_of_the_vectors_and_may_be_more_than_fit(embedder: Any) -> None:
    found = embedder.tokens(TEXTS)
    for one, other in zip(found, embedder.embed_tokens(TEXTS), strict=True):
        assert one.dtype == np.int32
        assert np.array_equal(one, other.tokens)
    (long,) = embedder.tokens(["word " * (2 * embedder.max_tokens)])
    assert long.shape == (2 * embedder.max_tokens,)


def test_the_same_token_has_the_same_number(embedder: Any) -> None:
    (text,) = embedder.embed_tokens(["flour and flour"])
    assert text.tokens[0] == text.tokens[2] != text.tokens[1]


def test_tokens_of_a_question_find_their_own_among_others(embedder: Any) -> None:
    (question,) = embedder.embed_tokens(["fine-tuned models"], role="query")
    about, other = embedder.embed_tokens(["Models are fine-tuned", "Bread needs flour"])
    best = [(question.vectors @ text.vectors.T).max(1).mean() for text in (about, other)]
    assert best[0] > best[1] + 0.2


@pytest.mark.parametrize("role", ROLES)
def test_no_texts_have_no_tokens(embedder: Any, role: Role) -> None:
    assert list(embedder.embed_tokens([], role=role)) == []
    vectors, tokens = embedder.embed_with_tokens([], role=role)
    assert vectors.shape == (0, embedder.dimension)
    assert list(tokens) == []


def test_a_text_over_the_limit_is_refused(embedder: Any) -> None:
    with pytest.raises(DataError, match="tokens does not fit the encoder's"):
        embedder.embed_tokens(["word " * (embedder.max_tokens + 1)])
