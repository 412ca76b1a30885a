import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gguf import GGUFReader
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from rag_llm_system.domain.errors import ConfigurationError, DataError, MissingFile
from rag_llm_system.model.export.gguf import QUANTISATIONS, Quantisation, write_gguf
from rag_llm_system.model.finetuning.base_model import LoadedModel
from rag_llm_system.model.finetuning.chat_template import serving_template

Folder = Callable[..., Path]
IDS = torch.arange(6, 46).reshape(2, 20)
TEXT = "<|start_header_id|>user<|end_header_id|>\n\nIt's  12345 vectors: Über,\tnaïve.\n\n日本<|eot_id|>"
LLAMA_3_1 = {
    "rope_type": "llama3", "rope_theta": 500_000.0, "factor": 8.0, "low_freq_factor": 1.0,
    "high_freq_factor": 4.0, "original_max_position_embeddings": 64,
}  # fmt: skip


@pytest.fixture
def folder_of(tmp_path: Path) -> Folder:
    """A plain Transformers folder with the model; ``changed`` replaces settings before the weights are made."""

    def make(tiny: LoadedModel, **changed: Any) -> Path:
        model = tiny.model
        if changed:
            for name, value in changed.items():
                setattr(model.config, name, value)
            model = LlamaForCausalLM(model.config)
        folder = tmp_path / "plain"
        model.save_pretrained(folder)
        tiny.tokenizer.save_pretrained(folder)
        return folder

    return make


def read_back(file: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(
        file.parent, gguf_file=file.name, dtype=torch.float32
    )


def logits(model: Any) -> torch.Tensor:
    with torch.inference_mode():
        result: torch.Tensor = model.eval()(IDS).logits
    return result


@pytest.mark.parametrize(
    ("quantisation", "tolerance"), [("f16", 0.005), ("bf16", 0.05), ("q8_0", 0.1)]
)
def test_what_is_read_back_answers_as_the_model(
    folder_of: Folder,
    tiny: LoadedModel,
    tmp_path: Path,
    quantisation: Quantisation,
    tolerance: float,
) -> None:
    file = write_gguf(folder_of(tiny), tmp_path / "m.gguf", quantisation=quantisation)
    expected = logits(tiny.model)
    assert expected.std() > 0.3
    assert (logits(read_back(file.path)) - expected).abs().max() < tolerance
    assert file.size_bytes == file.path.stat().st_size
    assert file.warnings == ()


def test_untied_embeddings_and_several_key_heads_are_written(
    folder_of: Folder, tiny: LoadedModel, tmp_path: Path
) -> None:
    changes = {
        "tie_word_embeddings": False,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
    }
    folder = folder_of(tiny, **changes)
    file = write_gguf(folder, tmp_path / "m.gguf")
    expected = logits(AutoModelForCausalLM.from_pretrained(folder))
    assert (logits(read_back(file.path)) - expected).abs().max() < 0.005


def test_q8_0_takes_about_half_of_f16(folder_of: Folder, tiny: LoadedModel, tmp_path: Path) -> None:
    folder = folder_of(tiny, hidden_size=256, intermediate_size=512, head_dim=128)
    f16, q8_0 = (
        write_gguf(folder, tmp_path / f"{kind}.gguf", quantisation=kind).size_bytes
        for kind in ("f16", "q8_0")
    )
    assert 0.5 < q8_0 / f16 < 0.6


def test_rows_that_do_not_fill_blocks_are_not_quantised(
    folder_of: Folder, tiny: LoadedModel, tmp_path: Path
) -> None:
    folder = folder_of(tiny, intermediate_size=40)
    file = write_gguf(folder, tmp_path / "m.gguf", quantisation="q8_0")
    kinds = {t.name: t.tensor_type.name for t in GGUFReader(file.path).tensors}
    assert kinds["blk.0.ffn_down.weight"] == "F16"
    assert kinds["blk.0.ffn_up.weight"] == "Q8_0"
    assert kinds["blk.0.attn_norm.weight"] == "F32"


def test_the_tokenizer_is_read_back_with_the_same_tokens(
    folder_of: Folder, tiny: LoadedModel, tmp_path: Path
) -> None:
    file = write_gguf(folder_of(tiny), tmp_path / "m.gguf")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path, gguf_file=file.path.name)
    expected = tiny.tokenizer(TEXT, add_special_tokens=False)["input_ids"]
    assert tokenizer(TEXT, add_special_tokens=False)["input_ids"] == expected
    assert tokenizer.eos_token == "<|eot_id|>"
    assert tokenizer.chat_template == serving_template(tiny.tokenizer.chat_template)


def test_llama_cpp_is_told_how_to_split_and_that_the_template_begins_the_text(
    folder_of: Folder, tiny: LoadedModel, tmp_path: Path
) -> None:
    fields = GGUFReader(write_gguf(folder_of(tiny), tmp_path / "m.gguf", name="films").path).fields
    said = {name: fields[name].contents() for name in fields}
    assert said["general.name"] == "films"
    assert said["general.architecture"] == "llama"
    assert said["tokenizer.ggml.pre"] == "llama-bpe"
    assert said["tokenizer.ggml.add_bos_token"] is False
    assert said["tokenizer.ggml.eot_token_id"] == tiny.tokenizer.eos_token_id
    assert said["llama.rope.freq_base"] == 500_000.0


