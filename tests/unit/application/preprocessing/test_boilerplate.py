"""Whole paragraphs that pages put around an article go; sentences of an article never do."""

import pytest

from rag_llm_system.application.preprocessing.boilerplate import are_boilerplate
from rag_llm_system.application.preprocessing.cleaning_data_handlers import clean_prose


@pytest.mark.parametrize(
    "paragraph",
    [
        "Sign in",
        "Subscribe",
        "**Subscribe now**",
        "[Subscribe](https://a.example/subscribe)",
        "SubscribeSign in",
        "Open in app",
        "Start WritingGet the app",
        "Share this post",
        "Follow",
        "Listen",
        "5 min read",
        "Listen · 12 min read",
        "1.2K claps",
        "Sign in\nSign up\nShare",
        "#### Discussion about this post",
        "Thanks for reading The Letter! Subscribe for free to receive new posts and support my work.",
        "The Letter is a reader-supported publication. To receive new posts and\nsupport my work, "
        "consider becoming a free or paid subscriber.",
        "By subscribing, I agree to the Terms of Use.",
        "We use cookies to improve your experience. By continuing you accept our cookie policy.",
        "This site requires JavaScript to run correctly. Please turn on JavaScript or\nunblock scripts",
        "Join 12,000+ subscribers who read it each week",
        "© 2026 Somebody",
    ],
)
def test_what_pages_put_around_an_article_goes(paragraph: str) -> None:
    assert clean_prose(f"First.\n\n{paragraph}\n\nSecond.") == "First.\n\nSecond."


@pytest.mark.parametrize(
    "paragraph",
    [
        "Sign in with your key, then go on.",
        "If you liked it, please like, comment and\nsubscribe.",
        "1. Sign in\n2. Share",
        "- Subscribe",
        "* Follow",
        "## Listen",
        "## Get started",
        "Django uses cookies to keep a session; its settings say for how long.",
        "Copyright law has 3 parts that matter here, and each of them is treated in a section below.",
        "Enable JavaScript in the browser's options, then start the driver.",
        "By using our page you can measure it yourself.",
        "`Share`",
        "| Sign in | Share | two |",
        "Facebook",
        "42",
        "example.com",
        "Thanks for reading the paper so closely; your review changed the second section.",
    ],
)
def test_what_an_article_says_stays(paragraph: str) -> None:
    assert clean_prose(f"First.\n\n{paragraph}\n\nSecond.") == f"First.\n\n{paragraph}\n\nSecond."


def test_code_that_says_so_stays() -> None:
    text = "Print it:\n\n```\nSubscribe\n```\n\n    Share this post\n\nDone."
    assert clean_prose(text) == text


def test_a_sharing_dialogue_goes_with_its_links_and_the_repeated_title() -> None:
    dialogue = [
        "Share this post",
        "#### On Vectors",
        "letters.example.com",
        "Copy link",
        "Email",
        "Other",
        "7",
    ]
    text = "\n\n".join(
        ["# On Vectors", *dialogue, "They have a length.", "## Email", "It has none."]
    )
    assert clean_prose(text) == "# On Vectors\n\nThey have a length.\n\n## Email\n\nIt has none."


def test_companions_go_on_both_sides_of_boilerplate_alone() -> None:
    paragraphs = ["Email", "Text.", "12", "Share this post", "Facebook", "Note", "Text.", "Note"]
    assert are_boilerplate(paragraphs) == [False, False, True, True, True, True, False, False]
