"""An answer on a terminal."""

from rag_llm_system.domain.answers import Answer, AnswerSource
from tools.render import answer_lines


def source(n: int, title: str) -> AnswerSource:
    link = f"http://a.example/{n}"
    return AnswerSource(n=n, title=title, link=link, category="articles", score=0.456, quote="q")


def test_sources_are_numbered_as_the_answer_cites_them() -> None:
    answer = Answer(
        question="Why?",
        text="Because. [1]",
        sources=[source(1, "A title"), source(2, "")],
        model="extractive",
        grounded=True,
        timings_s={"retrieve": 0.1234, "generate": 0.5},
    )
    assert list(answer_lines(answer)) == [
        "Q: Why?",
        "",
        "Because. [1]",
        "",
        "Sources (cosine similarity)",
        "  [1] 0.46  A title",
        "         http://a.example/1",
        "  [2] 0.46  http://a.example/2",
        "         http://a.example/2",
        "",
        "written by extractive; retrieve 0.12 s, generate 0.50 s",
    ]


def test_without_sources_there_is_no_list_of_them() -> None:
    answer = Answer(question="Why?", text="No sources.", model="m", grounded=False)
    assert list(answer_lines(answer)) == ["Q: Why?", "", "No sources.", "", "written by m"]
