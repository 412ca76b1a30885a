import pytest
from asked_rows import ANSWER, film, prose

from rag_llm_system.application.evaluation.answers.style import profile_of, style_of

LIVELY = profile_of([ANSWER, ANSWER])
ESSAY = (
    "We keep the vectors in a store, because a store can be asked. When it is full, we make another; that is all."
    " The owner of a part is the one who wrote it, and there is a test for each."
)
SOBER = profile_of([ESSAY])


def test_the_references_say_which_style_is_meant():
    assert (LIVELY.style, SOBER.style) == ("enthusiastic", "prose")
    assert profile_of([]).style == "prose"


def test_a_reference_has_the_whole_style():
    style = style_of(ANSWER, film(), LIVELY)

    assert style.parts == {"enthusiasm": 1, "bold": 1, "reason": 1}
    assert style.score == 1
    assert style_of(ESSAY, prose(), SOBER).score == pytest.approx(1)


@pytest.mark.parametrize(
    ("answer", "part"),
    [
        ("The film is **Alien** (1979). It follows the crew of a cargo ship.", "enthusiasm"),
        ("You'll love Alien! It follows the crew of a cargo ship!", "bold"),
        ("You'll love **Alien** (1979)! Have a wonderful evening with it!", "reason"),
    ],
)
def test_what_is_missing_of_the_style_is_told_by_its_part(answer: str, part: str):
    parts = style_of(answer, film(), LIVELY).parts

    assert parts[part] == 0
    assert all(value > 0 for name, value in parts.items() if name != part)


def test_half_of_the_enthusiasm_is_the_opener():
    answer = "Great! It is **Alien** (1979), which follows the crew of a cargo ship. It is old. It is good."

    assert 0.5 < style_of(answer, film(), LIVELY).parts["enthusiasm"] < 0.9


def test_other_prose_is_less_like_the_author():
    near = "We keep the tests in a folder, because a folder can be read. When it is long, we cut it; that is all."
    far = "Vectors! Stores!! Speed (fast) - power - scale - vectors!!"

    scores = [style_of(text, prose(), SOBER) for text in (near, far)]

    assert scores[0].score > 0.8
    assert scores[1].score < 0.4
    assert all(scores[0].parts[name] > scores[1].parts[name] for name in scores[0].parts)


@pytest.mark.parametrize("answer", ["", "!!! ** **", "1999"])
def test_an_answer_without_words_has_no_style(answer: str):
    assert style_of(answer, film(), LIVELY).score == 0
    assert style_of(answer, prose(), SOBER).score == 0


def test_without_titles_to_name_any_bold_will_do():
    bare = film(titles=(), context="")

    assert style_of("Wow, **Alien** is a film for all of us!", bare, LIVELY).parts["bold"] == 1
