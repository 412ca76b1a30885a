"""The terminal sessions in the docs: where they stand, and what is kept of what a terminal shows."""

import pytest

from rag_llm_system.domain.errors import DataError
from tools.record_sessions import SESSIONS, plain, with_session

PAGE = "# Title\n\n<!-- session: code -->\nold\n<!-- end of session -->\n\nThe end.\n"


def test_a_session_takes_the_place_of_the_one_before():
    page = with_session(PAGE, "code", ["$ poe code-list", "nothing", ""])

    assert page == (
        "# Title\n\n<!-- session: code -->\n```console\n$ poe code-list\nnothing\n```\n<!-- end of session -->\n\n"
        "The end.\n"
    )
    assert with_session(page, "code", ["old"]) == with_session(PAGE, "code", ["old"])


@pytest.mark.parametrize("page", ["", "<!-- session: code -->", PAGE.replace("code", "movies")])
def test_a_page_without_a_place_for_it_is_refused(page: str):
    with pytest.raises(DataError, match="no place for the session"):
        with_session(page, "code", ["new"])


def test_of_what_was_written_over_only_the_last_is_kept():
    assert plain("files: 1\rfiles: 2\r\n\x1b[1mdone\x1b[0m\r\n> ") == "files: 2\ndone\n> "


@pytest.mark.parametrize("name", SESSIONS)
def test_every_page_has_its_session(name: str):
    page, commands = SESSIONS[name]
    text = page.read_text(encoding="utf-8")

    assert with_session(text, name, ["new"]) != text
    assert [one.shown for one in commands if f"$ {one.shown}" not in text] == []
