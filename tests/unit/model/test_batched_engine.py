"""What only the engine does that runs requests together."""

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.errors import BackendError, ConfigurationError, DataError
from rag_llm_system.domain.from_context import FromContext
from rag_llm_system.model.finetuning.base_model import LoadedModel, make_scratch
from rag_llm_system.model.finetuning.config import ScratchSettings
from rag_llm_system.model.inference.batched_engine import BatchedEngine, BatchLimits
from rag_llm_system.model.inference.generation import EngineFull, EngineStats, Generation
from rag_llm_system.model.inference.plain_engine import PlainEngine
from tests.engine_answers import QUESTION, WAIT_S, Heard, answer, ask

WORDS = (
    "Where",
    "are",
    "the",
    "vectors",
    "kept",
    "and",
    "why",
    "Zoë",
    "東京",
    "🙂",
    "in",
    "the store?",
)
IDLE = EngineStats(running=0, waiting=0, max_waiting=32)


@pytest.fixture(scope="module")
def lively(tiny_shape: ScratchSettings) -> LoadedModel:
    """With weights so large that hardly a token follows another twice: a wrong row or position shows."""
    loaded = make_scratch(tiny_shape, ["Where are the vectors kept? In the store, by id."], seed=1)
    torch.manual_seed(2)
    with torch.no_grad():
        for weights in loaded.model.parameters():
            if weights.dim() > 1:
                weights.normal_(0, 0.4)
    return loaded


def prompt(number: int) -> list[Message]:
    """Each of another length, and with other letters."""
    words = [WORDS[(number + n) % len(WORDS)] for n in range(2 + number % 7)]
    return [Message(role="user", content=f"{number}: {' '.join(words)}")]


@contextmanager
def running(loaded: LoadedModel, **limits: int) -> Iterator[BatchedEngine]:
    engine = BatchedEngine(loaded, "tiny", limits=BatchLimits(**limits))
    try:
        yield engine
    finally:
        engine.close()


@contextmanager
def held(engine: BatchedEngine, **changed: Any) -> Iterator[Heard]:
    """A first request whose first piece the engine delivers until the block ends: what comes meanwhile waits."""
    go = threading.Event()
    first = Heard(go=go)
    ask(engine, first, **changed)
    assert first.started.wait(WAIT_S)
    try:
        yield first
    finally:
        go.set()


@contextmanager
def watched(loaded: LoadedModel, see: Callable[[Any], None]) -> Iterator[None]:
    """``see`` gets what each pass is given, and may raise."""
    hook = loaded.model.register_forward_pre_hook(
        lambda _model, _args, given: see(given["input_ids"]), with_kwargs=True
    )
    yield
    hook.remove()


def alone(loaded: LoadedModel, numbers: range, **changed: Any) -> dict[int, tuple[str, Any]]:
    """What the engine that runs one at a time answers."""
    engine = PlainEngine(loaded, "tiny")
    answers = {n: answer(engine, messages=prompt(n), **changed) for n in numbers}
    engine.close()
    return answers


def test_together_they_write_what_they_write_alone(lively: LoadedModel):
    expected = alone(lively, range(12), max_new_tokens=30)

    with running(lively) as engine:
        heard = [Heard() for _ in expected]
        with held(engine):
            for n, one in enumerate(heard):
                ask(engine, one, messages=prompt(n), max_new_tokens=30)
        ends = [one.end() for one in heard]

    assert {n: (one.whole, ends[n]) for n, one in enumerate(heard)} == expected


def test_eight_requests_share_the_passes_of_the_model(lively: LoadedModel):
    with running(lively) as engine:
        heard = [Heard() for _ in range(7)]
        with held(engine, max_new_tokens=24) as first:
            for n, one in enumerate(heard):
                ask(engine, one, messages=prompt(n), max_new_tokens=24)
        tokens = sum(one.end()[2] for one in [first, *heard])

        assert engine.passes <= 8 + 24  # a prompt each, and one token of all of them
        assert engine.passes < tokens / 4


def test_each_request_keeps_its_own_sampling_length_and_stop(lively: LoadedModel):
    torch.manual_seed(0)
    [(text, _)] = alone(lively, range(1, 2), max_new_tokens=30).values()
    stop = text[5:8]

    with running(lively) as engine:
        heard = {name: Heard() for name in ("greedy", "hot", "hotter", "stopped", "short")}
        with held(engine, messages=prompt(4)):
            same = {"messages": prompt(1), "max_new_tokens": 30}
            ask(engine, heard["greedy"], **same)
            ask(engine, heard["hot"], **same, temperature=2.0)
            ask(engine, heard["hotter"], **same, temperature=2.0, top_p=0.99)
            ask(engine, heard["stopped"], **same, stop=[stop])
            ask(engine, heard["short"], **same | {"max_new_tokens": 3})
        ends = {name: one.end() for name, one in heard.items()}

    assert heard["greedy"].whole == text
    assert len({heard[name].whole for name in ("greedy", "hot", "hotter")}) == 3
    assert heard["stopped"].whole == text[: text.find(stop)]
    assert ends["stopped"][0] == "stop"
    assert (ends["short"][0], ends["short"][2]) == ("length", 3)


