"""An error that crosses to another process says there what it said here."""

from datetime import UTC, datetime
from typing import Any

import pytest

from rag_llm_system.domain import errors
from rag_llm_system.domain.documents import Page
from rag_llm_system.domain.errors import (
    CrawlError,
    DataError,
    MissingExtra,
    RagSystemError,
    UnknownAuthor,
    UnknownName,
)
from rag_llm_system.infrastructure.sandboxes.failures import (
    Failure,
    error_of,
    failure_of,
    link_among,
)
from tests import sandboxed

LINK = "https://example.org/a"
PAGE = Page(
    url=LINK, final_url=LINK, status=403, content=b"no", fetched_at=datetime(2026, 1, 1, tzinfo=UTC)
)
OURS = sorted(
    {
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, RagSystemError)
    },
    key=lambda cls: cls.__name__,
)
ARGUMENTS: dict[type[RagSystemError], tuple[Any, ...]] = {
    CrawlError: (LINK, "it says no"),
    UnknownName: ("colour", "grue", ["red"]),
    MissingExtra: ("faiss", "faiss"),
    UnknownAuthor: ("Ada", ["Bob"]),
}


def crossed(error: Exception) -> RagSystemError:
    """As the other side of the pipe gets it."""
    sent = failure_of(error).model_dump_json()
    return error_of(Failure.model_validate_json(sent), "https://example.org/given")


@pytest.mark.parametrize("cls", OURS)
def test_every_error_of_ours_keeps_its_class_and_message(cls: type[RagSystemError]) -> None:
    error = cls(*ARGUMENTS.get(cls, ("what went wrong",)))

    assert type(crossed(error)) is cls
    assert str(crossed(error)) == str(error)


def test_an_error_made_of_one_of_ours_comes_as_that() -> None:
    class Miscounted(DataError):
        pass

    assert type(crossed(Miscounted("two and two are five"))) is DataError


def test_a_refusal_keeps_all_but_its_page() -> None:
    error = crossed(CrawlError(LINK, "later", kind="busy", retry_after_s=0.5, page=PAGE))

    assert isinstance(error, CrawlError)
    assert (error.link, error.reason, error.kind) == (LINK, "later", "busy")
    assert (error.retry_after_s, error.page) == (0.5, None)


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (ValueError("text of the page"), "damaged", "the page cannot be parsed: ValueError"),
        (RecursionError(), "too large", "the page is nested too deeply"),
        (MemoryError(), "too large", "the page needs more memory than one may take"),
    ],
)
def test_any_other_error_is_a_fault_of_the_page(error: Exception, kind: str, reason: str) -> None:
    ours = crossed(error)

    assert isinstance(ours, CrawlError)
    assert (ours.link, ours.kind, ours.reason) == ("https://example.org/given", kind, reason)


def test_a_text_that_json_cannot_carry_does_not_hide_the_error() -> None:
    assert crossed(CrawlError(LINK, "half a pair: \ud800")).args == (f"{LINK}: half a pair: ?",)
    assert "cannot be parsed" in str(crossed(KeyError("\udfff")))


def test_a_class_that_is_none_of_ours_is_not_made() -> None:
    error = error_of(Failure(error="Iterable", message="what a worker may say"), LINK)

    assert type(error) is CrawlError


@pytest.mark.parametrize(
    ("args", "kwargs", "link"),
    [
        (("", "HTTPS://user:s3cret@Example.org/a#top"), {}, "https://example.org/a"),
        (("",), {"url": LINK}, LINK),
        (("", "https://example.org:port/"), {}, "a page"),
        (("", 3), {}, "a page"),
    ],
)
def test_the_page_is_named_by_the_link_the_function_was_given(
    args: tuple[Any, ...], kwargs: dict[str, Any], link: str
) -> None:
    assert link_among(sandboxed.extracted, args, kwargs) == link
    assert link_among(sandboxed.upper, ("text",), {}) == "a page"
