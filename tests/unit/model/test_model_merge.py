import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from rag_llm_system.domain.errors import ConfigurationError, MissingFile
from rag_llm_system.model.export.merge import merge, plain_folder
from rag_llm_system.model.export.targets import Export, export
from rag_llm_system.model.finetuned import load_finetuned
from rag_llm_system.model.finetuning.base_model import LoadedModel
from rag_llm_system.model.quiet import quiet

Trained = Callable[..., Path]
IDS = torch.arange(6, 46).reshape(2, 20)


@pytest.fixture
def trained(tiny: LoadedModel, tmp_path: Path) -> Trained:
    """A folder as a training leaves it, with an adapter that changes the model."""

    def make(name: str = "run", *, base_inside: bool = True, **lora: Any) -> Path:
        folder = tmp_path / name
        base = folder / "base" if base_inside else tmp_path / "a-base"
        tiny.model.save_pretrained(base)
        tiny.tokenizer.save_pretrained(base)
        lora_config = LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False, **lora)
        with quiet():
            model = get_peft_model(tiny.model, lora_config)
        model.save_pretrained(folder / "adapter", save_embedding_layers=False)
        tiny.tokenizer.save_pretrained(folder / "adapter")
        record = {"base": "scratch" if base_inside else str(base), "method": "lora"}
        (folder / "training.json").write_text(json.dumps(record), encoding="utf-8")
        return folder

    return make


def logits(model: Any) -> torch.Tensor:
    with torch.inference_mode():
        result: torch.Tensor = model(IDS).logits
    return result


@pytest.mark.parametrize("lora", [{}, {"use_dora": True}, {"use_rslora": True}])
def test_the_merged_model_is_the_model_with_its_adapter(
    trained: Trained, tmp_path: Path, lora: dict[str, bool]
) -> None:
    folder = trained(**lora)
    merged = AutoModelForCausalLM.from_pretrained(merge(folder, tmp_path / "out"))
    expected = load_finetuned(folder).model
    assert torch.allclose(logits(merged), logits(expected), atol=1e-4)
    with expected.disable_adapter():
        assert not torch.allclose(logits(merged), logits(expected), atol=1e-2)


def test_the_base_is_found_by_the_record_and_stays_in_its_own_precision(
    trained: Trained, tmp_path: Path, tiny: LoadedModel
) -> None:
    tiny.model.to(torch.bfloat16)
    merged = AutoModelForCausalLM.from_pretrained(
        merge(trained(base_inside=False), tmp_path / "out"), dtype="auto"
    )
    assert merged.dtype == torch.bfloat16


def test_a_server_finds_template_and_end_of_turn_in_the_folder(
    trained: Trained, tmp_path: Path, tiny: LoadedModel
) -> None:
    tiny.model.generation_config.eos_token_id = 1
    out = merge(trained(), tmp_path / "out")
    assert list(out.glob("*.safetensors"))
    tokenizer = AutoTokenizer.from_pretrained(out)
    assert "generation %}" not in tokenizer.chat_template
    settings = json.loads((out / "generation_config.json").read_text(encoding="utf-8"))
    assert settings["eos_token_id"] == [1, tokenizer.convert_tokens_to_ids("<|eot_id|>")]


def test_a_model_that_was_trained_in_full_is_taken_as_it_is(
    tmp_path: Path, tiny: LoadedModel
) -> None:
    folder = tmp_path / "run"
    tiny.model.save_pretrained(folder / "model")
    tiny.tokenizer.save_pretrained(folder / "model")
    (folder / "training.json").write_text('{"base": "scratch", "method": "full"}', encoding="utf-8")
    merged = AutoModelForCausalLM.from_pretrained(merge(folder, tmp_path / "out"))
    assert torch.equal(logits(merged), logits(tiny.model.eval()))
    assert plain_folder(folder) == folder / "model"


def test_whole_weights_are_told_from_an_adapter(trained: Trained, tmp_path: Path) -> None:
    folder = trained()
    assert plain_folder(folder) is None
    out = merge(folder, tmp_path / "out")
    assert plain_folder(out) == out


def test_what_is_there_already_is_kept(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "model.safetensors").write_text("precious", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="there already"):
        merge(trained(), tmp_path / "out")
    assert (tmp_path / "out" / "model.safetensors").read_text(encoding="utf-8") == "precious"


def test_a_merge_that_fails_leaves_nothing(trained: Trained, tmp_path: Path) -> None:
    folder = trained(base_inside=False)
    (tmp_path / "a-base" / "model.safetensors").unlink()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ConfigurationError, match="a-base"):
        merge(folder, tmp_path / "out")
    assert sorted(tmp_path.iterdir()) == before


def test_a_folder_without_a_record_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"training\.json"):
        merge(tmp_path, tmp_path / "out")


def test_an_export_is_one_folder_that_ollama_reads(trained: Trained, tmp_path: Path) -> None:
    folder = trained()
    export(folder, tmp_path / "merged", Export("merged", "films"))
    export(folder, tmp_path / "ollama", Export("ollama", "films", "q8_0", system="Be brief."))
    assert sorted(p.name for p in (tmp_path / "merged").iterdir()) == ["Modelfile", "merged"]
    assert sorted(p.name for p in (tmp_path / "ollama").iterdir()) == [
        "Modelfile",
        "films-q8_0.gguf",
    ]
    text = (tmp_path / "ollama" / "Modelfile").read_text(encoding="utf-8")
    assert text.startswith("FROM ./films-q8_0.gguf\n")
    assert "num_ctx 256" in text
    assert 'SYSTEM """Be brief."""' in text
    assert not list(tmp_path.glob(".*"))


def test_a_merged_folder_can_be_exported_again(trained: Trained, tmp_path: Path) -> None:
    merged = merge(trained(), tmp_path / "merged")
    export(merged, tmp_path / "gguf", Export("gguf", "films"))
    assert [p.name for p in (tmp_path / "gguf").iterdir()] == ["films-f16.gguf"]