def test_fields_are_held_to_the_context_beside_free_answers(lively: LoadedModel):
    expected = alone(lively, range(4), max_new_tokens=40)
    field = FromContext(open="s", close="!", values=["Zoë (2001)"])

    with running(lively) as engine:
        free, bound = [Heard() for _ in expected], [Heard() for _ in expected]
        with held(engine):
            for n in expected:
                ask(engine, free[n], messages=prompt(n), max_new_tokens=40)
                ask(engine, bound[n], messages=prompt(n), max_new_tokens=40, from_context=[field])
        for one in [*free, *bound]:
            one.end()

    assert [one.whole for one in free] == [text for text, _ in expected.values()]
    assert sum("s" in text for text, _ in expected.values()) > 1
    for one in bound:
        *closed, last = ["Zoë (2001)!", *one.whole.split("s")[1:]]
        assert all(part.startswith("Zoë (2001)!") for part in closed)
        assert "Zoë (2001)!".startswith(last.removesuffix("\ufffd")[:11])


def test_who_leaves_under_load_does_not_touch_the_others(lively: LoadedModel):
    expected = alone(lively, range(12), max_new_tokens=40)

    with running(lively, max_rows=8) as engine:
        heard = [Heard() for _ in expected]
        with held(engine):
            asked = [
                ask(engine, one, messages=prompt(n), max_new_tokens=40)
                for n, one in enumerate(heard)
            ]
            asked[10].cancel()
        assert heard[1].started.wait(WAIT_S)
        for n in (1, 3, 4, 7):
            asked[n].cancel()
        ends = [one.end() for one in heard]
        stayed = [n for n in expected if ends[n][0] != "cancelled"]
        text, _ = answer(engine, messages=prompt(0), max_new_tokens=40)

    assert ends[10] == ("cancelled", expected[10][1][1], 0)
    assert {0, 2, 5, 6, 8, 9, 11} <= set(stayed)
    assert [heard[n].whole for n in stayed] == [expected[n][0] for n in stayed]
    assert text == expected[0][0]
    assert [one.ends for one in heard] == [0] * 12


def test_two_hundred_short_requests_leave_nothing_behind(lively: LoadedModel):
    with running(lively) as engine:
        threads = threading.active_count()
        for _ in range(10):
            heard = [Heard() for _ in range(20)]
            asked = [
                ask(engine, one, messages=prompt(n), max_new_tokens=1 + n % 4)
                for n, one in enumerate(heard)
            ]
            for generation in asked[::5]:
                generation.cancel()
            for one in heard:
                one.end()
        del asked, generation
        answer(engine)

        assert engine.stats() == IDLE
        assert threading.active_count() == threads
    gc.collect()
    assert not [thing for thing in gc.get_objects() if type(thing) is Generation]
    assert engine.cache_tokens == 0


def test_memory_is_bounded_and_who_finds_none_waits(lively: LoadedModel):
    expected = alone(lively, range(6), max_new_tokens=20)
    token_bytes = 2 * 2 * 1 * 32 * 4  # keys and values, layers, heads, their width, float32

    with running(lively, cache_bytes=200 * token_bytes) as engine:
        heard = [Heard() for _ in expected]
        sizes = []
        with held(engine):
            for n, one in enumerate(heard):
                ask(engine, one, messages=prompt(n), max_new_tokens=20)
        for one in heard:
            one.end()
            sizes.append(engine.cache_tokens)

        with pytest.raises(DataError, match="over the 200 the model can read"):
            ask(engine, Heard(), max_new_tokens=190)

    assert max(sizes) <= 200
    assert [one.whole for one in heard] == [text for text, _ in expected.values()]


def test_free_rows_are_no_queue(lively: LoadedModel):
    engine = BatchedEngine(lively, "tiny", max_waiting=1, limits=BatchLimits(max_rows=3))

    with held(engine) as first:
        heard = [Heard() for _ in range(3)]  # two rows are free, and one may wait
        for one in heard:
            ask(engine, one)
        with pytest.raises(EngineFull, match="1 requests are waiting"):
            ask(engine, Heard())
    ends = [one.end()[0] for one in [first, *heard]]
    engine.close()

    assert ends == ["length"] * 4


