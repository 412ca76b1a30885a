"""The chat page in a real browser: what a reader asks, sees and keeps."""

from collections.abc import Iterator

import pytest
from fastapi.responses import JSONResponse
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from tests.browser_site import NEEDS_BROWSER
from tests.chat_browser import ChatPage, chat
from tests.chat_stub import (
    ASSISTANTS,
    FUNCTION,
    QUOTE,
    Gate,
    body,
    code,
    film,
    refused,
    source,
    streamed,
)

pytestmark = NEEDS_BROWSER


@pytest.fixture(scope="module")
def browsing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatPage]:
    with chat(tmp_path_factory.mktemp("chat")) as page:
        yield page


@pytest.fixture
def page(browsing: ChatPage) -> Iterator[ChatPage]:
    browsing.fresh()
    yield browsing
    assert browsing.complaints() == []


def test_the_answer_is_shown_while_it_is_written(page: ChatPage) -> None:
    gate = Gate()
    page.stub.answers = [streamed("The first **half** ", gate, "and the second [1].")]
    page.ask("What is it?")
    page.says(".answer", "The first half")
    assert page.text(".progress") == "Found 2 passages, writing"
    assert page.one("#stop").is_displayed()
    assert not page.one("#send").is_displayed()
    gate.open()
    page.says(".answer", "and the second 1.")
    page.says(".sources h3", "2 sources, 1 cited")
    assert page.one("#send").is_displayed()


def test_markdown_is_shown_as_lists_bold_text_and_code(page: ChatPage) -> None:
    page.stub.answers = [
        streamed(
            "1. one\n2. **two**\n   - `deep`\n\n", "```py\nif a < b:\n\n    pass\n```\n", "End"
        )
    ]
    page.answered("How?")
    assert [item.text for item in page.all(".answer > ol > li")] == ["one", "two\ndeep"]
    assert page.text(".answer ol strong") == "two"
    assert page.text(".answer ol ul code") == "deep"
    assert page.text(".answer pre") == "if a < b:\n\n    pass"
    assert page.text(".answer > p") == "End"


def test_a_citation_opens_its_source_with_the_quote_marked(page: ChatPage) -> None:
    page.answered("Who waits?")
    page.press(".citation[data-n='2']")
    assert page.one("#source").is_displayed()
    assert page.focused().endswith("Title 2")
    assert " ".join(page.text("#source mark").split()) == QUOTE
    assert page.text("#source [data-part=passage]").startswith("Vectors are stored in segments.")
    facts = page.text("#source .facts")
    assert "store/segment.py, lines 10-24" in facts
    assert "close (0.62)" in facts
    assert page.one("#source a").get_attribute("href") == "https://example.org/2"
    assert page.one(".citation[data-n='2']").get_attribute("aria-expanded") == "true"
    page.press("#source [data-part=previous]")
    page.says("#source h2", "Title 1")
    page.type(Keys.ESCAPE)
    assert not page.one("#source").is_displayed()
    assert page.focused() == "Source 2: Title 2"


def test_sources_that_are_cited_come_first_and_the_rest_on_request(page: ChatPage) -> None:
    sources = [source(n, cited=n == 150) for n in range(1, 201)]
    page.stub.answers = [streamed("All of it [150].", sources=sources)]
    page.answered("What is there?")
    assert [one.text for one in page.all(".source .number")][:2] == ["150", "1"]
    assert len(page.all(".source")) == 8
    page.press("[data-part=all-sources]")
    assert len(page.all(".source")) == 200
    page.press("li:nth-child(200) .source")
    page.says("#source h2", "Title 200")


def test_a_quote_that_is_no_part_of_its_passage_is_shown_before_it(page: ChatPage) -> None:
    changed = source(1, quote="Something else.", passage="The passage <b>.")
    page.stub.answers = [streamed("So [1].", sources=[changed])]
    page.answered("Why?")
    page.press(".citation")
    assert page.text("#source mark") == "Something else."
    assert "The passage <b>." in page.text("#source [data-part=passage]")


