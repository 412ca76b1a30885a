"""From documents to instruction rows in one call, and the counts that every generator must keep."""

from collections.abc import Iterable, Iterator

import pytest

from rag_llm_system.application.dataset.generation import generate
from rag_llm_system.application.dataset.generation_report import GenerationReport
from rag_llm_system.application.dataset.offline import OfflineGenerator
from rag_llm_system.application.dataset.prompts import GenerationPrompt, create_prompts
from rag_llm_system.domain.datasets import Row
from rag_llm_system.domain.documents import CleanedDocument
from rag_llm_system.domain.errors import DataError
from tests.unit.application.dataset.dataset_documents import (
    MORE,
    OPENING,
    SECTION,
    cleaned_document,
)


def rows_from_documents(documents: Iterable[CleanedDocument]) -> Iterator[Row]:
    prompts = create_prompts(documents, "instruction")
    return generate(prompts, OfflineGenerator(), GenerationReport())


def test_documents_become_rows_in_which_the_author_answers_verbatim():
    source = cleaned_document()

    rows = list(rows_from_documents([source]))

    assert [row.messages[-1].content for row in rows] == [OPENING, SECTION, MORE]
    assert all(row.messages[-1].content in source.text for row in rows)
    assert [row.metadata["section"] for row in rows] == ["", "Reranking", "Reranking"]


def test_rows_are_conversations_with_the_author_as_their_system_message():
    row = next(rows_from_documents([cleaned_document()]))

    assert [m.role for m in row.messages] == ["system", "user", "assistant"]
    assert "The Team" in row.messages[0].content


def test_an_author_without_a_name_is_the_author():
    row = next(rows_from_documents([cleaned_document(author_full_name=" ")]))

    assert row.messages[0].content == "You write as the author does, in the author's own style."


def test_the_same_documents_give_the_same_rows():
    documents = [cleaned_document("one"), cleaned_document("two", title="Again")]

    assert list(rows_from_documents(documents)) == list(rows_from_documents(documents))


def test_a_document_without_prose_gives_no_rows():
    assert list(rows_from_documents([cleaned_document(text="")])) == []


def test_a_generator_whose_counts_do_not_add_up_is_found_out():
    class Careless:
        name = "careless"

        def rows(
            self, prompts: Iterable[GenerationPrompt], report: GenerationReport
        ) -> Iterator[Row]:
            report.candidates += 3
            yield from ()

    with pytest.raises(DataError, match="careless: 3 pairs tried, but 0 rows and 0 lost"):
        list(generate([], Careless(), GenerationReport()))
