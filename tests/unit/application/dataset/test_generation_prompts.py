"""Extracts of documents: slices of the author's prose, of a size, that end where paragraphs and sections do."""

from itertools import pairwise
from typing import Literal

import pytest

from rag_llm_system.application.dataset.generation_report import GenerationReport
from rag_llm_system.application.dataset.offline_terms import names_in, repeated_terms
from rag_llm_system.application.dataset.prompts import create_prompts
from rag_llm_system.domain.documents import CleanedDocument
from tests.unit.application.dataset.dataset_documents import (
    OPENING,
    cleaned_document,
    long_text,
)

LISTING = "```python\n" + "rank(found)\n" * 100 + "```"


def prompts_of(
    *documents: CleanedDocument, kind: Literal["instruction", "preference"] = "instruction"
):
    return list(create_prompts(documents, kind))


def test_extracts_are_slices_of_one_to_two_thousand_characters_that_cover_the_prose():
    document = cleaned_document(text=long_text(12))

    prompts = prompts_of(document)

    assert all(p.extract == document.text[p.start : p.end] for p in prompts)
    assert all(1000 <= len(p.extract) <= 2000 for p in prompts[:-1])
    assert [p.start for p in prompts] == sorted(p.start for p in prompts)
    gaps = [document.text[a.end : b.start] for a, b in pairwise(prompts)]
    assert (prompts[0].start, prompts[-1].end) == (0, len(document.text))
    assert "".join(gaps).strip() == ""


def test_an_extract_ends_with_a_sentence_and_begins_with_a_section_or_paragraph():
    prompts = prompts_of(cleaned_document(text=long_text(12)))

    assert all(p.extract.endswith(".") for p in prompts)
    assert all(p.extract.startswith(("## ", "Paragraph ")) for p in prompts)


def test_a_prompt_says_where_it_comes_from():
    (prompt,) = prompts_of(cleaned_document())

    assert prompt.title == "On Retrieval"
    assert prompt.category == "articles"
    assert prompt.author_full_name == "The Team"
    assert prompt.prompt_version == "instruct-1"
    assert prompt.chunk_id == f"one:0-{len(prompt.extract)}"


def test_the_heading_above_an_extract_is_known_where_it_begins_amid_a_section():
    prompts = prompts_of(cleaned_document(text=long_text(1, paragraphs=9)))

    assert len(prompts) > 1
    assert {p.heading for p in prompts} == {"Vector Stores 0"}


def test_ids_are_the_same_in_every_run_and_differ_by_kind_and_place():
    document = cleaned_document(text=long_text(6))
    ids = [p.id for p in prompts_of(document)]

    assert ids == [p.id for p in prompts_of(document)]
    both = ids + [p.id for p in prompts_of(document, kind="preference")]
    assert len(set(both)) == 2 * len(ids)


def test_a_short_document_is_one_extract():
    assert [p.extract for p in prompts_of(cleaned_document(text=OPENING * 2))] == [OPENING * 2]


def test_code_records_and_other_categories_give_no_prompts_and_are_counted():
    report = GenerationReport()
    documents = [
        cleaned_document("film", category="movies"),
        cleaned_document("file", category="posts", metadata={"kind": "code"}),
        cleaned_document("listing", f"{OPENING}\n\n{LISTING}"),
    ]

    assert list(create_prompts(documents, "instruction", report=report)) == []
    assert report.documents == 1
    assert report.skipped == {"document is no prose": 2, "extract is no prose": 1}


def test_another_category_may_be_named():
    documents = [cleaned_document(category="repositories", metadata={"kind": "documentation"})]

    (prompt,) = create_prompts(documents, "instruction", categories=("repositories",))

    assert prompt.category == "repositories"


def test_only_preferences_carry_passages_from_elsewhere():
    document = cleaned_document(text=long_text(12))

    prompts = prompts_of(document, kind="preference")

    assert not any(p.elsewhere for p in prompts_of(document))
    for prompt in prompts:
        assert 1 <= len(prompt.elsewhere) <= 3
        assert all(text in document.text for text in prompt.elsewhere)
        assert all(text not in prompt.extract for text in prompt.elsewhere)
    assert len({prompt.elsewhere[0] for prompt in prompts}) == len(prompts)


def test_a_document_of_one_extract_has_nothing_elsewhere():
    assert [p.elsewhere for p in prompts_of(cleaned_document(), kind="preference")] == [()]


def test_documents_are_taken_one_at_a_time():
    taken: list[str] = []

    def documents():
        for name in ("one", "two", "three"):
            taken.append(name)
            yield cleaned_document(name)

    next(create_prompts(documents(), "instruction"))

    assert taken == ["one"]


def test_repeated_pairs_of_telling_words_are_terms():
    text = (
        "The residual stream is read. A residual stream is written, and the other things are other things.\n\n"
        "```\nresidual value\nresidual value\n```\n"
    )

    assert repeated_terms(text) == ["residual stream"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("We train QLoRA on Llama 3.1 with Hugging Face.", ["QLoRA", "Llama 3.1", "Hugging Face"]),
        ("However, it runs. Therefore we stop.", []),
        ("Call `load_model` on a GPU.", ["load_model", "GPU"]),
        ("Qdrant stores it. We ask Qdrant.", ["Qdrant"]),
    ],
)
def test_names_are_capitals_that_begin_no_sentence_and_inline_code(text: str, names: list[str]):
    assert names_in(text) == names
