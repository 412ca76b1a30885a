"""Whatever a model would like to write, a marked field holds one of its values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers
from transformers import PreTrainedTokenizerFast

from rag_llm_system.domain.errors import ConfigurationError, DataError
from rag_llm_system.domain.from_context import FromContext, writable
from rag_llm_system.model.finetuning.base_model import LoadedModel, make_scratch
from rag_llm_system.model.finetuning.config import ScratchSettings
from rag_llm_system.model.inference.grounded_decoding import GroundedDecoding, Grounding
from rag_llm_system.model.inference.token_texts import TokenTexts, token_texts

STEPS = 60
PROMPT = [5, 6, 7]
MANY = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@dataclass(frozen=True)
class Vocabulary:
    """A tokenizer and what its tokens write."""

    tokenizer: Any
    texts: TokenTexts
    end: int


def byte_level() -> Any:
    """Merges across marks on purpose: ``**A``, ``n**``, `` **`` and ``**!`` become tokens."""
    shape = ScratchSettings(
        vocab_size=420, hidden_size=64, layers=1, heads=2, kv_heads=1, max_positions=256,
        max_steps=2, batch_size=2, block_tokens=32,
    )  # fmt: skip
    texts = ["See **Alien**! Or **Aliens** (1986), **** and **é**: *Am**élie* **Heat**."] * 8
    return make_scratch(shape, texts, seed=1).tokenizer


def sentencepiece() -> Any:
    """As Llama 2's: a space is part of a token, other bytes are tokens of their own."""
    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    pieces += list("\u2581*ABabcdeilnst'é!:.()0123456789")
    pieces += [
        "**",
        "\u2581**",
        "***",
        "**A",
        "**Al",
        "n**",
        "s**!",
        "li",
        "en",
        "\u2581See",
        "** (",
    ]
    raw = Tokenizer(models.Unigram([(p, -1.0) for p in pieces], unk_id=0, byte_fallback=True))
    raw.normalizer = normalizers.Replace(" ", "\u2581")
    raw.decoder = decoders.Sequence(
        [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )  # fmt: skip
    return PreTrainedTokenizerFast(
        tokenizer_object=raw, bos_token="<s>", eos_token="</s>", unk_token="<unk>",
        clean_up_tokenization_spaces=False,
    )  # fmt: skip


@pytest.fixture(scope="module", params=[byte_level, sentencepiece])
def vocabulary(request: pytest.FixtureRequest) -> Vocabulary:
    tokenizer = request.param()
    return Vocabulary(tokenizer, token_texts(tokenizer), tokenizer.eos_token_id)


def bold(*values: str, **suffixes: Sequence[str]) -> FromContext:
    return FromContext(name="title", open="**", close="**", values=values, suffixes=suffixes)


def written(
    vocabulary: Vocabulary, fields: Sequence[FromContext], wish: Callable[[int], Any]
) -> tuple[str, bool]:
    """The text of a model that takes the token it wishes for most, and whether it ended by itself."""
    decoding = GroundedDecoding([Grounding(fields, vocabulary.texts)])
    ids = list(PROMPT)
    for step in range(STEPS):
        scores = decoding(torch.tensor([ids]), wish(step)[None].clone())
        assert torch.isfinite(scores).any(), "no token is left to go on"
        ids.append(int(scores.argmax()))
        if ids[-1] == vocabulary.end:
            break
    return text_of(vocabulary, ids[len(PROMPT) :]), ids[-1] == vocabulary.end


def text_of(vocabulary: Vocabulary, ids: Sequence[int]) -> str:
    return str(vocabulary.tokenizer.decode(ids, skip_special_tokens=True))


def spelled(vocabulary: Vocabulary, text: str) -> Callable[[int], Any]:
    """A model that would like to write ``text`` and then to end."""
    ids = vocabulary.tokenizer(text, add_special_tokens=False)["input_ids"] + [vocabulary.end]
    return lambda step: one_hot(vocabulary, ids[min(step, len(ids) - 1)])


def one_hot(vocabulary: Vocabulary, token_id: int) -> Any:
    return torch.nn.functional.one_hot(torch.tensor(token_id), vocabulary.texts.size).float()


def fields_in(text: str, field: FromContext) -> tuple[list[tuple[str, str]], str]:
    """As a reader finds them from the left: each closed value with the text behind it, and what a last mark opened."""
    closed = []
    _, _, rest = text.partition(field.open)
    while field.close in rest:
        value, _, behind = rest.partition(field.close)
        closed.append((value, behind))
        _, _, rest = behind.partition(field.open)
    return closed, rest


def assert_from_context(text: str, field: FromContext, *, ended: bool) -> None:
    closed, begun = fields_in(text, field)
    for value, behind in closed:
        assert value in field.values
        suffixes = field.suffixes.get(value) or ("",)
        assert any(behind.startswith(s) or (not ended and s.startswith(behind)) for s in suffixes)
    # what is cut off has begun well, up to a character that is not complete
    assert not (begun and ended)
    assert not begun or any(e.startswith(begun.rstrip("\ufffd")) for e in field.entries)


CHARS = "AlienBs* é🎬'1("
VALUES = st.lists(
    st.text(CHARS, min_size=1, max_size=8).filter(lambda value: writable(value, "**", "**")),
    max_size=5,
    unique=True,
)


@MANY
@given(values=VALUES, seed=st.integers(0, 2**31), greed=st.floats(0, 20))
def test_every_closed_field_is_a_value_and_a_token_is_always_left(
    vocabulary: Vocabulary, values: list[str], seed: int, greed: float
):
    """``greed`` pulls towards tokens with an asterisk, the end of the answer, and bytes of nothing."""
    random = torch.Generator().manual_seed(seed)
    pulled = torch.zeros(vocabulary.texts.size)
    for token_id in range(vocabulary.texts.size):
        if b"*" in vocabulary.texts[token_id]:
            pulled[token_id] = greed
    pulled[vocabulary.end] = greed / 4
    field = bold(*values, **{value: [" (1979)", " (1986)"] for value in values[:2]})

    text, ended = written(
        vocabulary,
        [field],
        lambda _: torch.randn(vocabulary.texts.size, generator=random) * 4 + pulled,
    )

    assert_from_context(text, field, ended=ended)


@MANY
@given(
    values=VALUES.filter(bool), wishes=st.lists(st.text(CHARS + "*" * 12), min_size=1, max_size=4)
)
def test_a_model_that_insists_on_a_text_is_held_to_the_values(
    vocabulary: Vocabulary, values: list[str], wishes: list[str]
):
    ids = vocabulary.tokenizer("**".join(wishes), add_special_tokens=False)["input_ids"]
    assume(ids)
    field = bold(*values)

    text, _ = written(
        vocabulary, [field], lambda step: one_hot(vocabulary, ids[step % len(ids)]) * 9
    )

    assert_from_context(text, field, ended=False)


@MANY
@given(values=VALUES.filter(bool), order=st.randoms(use_true_random=False))
def test_what_is_from_the_context_can_be_written_as_the_model_likes(
    vocabulary: Vocabulary, values: list[str], order: Any
):
    order.shuffle(values)
    text = " then ".join(f"see **{value}**" for value in values)
    assume(vocabulary.texts.can_spell(text))
    wished = text[: STEPS // 2].rpartition(" then ")[0] or "see"

    assert written(vocabulary, [bold(*values)], spelled(vocabulary, wished)) == (wished, True)


def test_a_made_up_title_turns_into_one_that_is_there(vocabulary: Vocabulary):
    text, ended = written(
        vocabulary, [bold("Alien", "Aliens")], spelled(vocabulary, "See **Amadeus**!")
    )

    assert text.startswith("See **Alien")
    assert ended


def test_a_value_that_begins_another_can_end_and_can_go_on(vocabulary: Vocabulary):
    fields = [bold("Alien", "Aliens")]

    for wished in ("**Alien** and", "**Aliens** and"):
        assert written(vocabulary, fields, spelled(vocabulary, wished)) == (wished, True)


def test_the_answer_cannot_end_within_a_field(vocabulary: Vocabulary):
    end = one_hot(vocabulary, vocabulary.end)
    begun = vocabulary.tokenizer("**", add_special_tokens=False)["input_ids"]

    text, ended = written(
        vocabulary,
        [bold("Alien", Alien=[" (1979)"])],
        lambda step: one_hot(vocabulary, begun[0]) if step < len(begun) else end,
    )

    assert (text, ended) == ("**Alien** (1979)", True)


def test_without_values_no_mark_is_opened_and_one_asterisk_is_free(vocabulary: Vocabulary):
    text, _ = written(vocabulary, [bold()], spelled(vocabulary, "2*3 **Alien** *a*"))

    assert "**" not in text
    assert text.startswith("2*3")


def test_the_year_follows_its_own_title(vocabulary: Vocabulary):
    field = bold("Alien", "Aliens", Alien=[" (1979)"], Aliens=[" (1986)"])

    text, _ = written(vocabulary, [field], spelled(vocabulary, "**Aliens** (1979)"))

    assert text.startswith("**Aliens** (1986)")


def test_fields_with_other_marks_are_told_apart(vocabulary: Vocabulary):
    fields = [
        bold("Alien"),
        FromContext(name="person", open="<i>", close="</i>", values=["Ian Holm"]),
    ]
    wished = "<b>**Alien**<i>Ian Holm</i>"

    assert written(vocabulary, fields, spelled(vocabulary, wished)) == (wished, True)
    assert "Nobody" not in written(vocabulary, fields, spelled(vocabulary, "<i>Nobody</i>"))[0]


def test_each_row_of_a_batch_has_its_own_values(vocabulary: Vocabulary):
    rows = [Grounding([bold(value)], vocabulary.texts) for value in ("Alien", "Heat")]
    decoding = GroundedDecoding(rows)
    ids = torch.tensor([PROMPT, PROMPT])
    begun = vocabulary.tokenizer("**", add_special_tokens=False)["input_ids"]
    for step in range(12):
        wish = one_hot(vocabulary, begun[step] if step < len(begun) else vocabulary.end)
        scores = decoding(ids, torch.stack([wish, wish]))
        ids = torch.cat([ids, scores.argmax(-1, keepdim=True)], dim=-1)

    texts = [text_of(vocabulary, row[len(PROMPT) :]) for row in ids.tolist()]
    assert texts == ["**Alien**", "**Heat**"]


def test_a_beam_that_takes_anothers_place_is_read_anew(vocabulary: Vocabulary):
    decoding = GroundedDecoding([Grounding([bold("Alien")], vocabulary.texts)])
    opened, free = (
        vocabulary.tokenizer(text, add_special_tokens=False)["input_ids"] for text in ("**", "AB")
    )
    wish = torch.zeros(2, vocabulary.texts.size)
    end = vocabulary.end

    def may_end(*beams: Sequence[int]) -> list[bool]:
        length = min(map(len, beams))
        scores = decoding(torch.tensor([[*PROMPT, *beam[:length]] for beam in beams]), wish)
        return torch.isfinite(scores[:, end]).tolist()

    decoding(torch.tensor([PROMPT, PROMPT]), wish)
    assert may_end(opened, free[: len(opened)]) == [False, True]
    assert may_end(free[: len(opened)], opened) == [True, False]


def test_a_token_that_closes_a_field_may_open_the_next_one_only_with_a_value():
    tokens = [
        b"**",
        b"A",
        b"A*",
        b"A**",
        b"A** **A",
        b"A** **Z",
        b"A** **",
        b"A***",
        b"Z",
        b"*",
        b" ",
    ]
    decoding = GroundedDecoding([Grounding([bold("A")], TokenTexts(tokens))])
    decoding(torch.tensor([[8]]), torch.zeros(1, len(tokens)))

    scores = decoding(torch.tensor([[8, 0]]), torch.zeros(1, len(tokens)))

    allowed = [token for token, score in zip(tokens, scores[0], strict=True) if score == 0]
    assert allowed == [b"A", b"A*", b"A**", b"A** **A", b"A** **", b"A***"]


def test_scores_that_forbid_every_value_still_leave_one(vocabulary: Vocabulary):
    forbidden = torch.full((vocabulary.texts.size,), float("-inf"))
    stars = vocabulary.tokenizer("**", add_special_tokens=False)["input_ids"]

    text, _ = written(
        vocabulary,
        [bold("Alien")],
        lambda step: one_hot(vocabulary, stars[step]) if step < len(stars) else forbidden,
    )

    assert text.startswith("**Alien**")


def test_scores_are_not_changed_in_place(vocabulary: Vocabulary):
    decoding = GroundedDecoding([Grounding([bold()], vocabulary.texts)])
    scores = torch.zeros(1, vocabulary.texts.size)

    masked = decoding(torch.tensor([PROMPT]), scores)

    assert torch.isneginf(masked).any()
    assert not scores.any()


def test_a_character_that_no_token_writes_leaves_its_value_out():
    raw = Tokenizer(
        models.Unigram([(p, -1.0) for p in ["<unk>", "*", "A", "B", "\u2581"]], unk_id=0)
    )
    raw.decoder = decoders.Metaspace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, unk_token="<unk>", eos_token="<unk>")
    texts = token_texts(tokenizer)

    assert (texts.can_spell("A B*"), texts.can_spell("Aé")) == (True, False)
    scores = GroundedDecoding([Grounding([bold("Aé", "B")], texts)])
    stars = torch.tensor([[0], [1], [1]]).T
    scores(stars[:, :1], torch.zeros(1, 5))
    assert torch.isfinite(scores(stars, torch.zeros(1, 5)))[0].tolist() == [
        False, False, False, True, False,
    ]  # fmt: skip


def test_a_tokenizer_whose_texts_depend_on_their_neighbours_is_refused():
    raw = Tokenizer(models.WordPiece({"[UNK]": 0, "a": 1, "##b": 2}, unk_token="[UNK]"))
    raw.decoder = decoders.WordPiece()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, unk_token="[UNK]")

    with pytest.raises(ConfigurationError, match=r"decoder: WordPiece.*GROUNDED_DECODING=off"):
        token_texts(tokenizer)


