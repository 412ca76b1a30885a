import pytest
from asked_rows import film, prose

from rag_llm_system.application.evaluation.answers.memorisation import (
    Probe,
    by_chance,
    memorised,
    probes_of,
)

UNSEEN = film(titles=("Brazil",), picks=("Brazil",), reference="Watch **Brazil** (1985)!")
PROBE = Probe(film(), UNSEEN)


@pytest.mark.parametrize(
    ("answer", "own", "chance"),
    [
        ("Watch **Alien** (1979)!", 1, 0),
        ("Watch Alien!", 1, 0),
        ("Watch **Brazil** (1985)!", 0, 1),
        ("Watch **Aliens**!", 0, 0),
        ("I need the library first.", 0, 0),
    ],
)
def test_titles_of_the_training_answer_that_come_out_are_memorised(
    answer: str, own: int, chance: int
):
    assert memorised(answer, PROBE) == (own, 1)
    assert by_chance(answer, PROBE) == (chance, 1)


def test_a_title_that_the_question_has_is_no_memory():
    probe = Probe(film(question="Is Alien any good?"), UNSEEN)

    assert memorised("Alien is great!", probe) == (0, 0)


def test_of_prose_the_phrases_count():
    trained = prose(reference="The owner of a part is the one who wrote it last week.")
    probe = Probe(trained, prose(reference="Nothing of the kind was ever said here before."))

    half = memorised("As we say, the owner of a part is the one to ask.", probe)

    assert half == (pytest.approx(4 / 9), 1)
    assert by_chance("As we say, the owner of a part is the one to ask.", probe) == (0, 1)


def test_unseen_rows_are_used_again_when_they_are_fewer():
    probes = probes_of([film(), prose(), film()], [UNSEEN, prose()])

    assert [probe.unseen for probe in probes] == [UNSEEN, prose(), UNSEEN]
    assert probes_of([film()], []) == []
