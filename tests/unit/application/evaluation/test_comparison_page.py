from html.parser import HTMLParser

import pytest
from asked_rows import ANSWER, LIBRARY, film

from rag_llm_system.application.evaluation.answers.page import answer_html, comparison_page
from rag_llm_system.application.evaluation.answers.report import (
    Comparison,
    EvaluationReport,
    ModelScores,
    Sample,
    Score,
)

EVIL = "<script>alert('x')</script> & \"quotes\""
VOID = {"meta", "br"}


def score(mean: float) -> Score:
    return Score(mean=mean, low=mean - 0.1, high=mean + 0.1, n=60)


def report(**changes: object) -> EvaluationReport:
    made = EvaluationReport(
        rows=60,
        seed=42,
        models=[
            ModelScores(name="base", metrics={"loss": score(4.5), "grounded": score(0.2)}),
            ModelScores(
                name="fine-tuned",
                metrics={"loss": score(1.5), "grounded": score(0.8), "style.reason": score(0.5)},
            ),
        ],
        comparisons=[
            Comparison(
                metric="grounded",
                model="fine-tuned",
                against="base",
                difference=score(0.6),
                verdict="better",
            )
        ],
        samples=[
            Sample(
                question="A film?",
                reference=ANSWER,
                answers={"base": "Watch **Aliens** (1986)!", "fine-tuned": ANSWER},
                context=LIBRARY,
            )
        ],
        not_measured={"citations": "no reference cites numbered sources"},
    )
    return made.model_copy(update=changes)


class Page(HTMLParser):
    """The text of a page and its tags; an unbalanced tag fails."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return "".join(self.texts)


def test_metrics_stand_beside_one_another_with_intervals_and_verdicts():
    page = Page(comparison_page(report()))

    assert "20.0 % 10.0 to 30.0 %, n 60" in page.text
    assert "80.0 % 70.0 to 90.0 %, n 60" in page.text
    assert "4.500 4.400 to 4.600" in page.text
    assert "better +60.0 % (50.0 to 70.0 %)" in page.text
    assert "no reference cites numbered sources" in page.text


def test_bold_is_bold_and_made_up_titles_are_marked():
    page = comparison_page(report())

    assert '<strong><mark title="not in the context">Aliens</mark></strong> (1986)' in page
    assert "<strong>Alien</strong> (1979)" in page
    assert "**Alien" not in page.replace(LIBRARY, "")


def test_texts_of_models_and_rows_are_escaped():
    sample = Sample(
        question=EVIL,
        reference=EVIL,
        answers={"base": f"**{EVIL}**", "fine-tuned": EVIL},
        context=f"{EVIL} {LIBRARY}",
    )
    page = comparison_page(report(samples=[sample], not_measured={EVIL: EVIL}))

    assert "script" not in Page(page).tags
    assert "alert('x')" not in page
    assert Page(page).text.count("<script>alert") == 7


def test_the_page_needs_nothing_from_elsewhere():
    page = comparison_page(report())

    assert Page(page).tags.count("style") == 1
    assert "script" not in Page(page).tags
    assert not any(word in page for word in ("http:", "https:", "url(", "@import", "src="))


def test_light_and_dark_and_narrow_screens_are_provided_for():
    page = comparison_page(report())

    assert "prefers-color-scheme:dark" in page
    assert "width=device-width" in page
    assert 'data-label="Fine-tuned"' in page


def test_a_report_without_samples_and_comparisons_is_a_page():
    page = Page(comparison_page(report(samples=[], comparisons=[], not_measured={})))

    assert "Samples" not in page.text
    assert "Not measured" not in page.text


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Watch **Alien**!", "Watch <strong>Alien</strong>!"),
        ("Watch **Aliens", 'Watch **<mark title="not in the context">Aliens</mark>'),
        (
            'Watch "Ghost Story" now',
            'Watch &quot;<mark title="not in the context">Ghost Story</mark>&quot; now',
        ),
        ("2 < 3 ** 2", "2 &lt; 3 ** 2"),
        ("", "<em>no answer</em>"),
    ],
)
def test_an_answer_is_set_as_it_was_meant(answer: str, expected: str):
    assert answer_html(answer, film()) == expected


def test_without_titles_to_compare_with_nothing_is_marked():
    assert answer_html("**Bold** words", film(titles=())) == "<strong>Bold</strong> words"