def test_what_was_understood_skipped_and_noted_is_said(page: ChatPage) -> None:
    page.stub.answers = [
        streamed(
            "Yes [1].",
            question="What does Ada say about segments?",
            interpretation={
                "conditions": [{"field": "a", "condition": "b", "label": "author Ada"}]
            },
            notes=["Reranking was left out."],
            skipped=["reranking"],
            compliance_status="non_compliant: wages",
            timings_s={"retrieve": 0.0123, "search": 0.01, "generate": 1.5, "total": 1.52},
        )
    ]
    page.answered("And segments?")
    assert page.text("[data-part=understood]") == (
        "Asked as: What does Ada say about segments? · Understood: author Ada"
    )
    notes = [note.text for note in page.all(".notes li")]
    assert notes == ["Reranking was left out."]
    assert page.text(".after summary") == "Confidence high (0.87) · 1.52 s · details"
    page.press(".after summary")
    rows = [row.text for row in page.all(".after tbody tr")]
    assert rows == ["retrieve 0.012", "search 0.010", "generate 1.500", "total 1.520"]
    facts = page.text(".after .facts")
    assert all(
        text in facts for text in ("scripted", "0123456789ab", "trace-1", "reranking", "wages")
    )
    page.press("[aria-label='Copy the trace id']")
    page.until(lambda: page.text("#announcer").strip() in {"Copied", "Selected"})


def test_without_a_total_from_the_server_the_time_is_that_of_the_page(page: ChatPage) -> None:
    page.answered("How long?")
    page.press(".after summary")
    rows = page.text(".after tbody").split("\n")
    assert len(rows) == 3
    assert rows[2].startswith("total")
    assert 0 < float(rows[2].split()[1]) < 60


def test_a_verdict_is_sent_shown_and_can_be_changed(page: ChatPage) -> None:
    page.answered("Is it so?")
    page.press("[data-part=up]")
    page.says("[data-part=feedback-state]", "Noted")
    assert page.one("[data-part=up]").get_attribute("aria-pressed") == "true"
    page.press("[data-part=down]")
    page.until(lambda: len(page.stub.feedback) == 2)
    page.one(".comment input").send_keys("Not what I meant", Keys.ENTER)
    page.says("[data-part=feedback-state]", "with your comment")
    assert page.stub.feedback == [
        {"trace_id": "trace-1", "score": 1, "comment": ""},
        {"trace_id": "trace-1", "score": 0, "comment": ""},
        {"trace_id": "trace-1", "score": 0, "comment": "Not what I meant"},
    ]
    page.open()
    page.press(".conversation")
    assert page.one("[data-part=down]").get_attribute("aria-pressed") == "true"
    assert page.one(".comment input").get_property("value") == "Not what I meant"


def test_a_verdict_that_was_not_taken_is_not_shown_as_sent(page: ChatPage) -> None:
    page.stub.feedback_status = 503
    page.answered("Is it so?")
    page.press("[data-part=up]")
    page.says("[data-part=feedback-state]", "Not sent. The server cannot answer right now")
    assert page.one("[data-part=up]").get_attribute("aria-pressed") == "false"


def test_filters_number_and_deadline_are_sent_and_remembered(page: ChatPage) -> None:
    page.press("#options summary")
    page.until(lambda: len(page.all("select[name=author_full_name] option")) == 3)
    for name, choice in (("author_full_name", "Zoë Müller"), ("category", "posts")):
        Select(page.one(f"select[name={name}]")).select_by_visible_text(choice)
    page.one("input[name=k]").send_keys("4")
    page.one("input[name=deadline_s]").send_keys("2.5")
    page.answered("What did she write?")
    asked = page.stub.asked[0]
    assert asked["filters"] == {"author_full_name": "Zoë Müller", "category": "posts"}
    assert (asked["k"], asked["deadline_s"], asked["passages"], asked["stream"]) == (
        4,
        2.5,
        True,
        True,
    )
    assert page.text("[data-part=understood]") == "Filters: Zoë Müller, posts"
    page.open()
    chosen = "Filters: Zoë Müller, posts, 4 passages, within 2.5 s"
    page.says("#options summary", chosen)
    page.press("#options summary")
    page.press("#clear-options")
    page.answered("And now?")
    assert page.stub.asked[1]["filters"] == {}
    assert "k" not in page.stub.asked[1]


def test_a_number_that_cannot_be_is_not_sent(page: ChatPage) -> None:
    page.press("#options summary")
    page.one("input[name=k]").send_keys("0")
    page.press("#options summary")
    page.ask("How many?")
    page.until(lambda: page.one("input[name=k]").is_displayed())
    assert page.stub.asked == []


