from pathlib import Path

import pytest
import torch

from rag_llm_system.domain.errors import ConfigurationError, MissingFile
from rag_llm_system.model.finetuning.base_model import LoadedModel, load_base, make_scratch
from rag_llm_system.model.finetuning.chat_template import TRAINING_TEMPLATE
from rag_llm_system.model.finetuning.config import ScratchSettings
from rag_llm_system.model.quiet import quiet


def test_the_default_shape_is_a_llama_of_about_three_million_parameters():
    made = make_scratch(ScratchSettings(), ["a few words of text"], seed=0)

    embeddings = 1024 * 256
    own = len(made.tokenizer) * 256  # few words make few merges: the vocabulary stays small here
    parameters = sum(p.numel() for p in made.model.parameters()) - own + embeddings
    assert made.model.config.model_type == "llama"
    assert 3_000_000 < parameters < 3_300_000


def test_any_text_survives_the_tokenizer(tiny: LoadedModel):
    text = "Ünïcode 日本語 🎬\n\tdef f(x):\r\n  return x  # 12345"

    ids = tiny.tokenizer(text, add_special_tokens=False)["input_ids"]

    assert tiny.tokenizer.decode(ids) == text


def test_the_seed_makes_the_weights(tiny: LoadedModel, tiny_shape: ScratchSettings):
    texts = ["one", "two"]
    first, again, other = (make_scratch(tiny_shape, texts, seed=s) for s in (1, 1, 2))

    def weights(made: LoadedModel) -> torch.Tensor:
        return made.model.model.embed_tokens.weight

    assert torch.equal(weights(first), weights(again))
    assert not torch.equal(weights(first), weights(other))


def test_a_llama_3_folder_is_loaded_with_our_template(tiny: LoadedModel, tmp_path: Path):
    tiny.tokenizer.chat_template = "{{ 'Cutting Knowledge Date: December 2023' }}"
    with quiet():
        tiny.model.save_pretrained(tmp_path)
        tiny.tokenizer.save_pretrained(tmp_path)
        loaded = load_base(str(tmp_path), dtype=torch.float32)

    assert loaded.tokenizer.chat_template == TRAINING_TEMPLATE
    assert loaded.tokenizer.eos_token == "<|eot_id|>"


def test_a_folder_that_is_not_there_is_named():
    with pytest.raises(MissingFile, match=r"base '\./no/such': no such folder"):
        load_base("./no/such", dtype=torch.float32)


def test_a_folder_without_a_model_says_what_to_do(tmp_path: Path):
    with pytest.raises(ConfigurationError, match=r"HUGGINGFACE_ACCESS_TOKEN.*base: scratch"):
        load_base(str(tmp_path), dtype=torch.float32)
