"""The day of publication is a number, or nothing."""

import pytest

from rag_llm_system.application.preprocessing.publication_dates import publication_facts


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("2024-01-31T23:59:00+00:00", 20240131),
        ("2024-01-31", 20240131),
        ("20240131", 20240131),
        (" 2024-03 ", 20240301),
        ("2024", 20240101),
    ],
)
def test_a_date_becomes_the_number_of_its_day(written: str, number: int) -> None:
    assert publication_facts({"published_at": written}) == {"published_on": number}


@pytest.mark.parametrize(
    "written", ["", "yesterday", "2024-02-30", "2024-13", "0000-01-01", "20241"]
)
def test_what_is_no_date_gives_nothing(written: str) -> None:
    assert publication_facts({"published_at": written}) == {}


def test_a_document_without_a_date_has_none() -> None:
    assert publication_facts({"title": "2024"}) == {}
