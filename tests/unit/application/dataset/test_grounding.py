import pytest

from rag_llm_system.application.dataset.grounding import Corpus, Grounding, grounding

SOURCE = """# Training

In 2024 the team of Maxime Labonne trained a model on 15,000 rows. It took five hours, and the
results were published by Hugging Face. "Most of the models were merged," he wrote.
"""


def share(answer: str) -> float:
    found = grounding(answer, SOURCE)
    assert found is not None
    return found.share


def test_a_sentence_of_the_source_is_grounded_and_verbatim():
    assert grounding("It took five hours, and the results were published", SOURCE) == Grounding(
        share=1, verbatim=True, missing=()
    )


def test_other_endings_and_the_marks_of_plural_are_found():
    found = grounding("Training models; the team's result: a publication.", SOURCE)

    assert found == Grounding(share=1, verbatim=False, missing=())


def test_a_number_and_a_name_that_the_source_lacks_are_named():
    found = grounding("The team of Paul Labonne trained on 16,000 rows.", SOURCE)

    assert found is not None
    assert found.missing == ("Paul", "16,000")
    assert found.share == pytest.approx(4 / 6)


def test_words_without_content_count_for_nothing():
    assert grounding("Would you? We won't, and they can't!", SOURCE) is None
    assert share("You'll have what they published.") == 1


def test_an_answer_about_something_else_has_a_low_share():
    assert share("Bakers knead dough before dawn.") == 0


def test_a_name_is_not_found_in_a_word_that_begins_like_it():
    found = grounding("It was Train who wrote it.", "Trainers wrote it.")

    assert found is not None
    assert found.missing == ("Train",)


def test_the_passage_that_holds_most_of_an_answer_is_found():
    filler = " ".join(f"word{n}" for n in range(1000))
    corpus = Corpus([f"{filler} Rivers carry water to the sea. {filler}", SOURCE])

    passage = corpus.best_passage("Where do rivers carry their water? To the sea.")

    assert "Rivers carry water" in passage
    assert len(passage.split()) <= 300
    assert "Labonne" in corpus.best_passage("Labonne trained a model.")
    assert corpus.best_passage("Zebras!") == ""


def test_of_two_passages_with_all_words_the_verbatim_one_is_taken():
    corpus = Corpus(["Water carries rivers.", "Rivers carry water."])

    assert corpus.best_passage("rivers carry water") == "Rivers carry water."


def test_an_empty_source_holds_nothing():
    assert Corpus([""]).best_passage("Rivers carry water.") == ""
    found = grounding("Rivers carry water.", "")
    assert found is not None
    assert found.share == 0
