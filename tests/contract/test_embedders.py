"""What every encoder promises."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from rag_llm_system.application.preprocessing.chunking_data_handlers import windows
from rag_llm_system.domain.errors import ConfigurationError, DataError
from rag_llm_system.domain.ports import Embedder, Role
from rag_llm_system.infrastructure.embedders import EMBEDDERS
from rag_llm_system.infrastructure.loading import load
from tests.embedding_server import embedding_server

TEXTS = ["How are models fine-tuned?", "Fine-tuning of models.", "Bread needs flour.", "x"]
ROLES: tuple[Role, ...] = ("document", "query")

Make = Callable[[], Embedder]


@pytest.fixture(scope="module", params=sorted(EMBEDDERS))
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    build = load("embedder", request.param, EMBEDDERS)
    if request.param not in {"openai", "ollama"}:
        yield build
        return
    opened = []

    def connect() -> Embedder:
        path = "/v1" if request.param == "openai" else ""
        opened.append(build("hashing", base_url=url + path, max_tokens=64))
        made: Embedder = opened[-1]
        return made

    with embedding_server() as (url, _):
        yield connect
        for embedder in opened:
            embedder.close()


@pytest.fixture(scope="module")
def embedder(make: Make) -> Embedder:
    return make()


@pytest.mark.parametrize("role", ROLES)
def test_vectors_have_the_dimension_and_length_one(embedder: Embedder, role: Role) -> None:
    vectors = embedder.embed(TEXTS, role=role)
    assert vectors.shape == (len(TEXTS), embedder.dimension)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_rows_stand_in_the_order_of_the_texts(embedder: Embedder) -> None:
    texts = [f"{'word ' * n}end" for n in (9, 1, 20, 5)]
    together = embedder.embed(texts)
    for text, vector in zip(texts, together, strict=True):
        assert np.allclose(embedder.embed([text])[0], vector, atol=1e-5)


def test_the_same_texts_give_the_same_bytes(embedder: Embedder, make: Make) -> None:
    first = embedder.embed(TEXTS).tobytes()
    assert embedder.embed(TEXTS).tobytes() == first
    assert make().embed(TEXTS).tobytes() == first


def test_the_revision_of_an_encoder_stays(embedder: Embedder, make: Make) -> None:
    assert isinstance(embedder.revision, str)
    assert make().revision == embedder.revision


def test_texts_that_share_words_are_closer(embedder: Embedder) -> None:
    vectors = embedder.embed(TEXTS)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]


@pytest.mark.parametrize("role", ROLES)
def test_no_texts_give_no_vectors(embedder: Embedder, role: Role) -> None:
    assert embedder.embed([], role=role).shape == (0, embedder.dimension)


def test_an_empty_text_has_a_vector(embedder: Embedder) -> None:
    assert np.isclose(np.linalg.norm(embedder.embed([""])), 1, atol=1e-5)


def test_token_spans_are_slices_in_order(embedder: Embedder) -> None:
    text = "Wörter, tokens  and\nlines: naïve `code()` 🙂 end"
    spans = embedder.token_spans(text)
    assert spans == sorted(spans)
    assert "".join(text[start:end] for start, end in spans).startswith("Wörter,tokens")


def test_a_text_over_the_limit_is_refused_and_its_windows_are_not(embedder: Embedder) -> None:
    text = "Chunking keeps unbelievably long antidisestablishmentarianism whole. " * 60
    with pytest.raises(DataError, match=r"tokens does not fit the encoder's \d+"):
        embedder.embed([text])
    spans = windows(text, embedder.max_tokens, 5, embedder.token_spans)
    parts = [text[start:end] for start, end in spans]
    for role in ROLES:
        assert embedder.embed(parts, role=role).shape[0] == len(parts) > 1


def test_an_encoder_that_is_not_there_is_named() -> None:
    encoder = load("embedder", "sentence-transformers", EMBEDDERS)
    with pytest.raises(ConfigurationError, match="TEXT_EMBEDDING_MODEL_ID"):
        encoder(model_id="/not/there")
