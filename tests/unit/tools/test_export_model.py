import json
from pathlib import Path
from typing import get_args

import pytest
from click.testing import CliRunner, Result

from rag_llm_system.model.export.gguf import Quantisation
from rag_llm_system.model.export.targets import Target
from rag_llm_system.model.finetuning.base_model import make_scratch
from rag_llm_system.model.finetuning.config import ScratchSettings
from rag_llm_system.model.registry import promote
from tools import export_model

SHAPE = ScratchSettings(
    vocab_size=320, hidden_size=32, layers=1, heads=2, kv_heads=1, max_positions=128
)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory with one model, trained in full."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    made = make_scratch(SHAPE, ["A chunk is a slice of the text."], seed=1)
    folder = tmp_path / "data" / "models" / "Training-1"
    made.model.save_pretrained(folder / "model")
    made.tokenizer.save_pretrained(folder / "model")
    record = {"base": "scratch", "method": "full"}
    (folder / "training.json").write_text(json.dumps(record), encoding="utf-8")
    return tmp_path / "data"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(export_model.main, [str(a) for a in arguments])


def test_without_a_folder_the_model_that_serves_is_exported(data: Path, tmp_path: Path) -> None:
    promote(data / "models", data / "models" / "Training-1")
    ended = run("--to", "ollama", "--output", tmp_path / "out", "--quantisation", "q8_0")
    assert ended.exit_code == 0, ended.output
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "Modelfile",
        "training-1-q8_0.gguf",
    ]
    assert f"next: ollama create training-1 --file {tmp_path}/out/Modelfile" in ended.output
    size = (tmp_path / "out" / "training-1-q8_0.gguf").stat().st_size
    assert f"training-1-q8_0.gguf  {size:,} bytes\n" in ended.output


def test_a_folder_is_exported_under_the_name_that_was_given(data: Path, tmp_path: Path) -> None:
    arguments = ("--to", "gguf", "--output", tmp_path / "out", "--name", "My Films")
    ended = run(data / "models" / "Training-1", *arguments)
    assert ended.exit_code == 0, ended.output
    assert f"next: llama-server --model {tmp_path}/out/my-films-f16.gguf" in ended.output
    assert (tmp_path / "out" / "my-films-f16.gguf").is_file()


def test_merged_weights_are_for_vllm_and_ollama(data: Path, tmp_path: Path) -> None:
    ended = run(data / "models" / "Training-1", "--to", "merged", "--output", tmp_path / "out")
    assert ended.exit_code == 0, ended.output
    assert f"next: vllm serve {tmp_path}/out/merged" in ended.output
    assert "next: ollama create training-1" in ended.output
    assert (tmp_path / "out" / "merged" / "model.safetensors").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--to", "merged", "--quantisation", "q8_0"], "--quantisation is for"),
        (["--to", "gguf", "--system", "Be brief."], "--system is for"),
        (["nowhere", "--to", "gguf"], "nowhere: no such folder"),
        (["--to", "gguf"], "no model in production"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_code_2(
    data: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    ended = run(*arguments, "--output", tmp_path / "out")
    assert ended.exit_code == 2
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_an_output_that_is_there_is_kept(data: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine", encoding="utf-8")
    ended = run(data / "models" / "Training-1", "--to", "gguf", "--output", tmp_path / "out")
    assert ended.exit_code == 2
    assert "there already" in ended.stderr
    assert (tmp_path / "out").read_text(encoding="utf-8") == "mine"


def test_the_choices_are_those_of_the_export() -> None:
    assert get_args(Target) == export_model.TARGETS
    assert get_args(Quantisation) == export_model.QUANTISATIONS