def test_the_rope_scaling_of_llama_3_1_is_what_the_model_divides_by(
    folder_of: Folder, tiny: LoadedModel, tmp_path: Path
) -> None:
    folder = folder_of(tiny, rope_parameters=LLAMA_3_1)
    tensors = {
        t.name: t.data for t in GGUFReader(write_gguf(folder, tmp_path / "m.gguf").path).tensors
    }
    factors = np.array(tensors["rope_freqs.weight"])
    assert factors[0] == 1  # fast pairs are kept
    assert factors[-1] == pytest.approx(8)  # slow ones are divided by the factor
    plain = 1 / 500_000.0 ** (np.arange(0, 32, 2) / 32)
    expected = LlamaRotaryEmbedding(tiny.model.config).inv_freq.numpy()
    assert plain / factors == pytest.approx(expected, rel=1e-5)


def test_a_model_without_scaling_has_no_factors(
    folder_of: Folder, tiny: LoadedModel, tmp_path: Path
) -> None:
    reader = GGUFReader(write_gguf(folder_of(tiny), tmp_path / "m.gguf").path)
    assert "rope_freqs.weight" not in {t.name for t in reader.tensors}


def test_rows_of_the_embedding_without_a_token_are_unused_tokens(
    folder_of: Folder, tiny: LoadedModel, tmp_path: Path
) -> None:
    size = len(tiny.tokenizer) + 15
    file = write_gguf(folder_of(tiny, vocab_size=size), tmp_path / "m.gguf")
    tokens = GGUFReader(file.path).fields["tokenizer.ggml.tokens"].contents()
    assert len(tokens) == size
    assert tokens[-1] == f"[PAD{size - 1}]"


def test_a_tokenizer_that_llama_cpp_does_not_know_is_warned_about(
    folder_of: Folder, tiny: LoadedModel, tmp_path: Path
) -> None:
    folder = folder_of(tiny)
    path = folder / "tokenizer.json"
    path.write_text(path.read_text(encoding="utf-8").replace("{1,3}", "{1,2}"), encoding="utf-8")
    file = write_gguf(folder, tmp_path / "m.gguf")
    assert len(file.warnings) == 1
    assert "no name for how this tokenizer splits" in file.warnings[0]


def test_tokens_that_their_own_text_does_not_give_are_warned_about(
    folder_of: Folder, tiny: LoadedModel, tmp_path: Path
) -> None:
    folder = folder_of(tiny)
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["model"]["merges"].pop()  # the last merge makes a token that no other is made of
    path.write_text(json.dumps(content), encoding="utf-8")
    file = write_gguf(folder, tmp_path / "m.gguf")
    assert len(file.warnings) == 1
    assert "and 1 tokens of this tokenizer" in file.warnings[0]


def test_a_file_that_is_there_stays_when_the_export_fails(
    folder_of: Folder, tiny: LoadedModel, tmp_path: Path
) -> None:
    folder, file = folder_of(tiny), tmp_path / "out" / "m.gguf"
    write_gguf(folder, file)
    before = file.read_bytes()
    weights = load_file(folder / "model.safetensors")
    weights["model.layers.1.mlp.up_proj.weight"] = torch.full_like(
        weights["model.layers.1.mlp.up_proj.weight"], 1e6
    )
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(DataError, match="bf16"):
        write_gguf(folder, file)
    assert [p.name for p in file.parent.iterdir()] == ["m.gguf"]
    assert file.read_bytes() == before
    assert write_gguf(folder, file, quantisation="bf16").size_bytes > 0


def test_another_architecture_is_refused_by_name(
    folder_of: Folder, tiny: LoadedModel, tmp_path: Path
) -> None:
    folder = folder_of(tiny)
    config = folder / "config.json"
    config.write_text(
        config.read_text(encoding="utf-8").replace('"model_type": "llama"', '"model_type": "gpt2"'),
        encoding="utf-8",
    )
    with pytest.raises(ConfigurationError, match=r"'gpt2'.*supported: llama"):
        write_gguf(folder, tmp_path / "m.gguf")


def test_a_rope_scaling_that_is_not_constant_is_refused(
    folder_of: Folder, tiny: LoadedModel, tmp_path: Path
) -> None:
    folder = folder_of(
        tiny, rope_parameters={"rope_type": "dynamic", "rope_theta": 1e4, "factor": 2.0}
    )
    with pytest.raises(ConfigurationError, match="rope_type 'dynamic'"):
        write_gguf(folder, tmp_path / "m.gguf")


def test_an_adapter_that_is_not_merged_is_refused(
    folder_of: Folder, tiny: LoadedModel, tmp_path: Path
) -> None:
    folder = folder_of(tiny)
    save_file({"base_model.q_proj.lora_A.weight": torch.ones(2, 2)}, folder / "more.safetensors")
    with pytest.raises(ConfigurationError, match="lora_A"):
        write_gguf(folder, tmp_path / "m.gguf")
    (folder / "more.safetensors").unlink()
    (folder / "model.safetensors").unlink()
    with pytest.raises(MissingFile, match="safetensors"):
        write_gguf(folder, tmp_path / "m.gguf")


def test_a_tokenizer_with_more_tokens_than_the_model_is_refused(
    folder_of: Folder, tiny: LoadedModel, tmp_path: Path
) -> None:
    folder = folder_of(tiny, vocab_size=300)
    with pytest.raises(DataError, match="do not belong together"):
        write_gguf(folder, tmp_path / "m.gguf")


def test_a_tokenizer_of_another_kind_is_refused(
    folder_of: Folder, tiny: LoadedModel, tmp_path: Path
) -> None:
    folder = folder_of(tiny)
    other = Tokenizer(models.WordLevel({"a": 0, "b": 1}, unk_token="a"))
    other.decoder = decoders.WordPiece()
    other.save(str(folder / "tokenizer.json"))
    with pytest.raises(ConfigurationError, match="WordLevel"):
        write_gguf(folder, tmp_path / "m.gguf")


def test_the_quantisations_are_named() -> None:
    assert QUANTISATIONS == ("f16", "bf16", "q8_0")