def test_a_follow_up_sends_the_last_turns(page: ChatPage) -> None:
    for n in range(1, 6):
        page.stub.answers = [streamed(f"Answer {n} [1].")]
        page.answered(f"Question {n}?")
    assert page.stub.asked[0]["history"] == []
    assert page.stub.asked[4]["history"] == [
        {"role": role, "content": content}
        for n in (2, 3, 4)
        for role, content in (("user", f"Question {n}?"), ("assistant", f"Answer {n} [1]."))
    ]
    page.press("#new-chat")
    page.answered("Something new?")
    assert page.stub.asked[5]["history"] == []


def test_stopping_ends_the_request_and_keeps_what_came(page: ChatPage) -> None:
    page.stub.answers = [streamed("Only this ", Gate(), "and never this.")]
    page.ask("How long?")
    page.says(".answer", "Only this")
    page.press("#stop")
    page.says(".line", "Stopped before the end.")
    assert page.stub.left.wait(20)
    assert page.text(".answer") == "Only this"
    assert page.one("#send").is_displayed()
    page.press("[data-part=retry]")
    page.says(".answer", "Readers never wait")
    assert len(page.all(".turn")) == 1


def test_enter_asks_and_shift_enter_starts_a_line(page: ChatPage) -> None:
    page.one("#question").send_keys("One", Keys.SHIFT + Keys.ENTER + Keys.NULL, "Two", Keys.ENTER)
    page.says(".answer", "Readers never wait")
    assert page.stub.asked[0]["query"] == "One\nTwo"
    page.ask("   ")
    assert len(page.all(".turn")) == 1


def test_a_second_question_waits_while_an_answer_is_written(page: ChatPage) -> None:
    gate = Gate()
    page.stub.answers = [streamed("One ", gate, "two.")]
    page.ask("First?")
    page.says(".answer", "One")
    page.ask("Second?")
    assert page.one("#question").get_property("value") == "Second?"
    gate.open()
    page.says(".answer", "One two.")
    assert len(page.stub.asked) == 1


def test_conversations_survive_a_reload_and_can_be_deleted(page: ChatPage) -> None:
    page.answered("First topic?")
    page.press("#new-chat")
    page.answered("Second topic?")
    page.open()
    assert [one.text for one in page.all(".conversation")] == ["Second topic?", "First topic?"]
    page.press("li:nth-child(2) .conversation")
    page.says(".question", "First topic?")
    page.press(".citation")
    assert " ".join(page.text("#source mark").split()) == QUOTE
    page.press("[aria-label='Delete the conversation: First topic?']")
    page.driver.switch_to.alert.accept()
    page.until(lambda: len(page.all(".conversation")) == 1)
    assert page.all(".turn") == []
    page.press("#delete-all")
    page.driver.switch_to.alert.accept()
    page.until(lambda: not page.all(".conversation"))
    assert page.run("return Object.keys(localStorage).filter(k => k.includes('conv'))") == []


def test_an_answer_that_ends_after_its_conversation_was_deleted_does_not_bring_it_back(
    page: ChatPage,
) -> None:
    page.stub.answers = [streamed("Under way ", Gate())]
    page.ask("Secret?")
    page.says(".answer", "Under way")
    page.press(".remove")
    page.driver.switch_to.alert.accept()
    assert page.stub.left.wait(20)
    page.answered("Other?")
    assert [one.text for one in page.all(".conversation")] == ["Other?"]


def test_when_the_space_is_used_up_the_oldest_conversation_goes(page: ChatPage) -> None:
    page.stub.answers = [streamed("Long. " * 5_000)]
    page.answered("Old?")
    page.run("localStorage.filler = 'x'.repeat(5_150_000)")  # of 5 Mi characters
    page.press("#new-chat")
    page.stub.answers = [streamed("Long. " * 12_000)]
    page.answered("New?")
    assert [one.text for one in page.all(".conversation")] == ["New?"]