def test_a_long_prompt_is_read_between_the_tokens_of_others(lively: LoadedModel):
    long = [Message(role="user", content="chunk " * 30)]
    plain = PlainEngine(lively, "tiny")
    expected = answer(plain, messages=long)
    plain.close()

    lengths: list[int] = []

    with (
        running(lively, prefill_tokens=8) as engine,
        watched(lively, lambda ids: lengths.append(ids.shape[1])),
    ):
        newcomer = Heard()
        with held(engine, max_new_tokens=60) as first:
            ask(engine, newcomer, messages=long)
        end = newcomer.end()
        first.end()

    assert (newcomer.whole, end) == expected
    assert lengths.index(8) < lengths.index(1) < len(lengths) - lengths[::-1].index(8)


def test_what_another_has_read_of_the_same_beginning_is_not_read_again(lively: LoadedModel):
    system = Message(role="system", content="Answer from the sources. " * 4)
    read: list[int] = []
    plain = PlainEngine(lively, "tiny")
    expected = answer(plain, messages=[system, *prompt(3)])
    plain.close()

    with running(lively) as engine, watched(lively, lambda ids: read.append(ids.shape[1])):
        second = Heard()
        with held(engine, messages=[system, *QUESTION]):
            ask(engine, second, messages=[system, *prompt(3)])
        end = second.end()

    assert (second.whole, end) == expected
    prompts = [tokens for tokens in read if tokens > 1]
    assert len(prompts) == 2
    assert prompts[1] < prompts[0] / 2


def test_a_pass_that_fails_fails_its_requests_and_the_engine_goes_on(lively: LoadedModel):
    def out_of_memory(ids: Any) -> None:
        if len(ids) > 1:
            raise RuntimeError("out of memory")

    with running(lively) as engine:
        before = answer(engine)
        with watched(lively, out_of_memory):
            heard = [Heard() for _ in range(3)]
            with held(engine) as first:
                for one in heard:
                    ask(engine, one)
            failures = [one.end() for one in [first, *heard]]

        assert {type(failure) for failure in failures} == {BackendError}
        assert "out of memory" in str(failures[0])
        assert answer(engine) == before
        assert engine.stats() == IDLE


def test_a_prompt_that_cannot_be_read_fails_alone(lively: LoadedModel):
    def out_of_memory(ids: Any) -> None:
        if ids.shape[1] > 60:
            raise RuntimeError("out of memory")

    with running(lively) as engine:
        before = answer(engine)
        failing = Heard()
        with watched(lively, out_of_memory):
            with held(engine) as first:
                ask(engine, failing, messages=[Message(role="user", content="chunk " * 12)])
            failure, end = failing.end(), first.end()

    assert isinstance(failure, BackendError)
    assert (first.whole, end) == before


def test_scores_that_are_no_numbers_fail_one_request_only(lively: LoadedModel):
    bad = [Message(role="user", content="%%%%")]
    marked = lively.tokenizer("%%%%", add_special_tokens=False)["input_ids"][0]

    def spoil(_model: Any, _args: Any, given: Any, output: Any) -> Any:
        rows = (given["input_ids"] == marked).any(dim=1)
        output.logits[rows] = float("nan")
        return output

    with running(lively) as engine:
        expected = answer(engine)
        hook = lively.model.register_forward_hook(spoil, with_kwargs=True)
        spoiled, good = Heard(), Heard()
        with held(engine):
            ask(engine, spoiled, messages=bad)
            ask(engine, good)
        failure, end = spoiled.end(), good.end()
        hook.remove()

        assert isinstance(failure, BackendError)
        assert "no numbers" in str(failure)
        assert (good.whole, end) == expected
        assert answer(engine) == expected


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_nobody_foresaw_is_told_to_who_waits_and_to_who_comes(lively: LoadedModel):
    def break_down(_ids: Any) -> None:
        raise KeyError("unforeseen")

    with running(lively) as engine, watched(lively, break_down):
        failure = answer(engine)[1]

        assert isinstance(failure, BackendError)
        with pytest.raises(BackendError, match="the engine has stopped; restart the server"):
            ask(engine, Heard())


def test_a_model_that_cannot_be_batched_is_refused_with_the_way_out(tiny: LoadedModel):
    tiny.model.set_attn_implementation("eager")

    with pytest.raises(ConfigurationError, match=r"attention is 'eager'.*INFERENCE_ENGINE=plain"):
        BatchedEngine(tiny, "tiny")


def test_a_model_that_looks_back_a_little_only_is_refused(tiny: LoadedModel):
    tiny.model.config.sliding_window = 64

    with pytest.raises(ConfigurationError, match="looks back 64 tokens only"):
        BatchedEngine(tiny, "tiny")


def test_a_model_whose_rows_come_out_differently_is_refused(
    lively: LoadedModel, monkeypatch: pytest.MonkeyPatch
):
    forward = lively.model.model.forward
    monkeypatch.setattr(
        lively.model.model, "forward", lambda **given: forward(**given | {"position_ids": None})
    )

    with pytest.raises(ConfigurationError, match="differently than alone"):
        BatchedEngine(lively, "lively")