def test_token_texts_are_what_the_tokenizer_decodes(vocabulary: Vocabulary):
    text = "See **Alien**! (1979): Amélie's 🎬 **"
    ids = vocabulary.tokenizer(text, add_special_tokens=False)["input_ids"]

    assert b"".join(vocabulary.texts[i] for i in ids).decode().strip() == text
    assert vocabulary.texts[vocabulary.end] == b""
    assert vocabulary.texts[vocabulary.texts.size + 5] == b""


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ([bold("A"), FromContext(open="*", close="*")], r"'\*' is part of '\*\*'"),
        ([bold("A"), FromContext(open="**", close="!")], r"closed by '!' here"),
        (
            [bold("A"), FromContext(open="<", close=">", values=["B"], suffixes={"B": ["**"]})],
            "a suffix holds an opening mark",
        ),
    ],
)
def test_fields_that_could_be_read_in_two_ways_are_refused(
    fields: list[FromContext], reason: str, vocabulary: Vocabulary
):
    with pytest.raises(DataError, match=reason):
        Grounding(fields, vocabulary.texts)


@pytest.mark.parametrize("value", ["A**B", "A*", "*", "", " ", "A\nB", "x" * 301])
def test_a_value_that_would_not_be_read_back_is_refused(value: str):
    assert not writable(value, "**", "**")
    with pytest.raises(ValueError, match=r"closing mark|at least 1|at most 300|pattern"):
        bold(value)


