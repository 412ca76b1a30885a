import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag_llm_system.model.finetuning.base_model import LoadedModel, make_scratch
from rag_llm_system.model.finetuning.config import ScratchSettings
from rag_llm_system.model.inference.text_pieces import TextPieces


@pytest.fixture(scope="module")
def model(tiny_shape: ScratchSettings) -> LoadedModel:
    return make_scratch(tiny_shape, ["some words to merge, some words"], seed=0)


def pieces_of(model: LoadedModel, text: str, stop: list[str]) -> list[str]:
    pieces = TextPieces(model.tokenizer, stop)
    ids = model.tokenizer(text, add_special_tokens=False)["input_ids"]
    return [*(pieces.add(i) for i in ids), pieces.rest()]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_pieces_join_to_the_text(model: LoadedModel, text: str):
    assert "".join(pieces_of(model, text, ["\x00 never \x00"])) == text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text("abEND "), st.sampled_from([["END"], ["END", "EN"], ["aa", "b"]]))
def test_the_text_ends_before_the_first_stop_string(model: LoadedModel, text: str, stop: list[str]):
    ends = [at for at in map(text.find, stop) if at >= 0]

    assert "".join(pieces_of(model, text, stop)) == text[: min(ends, default=len(text))]


def test_a_character_of_several_tokens_comes_whole(model: LoadedModel):
    pieces = pieces_of(model, "🎬é", [])

    assert "".join(pieces) == "🎬é"
    assert not any("\ufffd" in piece for piece in pieces)


def test_special_tokens_are_no_text(model: LoadedModel):
    assert "".join(pieces_of(model, "a<|eot_id|>b", [])) == "ab"
