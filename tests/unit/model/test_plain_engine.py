"""The engine that runs one request at a time, with models that do what they are told."""

from types import SimpleNamespace
from typing import Any

import torch

from rag_llm_system.domain.errors import BackendError
from rag_llm_system.model.finetuning.base_model import LoadedModel
from rag_llm_system.model.inference.plain_engine import PlainEngine
from tests.engine_answers import answer


class ScriptedModel:
    """Writes the given tokens, or raises."""

    def __init__(self, script: list[int] | Exception) -> None:
        self.config = SimpleNamespace(max_position_embeddings=100)
        self.generation_config = SimpleNamespace(eos_token_id=[3, 4])
        self.device = torch.device("cpu")
        self._script = script

    def num_parameters(self) -> int:
        return 10**9

    def generate(self, prompt: Any, *, streamer: Any, generation_config: Any, **_: Any) -> None:
        if isinstance(self._script, Exception):
            raise self._script
        streamer.put(prompt)
        for token in self._script:
            streamer.put(torch.tensor([token]))
            if token in generation_config.eos_token_id:
                break
        streamer.end()


def test_the_end_of_the_turn_ends_the_answer_and_is_no_text(tiny: LoadedModel):
    end = tiny.tokenizer.convert_tokens_to_ids("<|eot_id|>")
    words = tiny.tokenizer("In the store.", add_special_tokens=False)["input_ids"]
    model = ScriptedModel([*words, end, *words])
    engine = PlainEngine(LoadedModel(model=model, tokenizer=tiny.tokenizer), "scripted")

    text, (reason, _, tokens) = answer(engine)
    engine.close()

    assert (text, reason, tokens) == ("In the store.", "stop", len(words) + 1)


def test_a_failing_model_fails_the_request_and_not_the_engine(tiny: LoadedModel):
    model = ScriptedModel(RuntimeError("probability tensor contains inf"))
    engine = PlainEngine(LoadedModel(model=model, tokenizer=tiny.tokenizer), "scripted")

    ends = [answer(engine)[1] for _ in range(2)]
    engine.close()

    assert [type(end) for end in ends] == [BackendError, BackendError]
    assert "contains inf" in str(ends[0])
