"""Which models can be opened, and what is said of those that cannot."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.errors import ConfigurationError, DataError, MissingFile
from rag_llm_system.model.finetuning.base_model import LoadedModel
from rag_llm_system.model.inference.batched_engine import BatchedEngine
from rag_llm_system.model.inference.engine import open_engine
from rag_llm_system.model.inference.plain_engine import PlainEngine
from tests.engine_answers import Heard, answer, ask

Save = Callable[..., Path]


@pytest.fixture
def save(tiny: LoadedModel, tmp_path: Path) -> Save:
    def saved(**config: Any) -> Path:
        folder = tmp_path / "small-llama"
        tiny.model.save_pretrained(folder)
        tiny.tokenizer.save_pretrained(folder)
        file = folder / "config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | config))
        return folder

    return saved


def test_any_folder_with_a_model_is_served_under_its_name(save: Save, tiny: LoadedModel):
    folder = save()

    engines = [open_engine(folder), open_engine(str(folder), kind="plain", max_waiting=3)]
    answers = [answer(engine) for engine in engines]
    for engine in engines:
        engine.close()

    assert [type(engine) for engine in engines] == [BatchedEngine, PlainEngine]
    assert {engine.model_id for engine in engines} == {"small-llama"}
    assert [engine.stats().max_waiting for engine in engines] == [32, 3]
    assert answers[0] == answers[1]


def test_a_model_that_cannot_be_batched_is_run_one_at_a_time_where_that_is_allowed(save: Save):
    folder = save(sliding_window=32, layer_types=["sliding_attention"] * 2)

    with pytest.raises(ConfigurationError, match="looks back 32 tokens only"):
        open_engine(folder, kind="batched")
    engine = open_engine(folder, kind="auto")
    engine.close()

    assert isinstance(engine, PlainEngine)


def test_a_model_without_a_chat_template_reads_roles_as_plain_words(tiny: LoadedModel):
    tiny.tokenizer.chat_template = None
    engine = BatchedEngine(tiny, "tiny")

    written, (_, tokens, _) = answer(engine, messages=[Message(role="user", content=" Where? ")])
    engine.close()

    assert tokens == len(tiny.tokenizer("User: Where?\n\nAssistant:")["input_ids"])
    assert "Where" not in written


def test_messages_that_the_models_template_does_not_take_are_the_callers_error(tiny: LoadedModel):
    tiny.tokenizer.chat_template = "{{ raise_exception('no system message, please') }}"
    engine = BatchedEngine(tiny, "tiny")

    with pytest.raises(DataError, match=r"no system message, please.*send other roles"):
        ask(engine, Heard())
    engine.close()


@pytest.mark.parametrize(
    "model", [Path("no/such/folder"), "/no/such/folder", "../no-such-folder", "a/b/c", ""]
)
def test_a_folder_that_is_not_there_is_named(model: Path | str):
    with pytest.raises(MissingFile, match="no such folder; name one that a training left"):
        open_engine(model)


def test_without_the_hub_an_id_says_what_to_do(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)

    with pytest.raises(
        ConfigurationError,
        match=r"model 'someone/some-model' cannot be loaded .* without the hub name a local folder",
    ):
        open_engine("someone/some-model")


def test_a_folder_without_a_model_is_no_model(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="cannot be loaded"):
        open_engine(tmp_path)


def test_a_model_that_does_not_write_is_refused(tmp_path: Path, tiny: LoadedModel):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "clip_vision_model"}))
    tiny.tokenizer.save_pretrained(tmp_path)

    with pytest.raises(ConfigurationError, match="must be a causal language model"):
        open_engine(tmp_path)


def test_pickled_weights_are_not_read(save: Save):
    folder = save()
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")

    with pytest.raises(ConfigurationError, match="safetensors"):
        open_engine(folder)
