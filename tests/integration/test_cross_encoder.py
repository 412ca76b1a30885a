"""Cross-encoders, made here: their scores are the library's, within their time."""

import time
from itertools import count
from pathlib import Path

import huggingface_hub
import pytest
import torch
from sentence_transformers import CrossEncoder

from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.infrastructure.rerankers.cross_encoder import CrossEncoderReranker
from tests.cross_encoders import save_cross_encoder

QUESTION = "what does bread need?"
TEXTS = [f"{'bread needs flour ' * n}retrieval" for n in range(20)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_cross_encoder(tmp_path_factory.mktemp("models") / "tiny")


def test_scores_are_the_sigmoid_of_the_library_s(folder: Path) -> None:
    logits = CrossEncoder(str(folder), device="cpu").predict(
        [(QUESTION, text) for text in TEXTS], activation_fn=torch.nn.Identity()
    )
    expected = torch.sigmoid(torch.from_numpy(logits)).tolist()
    scores = CrossEncoderReranker(str(folder), "cpu").score(QUESTION, TEXTS)
    assert scores == pytest.approx(expected, abs=1e-5)
    assert len({round(score, 4) for score in scores}) > 3


def test_what_cannot_be_scored_in_time_is_left_out_from_the_end(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_full = CrossEncoderReranker(str(folder), "cpu").score(QUESTION, TEXTS)
    seconds = count()  # each look at the clock is a second later
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(seconds)))
    for limit_s, texts in ((0.0, 8), (2.5, 16), (100.0, 20)):
        reranker = CrossEncoderReranker(str(folder), "cpu", time_limit_s=limit_s)
        scores = reranker.score(QUESTION, TEXTS)
        assert scores == pytest.approx(in_full[:texts], abs=1e-5)


@pytest.mark.parametrize("model_id", ["/not/there", "tiny/absent"])
def test_a_model_that_is_nowhere_is_named(
    model_id: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ConfigurationError, match=rf"'{model_id}' cannot.*RERANKER=late") as raised:
        CrossEncoderReranker(model_id, "cpu")
    assert "\n" not in str(raised.value)


def test_weights_and_devices_that_do_not_work_are_named(folder: Path, tmp_path: Path) -> None:
    for device in ("tpu9", "cuda:99"):
        with pytest.raises(ConfigurationError, match=r"tiny' cannot be loaded"):
            CrossEncoderReranker(str(folder), device)
    broken = save_cross_encoder(tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(ConfigurationError, match=r"broken' cannot be loaded"):
        CrossEncoderReranker(str(broken), "cpu")


def test_a_model_that_classifies_is_no_reranker(tmp_path: Path) -> None:
    folder = save_cross_encoder(tmp_path / "classes", classes=3)
    with pytest.raises(ConfigurationError, match="into 3 classes and is no reranker"):
        CrossEncoderReranker(str(folder), "cpu")
