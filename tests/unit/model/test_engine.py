import queue
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.errors import BackendError, DataError, RagSystemError
from rag_llm_system.domain.from_context import FromContext
from rag_llm_system.model.finetuning.base_model import LoadedModel
from rag_llm_system.model.inference.engine import EngineFull, Generation, GenerationEngine

WAIT_S = 20
QUESTION = [Message(role="user", content="Where are the vectors kept?")]


class Heard:
    """Collects one answer; ``go`` holds the engine in its first piece until it is set."""

    def __init__(self, *, go: threading.Event | None = None) -> None:
        self.pieces: list[str] = []
        self.started = threading.Event()
        self._go = go
        self._end: queue.Queue[tuple[str, int, int] | RagSystemError] = queue.Queue()

    def text(self, piece: str) -> None:
        self.pieces.append(piece)
        self.started.set()
        if self._go:
            assert self._go.wait(WAIT_S)

    def done(self, reason: str, prompt_tokens: int, completion_tokens: int) -> None:
        self._end.put((reason, prompt_tokens, completion_tokens))

    def failed(self, error: RagSystemError) -> None:
        self._end.put(error)

    def end(self) -> Any:
        return self._end.get(timeout=WAIT_S)

    @property
    def whole(self) -> str:
        return "".join(self.pieces)


def ask(engine: GenerationEngine, heard: Heard, **changed: Any) -> Generation:
    options = {"max_new_tokens": 12, "temperature": 0.0, "top_p": 1.0} | changed
    return engine.start(options.pop("messages", QUESTION), heard, **options)


def answer(engine: GenerationEngine, **changed: Any) -> tuple[str, Any]:
    heard = Heard()
    ask(engine, heard, **changed)
    end = heard.end()
    return heard.whole, end


@pytest.fixture
def engine(tiny: LoadedModel) -> Iterator[GenerationEngine]:
    made = GenerationEngine(tiny, "tiny", max_waiting=1)
    yield made
    made.close()


def test_an_answer_is_what_the_model_writes_without_the_prompt(
    engine: GenerationEngine, tiny: LoadedModel
):
    prompt = tiny.tokenizer.apply_chat_template(
        [m.model_dump() for m in QUESTION],
        add_generation_prompt=True, return_dict=True, return_tensors="pt",
    )["input_ids"]  # fmt: skip
    written = tiny.model.generate(
        prompt, attention_mask=torch.ones_like(prompt), do_sample=False, max_new_tokens=12,
        eos_token_id=tiny.tokenizer.eos_token_id, pad_token_id=tiny.tokenizer.pad_token_id,
    )[0, prompt.shape[1] :]  # fmt: skip

    text, (reason, prompt_tokens, completion_tokens) = answer(engine)

    assert text == tiny.tokenizer.decode(written, skip_special_tokens=True)
    assert "vectors kept" not in text
    assert (reason, prompt_tokens, completion_tokens) == ("length", prompt.shape[1], 12)


def test_text_comes_in_pieces(engine: GenerationEngine):
    heard = Heard()
    ask(engine, heard)
    heard.end()

    assert len(heard.pieces) > 3


def test_a_stop_string_ends_the_answer_before_it(engine: GenerationEngine):
    text, _ = answer(engine)
    stop = text[3:6]

    stopped, (reason, _, tokens) = answer(engine, stop=[stop])

    assert stopped == text[: text.find(stop)]
    assert reason == "stop"
    assert tokens < 12


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_behind_a_mark_comes_what_the_request_allows(engine: GenerationEngine, temperature: float):
    written, _ = answer(engine)
    mark = written[3]
    field = FromContext(open=mark, close="!", values=["Zoë (2001)"])

    text, _ = answer(engine, from_context=[field], max_new_tokens=60, temperature=temperature)

    assert temperature or mark in text
    *closed, last = ["Zoë (2001)!", *text.split(mark)[1:]]
    assert all(part.startswith("Zoë (2001)!") for part in closed)
    assert "Zoë (2001)!".startswith(last.removesuffix("\ufffd")[:11])