def test_when_there_is_no_space_at_all_the_answer_is_shown_and_the_reader_is_told(
    page: ChatPage,
) -> None:
    page.run("localStorage.filler = 'x'.repeat(5_240_000)")
    page.stub.answers = [streamed("Long. " * 1_000)]
    page.answered("New?")
    page.says(".answer", "Long.")
    page.until(lambda: "too large to be kept" in page.text("#announcer"))


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (
            refused(429, "too many", retry_after="7"),
            "Too many requests at the moment. Try again in 7 s.",
        ),
        (
            refused(504, "no answer within 5 s (deadline_s)"),
            "The time for this answer is over: no answer within 5 s (deadline_s)",
        ),
        (
            refused(503, "cannot reach Qdrant"),
            "The server cannot answer right now: cannot reach Qdrant",
        ),
        (
            refused(422, "query: too long"),
            "The server did not accept this question (422): query: too long",
        ),
        (refused(500, "internal error"), "The server failed: internal error"),
        (["event: sources\ndata: {not json\n\n"], "The server's answer could not be read."),
        ([("token", {"text": "A beginning"})], "The answer broke off before its end."),
        (
            [("token", {"text": "A beginning"}), ("error", {"error": "over", "status": 504})],
            "The time for this answer is over: over",
        ),
    ],
)
def test_an_error_is_one_line_with_another_try(page: ChatPage, answer: object, line: str) -> None:
    page.stub.answers = [answer]  # type: ignore[list-item]
    page.answered("Will it work?")
    assert page.text(".turn .line span") == line
    page.press("[data-part=retry]")
    page.says(".answer", "Readers never wait")
    assert [turn.text for turn in page.all(".question")] == ["Will it work?"]
    assert len(page.stub.asked) == 2


def test_an_answer_without_sources_says_so(page: ChatPage) -> None:
    nothing = body("I found nothing about this.", sources=[], confidence=None, grounded=False)
    page.stub.answers = [[("sources", {"sources": []}), ("done", nothing)]]
    page.answered("What is not there?")
    assert page.text(".answer") == "I found nothing about this."
    assert page.text(".turn .line span").startswith("Nothing was found for this.")
    assert not page.one(".sources").is_displayed()


def test_a_server_that_wants_a_key_gets_it_from_the_reader(page: ChatPage) -> None:
    page.stub.key = "rag_right"
    page.ask("Secret?")
    page.says("#key", "answers only with an API key")
    page.type("rag_wrong", Keys.ENTER)
    page.says("#key", "did not accept this key")
    page.type("rag_right", Keys.ENTER)
    page.says(".answer", "Readers never wait")
    assert page.run("return JSON.stringify(localStorage).includes('rag_right')") is False
    assert page.run("return sessionStorage['rag.key']") == "rag_right"
    page.until(lambda: len(page.all("select[name=category] option")) == 3)


def test_without_a_key_there_is_another_try(page: ChatPage) -> None:
    page.stub.key = "rag_right"
    page.ask("Secret?")
    page.says("#key", "API key")
    page.type(Keys.ESCAPE)
    page.says(".line", "without a valid API key")
    page.press("[data-part=retry]")
    page.says("#key", "API key")


def test_a_loading_server_is_waited_for(page: ChatPage) -> None:
    page.stub.ready = (503, {"status": "loading"})
    page.open()
    page.says("#server", "is loading its models")
    page.stub.answers = [refused(503, "loading")]
    page.ask("Are you there?")
    page.says(".turn .line", "cannot answer right now: loading")
    page.stub.ready = (200, {"status": "ready"})
    page.says(".answer", "Readers never wait")
    assert not page.one("#server").is_displayed()
    page.until(lambda: len(page.all("select[name=category] option")) == 3)


def test_a_server_that_failed_says_why(page: ChatPage) -> None:
    page.stub.ready = (503, {"status": "failed", "error": "no index: run the pipeline first"})
    page.open()
    page.says("#server", "The server could not start: no index: run the pipeline first")
    page.stub.ready = (200, {"status": "ready"})
    page.press("#server button")
    page.until(lambda: not page.one("#server").is_displayed())


def test_a_server_that_is_gone_is_noticed(page: ChatPage) -> None:
    page.driver.execute_cdp_cmd("Network.enable", {})
    page.driver.set_network_conditions(offline=True, latency=0, throughput=0)
    try:
        page.ask("Anybody?")
        page.says(".turn .line", "The server does not answer. Is it running?")
        page.says("#server", "This page tries again by itself.")
    finally:
        page.driver.delete_network_conditions()
    page.until(lambda: not page.one("#server").is_displayed())
    page.press("[data-part=retry]")
    page.says(".answer", "Readers never wait")


