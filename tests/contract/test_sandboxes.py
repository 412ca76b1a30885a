"""What every sandbox must do, run on each of them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

import pytest

from rag_llm_system.domain.crawling import Extracted
from rag_llm_system.domain.errors import CrawlError, DataError, UnknownName
from rag_llm_system.domain.ports import Sandbox
from rag_llm_system.infrastructure.loading import load
from rag_llm_system.infrastructure.sandboxes import SANDBOXES
from tests import sandboxed

LINK = "https://example.org/a"


@pytest.fixture(scope="module", params=sorted(SANDBOXES))
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    opened: Sandbox = load("sandbox", request.param, SANDBOXES)()
    yield opened
    opened.close()


def test_a_result_comes_back_as_the_function_gave_it(sandbox: Sandbox) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)

    assert sandbox.run(sandboxed.upper, "größe") == "GRÖSSE"
    assert sandbox.run(sandboxed.extracted, "text", LINK) == Extracted(text="text", canonical=LINK)
    assert sandbox.run(sandboxed.extracted, html="", url=LINK) is None
    assert sandbox.run(sandboxed.nothing, "") is None
    carried = sandbox.run(sandboxed.everything_json_can_carry, moment)
    assert {key: tuple(values) for key, values in carried.items()} == {
        "Größe, 日本語, 😀 \x00": (moment, None)
    }


def test_a_refusal_of_the_function_is_raised_with_all_it_says(sandbox: Sandbox) -> None:
    with pytest.raises(CrawlError, match=f"^{LINK}: it says no$") as caught:
        sandbox.run(sandboxed.refuse, LINK, retry_after_s=1.5)

    error = caught.value
    assert (error.link, error.reason, error.kind) == (LINK, "it says no", "busy")
    assert (error.retry_after_s, error.page) == (1.5, None)


def test_other_errors_of_ours_are_raised_as_they_are(sandbox: Sandbox) -> None:
    with pytest.raises(DataError, match=r"^two and two are five$"):
        sandbox.run(sandboxed.miscount)
    with pytest.raises(UnknownName, match=r"^unknown colour 'grue'; known: green, red$"):
        sandbox.run(sandboxed.ask_for_the_unknown)


def test_a_parser_that_fails_is_a_damaged_page(sandbox: Sandbox) -> None:
    with pytest.raises(CrawlError, match=r"the page cannot be parsed: KeyError$") as caught:
        sandbox.run(sandboxed.stumble, f"{LINK}#top")

    assert (caught.value.link, caught.value.kind) == (LINK, "damaged")


def test_a_page_nested_too_deeply_is_too_large(sandbox: Sandbox) -> None:
    with pytest.raises(CrawlError, match=r"^a page: the page is nested too deeply$") as caught:
        sandbox.run(sandboxed.recurse, 0)

    assert caught.value.kind == "too large"


def test_many_threads_get_each_their_own_result(sandbox: Sandbox) -> None:
    texts = [f"page {n} " * 1_000 for n in range(200)]

    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(partial(sandbox.run, sandboxed.upper), texts))

    assert results == [text.upper() for text in texts]


def test_closing_twice_is_harmless(sandbox: Sandbox) -> None:
    cls = type(sandbox)
    another = cls()
    another.close()
    another.close()