def test_fields_that_do_not_go_together_are_refused_at_once(engine: GenerationEngine):
    fields = [FromContext(open="*", close="*"), FromContext(open="**", close="**")]

    with pytest.raises(DataError, match="choose another mark"):
        ask(engine, Heard(), from_context=fields)


def test_a_high_temperature_changes_the_answer_and_zero_repeats_it(engine: GenerationEngine):
    torch.manual_seed(0)

    greedy = {answer(engine)[0] for _ in range(2)}
    sampled = {answer(engine, temperature=2.0)[0] for _ in range(3)}

    assert len(greedy) == 1
    assert len(sampled) > 1


def test_a_prompt_that_does_not_fit_is_refused_not_cut(engine: GenerationEngine):
    long = [Message(role="user", content="chunk " * 300)]

    with pytest.raises(DataError, match=r"the prompt has \d+ tokens.*256 the model can read"):
        ask(engine, Heard(), messages=long)
    with pytest.raises(DataError, match="max_new_tokens 250"):
        ask(engine, Heard(), max_new_tokens=250)


def test_a_second_request_waits_and_a_full_queue_refuses(engine: GenerationEngine):
    go = threading.Event()
    first, second = Heard(go=go), Heard()
    ask(engine, first)
    assert first.started.wait(WAIT_S)
    ask(engine, second)

    with pytest.raises(EngineFull, match="1 requests are waiting") as refused:
        ask(engine, Heard())
    go.set()

    assert isinstance(refused.value, queue.Full)
    assert first.end()[0] == second.end()[0] == "length"
    assert first.whole == second.whole


def test_a_cancelled_answer_ends_and_the_next_one_begins(engine: GenerationEngine):
    go = threading.Event()
    heard = Heard(go=go)
    running = ask(engine, heard, max_new_tokens=200)
    assert heard.started.wait(WAIT_S)

    running.cancel()
    go.set()

    reason, _, tokens = heard.end()
    assert reason == "cancelled"
    assert tokens < 10
    assert answer(engine)[1][0] == "length"


def test_a_request_cancelled_while_it_waits_is_never_generated(engine: GenerationEngine):
    go = threading.Event()
    first, second = Heard(go=go), Heard()
    ask(engine, first)
    assert first.started.wait(WAIT_S)

    ask(engine, second).cancel()
    go.set()

    assert second.end()[0] == "cancelled"
    assert second.pieces == []


def test_closing_cancels_what_runs_and_what_waits(tiny: LoadedModel):
    engine = GenerationEngine(tiny, "tiny", max_waiting=1)
    go = threading.Event()
    first, second = Heard(go=go), Heard()
    ask(engine, first, max_new_tokens=200)
    assert first.started.wait(WAIT_S)
    ask(engine, second)

    closing = threading.Thread(target=engine.close)
    closing.start()
    go.set()
    closing.join(WAIT_S)

    assert first.end()[0] == second.end()[0] == "cancelled"
    with pytest.raises(BackendError, match="has stopped"):
        ask(engine, Heard())


class ScriptedModel:
    """Writes the given tokens, or raises."""

    def __init__(self, script: list[int] | Exception) -> None:
        self.config = SimpleNamespace(max_position_embeddings=100)
        self.generation_config = SimpleNamespace(eos_token_id=[3, 4])
        self.device = torch.device("cpu")
        self._script = script

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
    engine = GenerationEngine(LoadedModel(model=model, tokenizer=tiny.tokenizer), "scripted")

    text, (reason, _, tokens) = answer(engine)
    engine.close()

    assert (text, reason, tokens) == ("In the store.", "stop", len(words) + 1)


def test_a_failing_model_fails_the_request_and_not_the_engine(tiny: LoadedModel):
    model = ScriptedModel(RuntimeError("probability tensor contains inf"))
    engine = GenerationEngine(LoadedModel(model=model, tokenizer=tiny.tokenizer), "scripted")

    ends = [answer(engine)[1] for _ in range(2)]
    engine.close()

    assert [type(end) for end in ends] == [BackendError, BackendError]
    assert "contains inf" in str(ends[0])