def test_a_whole_answer_without_a_stream_is_shown_too(page: ChatPage) -> None:
    page.stub.answers = [JSONResponse(body("All at once [1]."))]
    page.answered("At once?")
    assert page.text(".answer") == "All at once 1."
    assert len(page.one(".answer").find_elements(By.CSS_SELECTOR, ".citation")) == 1


def with_assistants(page: ChatPage, name: str) -> None:
    """As for somebody who has chosen one, by keyboard, and comes back."""
    page.stub.filters = ASSISTANTS
    page.open()
    page.until(lambda: page.one("#assistants").is_displayed())
    page.run("document.querySelector('#assistants input').focus()")
    while page.focused() != name:
        page.type(Keys.ARROW_RIGHT)
    page.open()
    page.until(lambda: page.one("#assistants").is_displayed())
    assert page.text("#assistants label:has(:checked)") == name


def test_code_is_shown_by_file_and_lines_and_its_conversation_stays_with_it(page: ChatPage) -> None:
    assert not page.one("#assistants").is_displayed()
    page.stub.answers = [
        streamed("It is checked [1].", sources=[code(1, cited=True), code(2, lines="30-34")]),
        streamed("Of documents [1]."),
    ]
    with_assistants(page, "Code")
    page.press("#options summary")
    Select(page.one("select[name=repository]")).select_by_visible_text("accounts")
    assert not page.one("select[name=author_full_name]").is_displayed()
    page.press("#examples button")
    page.says(".sources h3", "2 sources, 1 cited")
    asked = page.stub.asked[0]
    assert (asked["assistant"], asked["filters"]) == ("code", {"repository": "accounts"})
    assert asked["query"] == "How does authentication work?"
    assert [one.text for one in page.all(".place")] == ["src/auth.py:10-13", "src/auth.py:30-34"]
    assert page.text(".snippet pre") == FUNCTION
    assert page.text(".snippet .tag") == "Python"
    page.press("[aria-label='Copy src/auth.py:10-13']")
    page.until(lambda: page.text("#announcer").strip() in {"Copied", "Selected"})
    page.press(".citation")
    assert page.text("#source .code mark") == FUNCTION
    page.press("#assistants label")
    assert page.one("#anew").is_displayed()
    page.ask("And elsewhere?")
    page.says(".answer", "Of documents")
    assert (page.stub.asked[1]["assistant"], page.stub.asked[1]["history"]) == ("documents", [])
    page.press("li:nth-child(2) .conversation")
    page.answered("And then?")
    assert page.stub.asked[2]["assistant"] == "code"
    assert page.stub.asked[2]["history"][0]["content"] == "How does authentication work?"


def test_films_are_cards_and_follow_the_readers_taste(page: ChatPage) -> None:
    films = [
        film(1, "Dark City (1998)", "A man wakes <b>."),
        film(2, "Heat", "A robber is chased."),
    ]
    page.stub.answers = [streamed("1. **Dark City (1998)** [1]\n2. **Heat** [2]\n", sources=films)]
    with_assistants(page, "Films")
    page.press("#show-taste")
    page.type("I like sci-fi", Keys.ENTER)
    page.says("#taste li", "I like sci-fi")
    page.type(Keys.ESCAPE)
    assert page.focused() == "Your taste"
    page.answered("What tonight?")
    asked = page.stub.asked[0]
    assert (asked["assistant"], asked["filters"]) == ("movies", {})
    assert [one.text for one in page.all(".answer strong")] == ["Dark City (1998)", "Heat"]
    cards = [one.text.split("\n") for one in page.all(".film")]
    assert cards[0] == ["1", "Dark City", "1998", "A man wakes <b>.", "very close (0.72)"]
    assert cards[1][1:3] == ["Heat", "A robber is chased."]
    page.press("[aria-label='Seen it: Dark City']")
    page.says(".films", "Noted as seen")
    page.press("#show-taste")
    page.press("[aria-label='Remove: I like sci-fi']")
    page.until(lambda: [one.text for one in page.all("#taste li")] == ["Seen\nDark City\n×"])
    assert list(page.stub.tastes) == [asked["user"]]
    page.one("#taste input[name=user]").clear()
    page.one("#taste input[name=user]").send_keys("ada", Keys.ENTER)
    page.says("#taste", "Nothing yet.")
    page.type(Keys.ESCAPE)
    page.answered("And tomorrow?")
    assert page.stub.asked[1]["user"] == "ada"