def test_a_suffix_belongs_to_a_value_and_opens_nothing():
    with pytest.raises(ValueError, match="not among the values"):
        bold("Alien", Aliens=[" (1986)"])
    with pytest.raises(ValueError, match="holds the opening mark"):
        bold("Alien", Alien=[" **"])


@pytest.mark.parametrize("beams", [1, 3])
def test_a_real_model_writes_titles_of_the_context_alone(tiny: LoadedModel, beams: int):
    texts = token_texts(tiny.tokenizer)
    field = bold("The Store", "É", **{"É": [" (1999)"]})
    stars = tiny.tokenizer("**", add_special_tokens=False)["input_ids"]
    prompts = torch.tensor([[*PROMPT, *stars]] * 2)
    prefixed = GroundedDecoding([Grounding([field], texts) for _ in prompts])
    torch.manual_seed(0)

    # the bias makes a model that knows nothing open a field whenever it may
    ids = tiny.model.generate(
        prompts, attention_mask=torch.ones_like(prompts), max_new_tokens=40,
        do_sample=beams == 1, num_beams=beams, logits_processor=[prefixed],
        sequence_bias=[[[stars[0]], 6.0]],
        eos_token_id=tiny.tokenizer.eos_token_id, pad_token_id=tiny.tokenizer.pad_token_id,
    )[:, prompts.shape[1] :]  # fmt: skip

    for row in ids.tolist():
        text = tiny.tokenizer.decode(row, skip_special_tokens=True)
        assert fields_in(text, field)[0]
        assert_from_context(text, field, ended=False)
