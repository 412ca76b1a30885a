"""What both engines do: the one that runs requests together, and the one that runs them one after the other."""

import queue
import threading
from collections.abc import Callable, Iterator

import pytest
import torch

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.errors import BackendError, DataError, Overloaded
from rag_llm_system.domain.from_context import FromContext
from rag_llm_system.model.finetuning.base_model import LoadedModel, make_scratch
from rag_llm_system.model.finetuning.config import ScratchSettings
from rag_llm_system.model.inference.batched_engine import BatchedEngine, BatchLimits
from rag_llm_system.model.inference.generation import EngineFull, EngineStats
from rag_llm_system.model.inference.plain_engine import PlainEngine
from tests.engine_answers import QUESTION, WAIT_S, Heard, answer, ask

Engine = BatchedEngine | PlainEngine
Make = Callable[[LoadedModel], Engine]


def plain(loaded: LoadedModel) -> PlainEngine:
    return PlainEngine(loaded, "tiny", max_waiting=1)


def batched(loaded: LoadedModel) -> BatchedEngine:
    return BatchedEngine(loaded, "tiny", max_waiting=1, limits=BatchLimits(max_rows=1))


@pytest.fixture(scope="module")
def tiny(tiny_shape: ScratchSettings) -> LoadedModel:
    return make_scratch(tiny_shape, ["Where are the vectors kept? In the store, by id."], seed=1)


@pytest.fixture(params=[plain, batched])
def make(request: pytest.FixtureRequest) -> Make:
    made: Make = request.param
    return made


@pytest.fixture
def engine(make: Make, tiny: LoadedModel) -> Iterator[Engine]:
    made = make(tiny)
    yield made
    made.close()


def test_an_answer_is_what_the_model_writes_without_the_prompt(engine: Engine, tiny: LoadedModel):
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


def test_text_comes_in_pieces(engine: Engine):
    heard = Heard()
    ask(engine, heard)
    heard.end()

    assert len(heard.pieces) > 3


def test_a_stop_string_ends_the_answer_before_it(engine: Engine):
    text, _ = answer(engine)
    stop = text[3:6]

    stopped, (reason, _, tokens) = answer(engine, stop=[stop])

    assert stopped == text[: text.find(stop)]
    assert reason == "stop"
    assert tokens < 12


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_behind_a_mark_comes_what_the_request_allows(engine: Engine, temperature: float):
    written, _ = answer(engine)
    mark = written[3]
    field = FromContext(open=mark, close="!", values=["Zoë (2001)"])

    text, _ = answer(engine, from_context=[field], max_new_tokens=60, temperature=temperature)

    assert temperature or mark in text
    *closed, last = ["Zoë (2001)!", *text.split(mark)[1:]]
    assert all(part.startswith("Zoë (2001)!") for part in closed)
    assert "Zoë (2001)!".startswith(last.removesuffix("\ufffd")[:11])


def test_fields_that_do_not_go_together_are_refused_at_once(engine: Engine):
    fields = [FromContext(open="*", close="*"), FromContext(open="**", close="**")]

    with pytest.raises(DataError, match="choose another mark"):
        ask(engine, Heard(), from_context=fields)


def test_a_high_temperature_changes_the_answer_and_zero_repeats_it(engine: Engine):
    torch.manual_seed(0)

    greedy = {answer(engine)[0] for _ in range(2)}
    sampled = {answer(engine, temperature=2.0)[0] for _ in range(3)}

    assert len(greedy) == 1
    assert len(sampled) > 1


def test_a_prompt_that_does_not_fit_is_refused_not_cut(engine: Engine):
    long = [Message(role="user", content="chunk " * 300)]

    with pytest.raises(DataError, match=r"the prompt has \d+ tokens.*256 the model can read"):
        ask(engine, Heard(), messages=long)
    with pytest.raises(DataError, match="max_new_tokens 250"):
        ask(engine, Heard(), max_new_tokens=250)


def test_a_second_request_waits_and_a_full_queue_refuses(engine: Engine):
    go = threading.Event()
    first, second = Heard(go=go), Heard()
    ask(engine, first)
    assert first.started.wait(WAIT_S)
    ask(engine, second)

    assert engine.stats() == EngineStats(running=1, waiting=1, max_waiting=1)
    with pytest.raises(EngineFull, match="1 requests are waiting") as refused:
        ask(engine, Heard())
    go.set()

    assert isinstance(refused.value, queue.Full)
    assert isinstance(refused.value, Overloaded)
    assert first.end()[0] == second.end()[0] == "length"
    assert first.whole == second.whole


def test_a_cancelled_answer_ends_and_the_next_one_begins(engine: Engine):
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


def test_a_request_cancelled_while_it_waits_is_never_generated(engine: Engine):
    go = threading.Event()
    first, second = Heard(go=go), Heard()
    ask(engine, first)
    assert first.started.wait(WAIT_S)

    ask(engine, second).cancel()
    go.set()

    assert second.end()[0] == "cancelled"
    assert second.pieces == []


def test_closing_cancels_what_runs_and_what_waits(make: Make, tiny: LoadedModel):
    engine = make(tiny)
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
