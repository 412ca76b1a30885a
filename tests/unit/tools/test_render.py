"""An answer on a terminal."""

from rag_llm_system.domain.answers import Answer, AnswerSource, Confidence
from tools.render import answer_lines, passage_lines


def source(n: int, title: str, **more: object) -> AnswerSource:
    fields: dict[str, object] = {
        "n": n,
        "title": title,
        "link": f"http://a.example/{n}",
        "category": "articles",
        "score": 0.456,
        "quote": "q",
        **more,
    }
    return AnswerSource.model_validate(fields)


def test_sources_are_numbered_as_the_answer_cites_them() -> None:
    answer = Answer(
        question="Why?",
        text="Because. [1]",
        sources=[
            source(1, "A title", cited=True, headings=("A heading",)),
            source(2, ""),
            source(3, "Code", source_file="a.py", lines="3-9"),
        ],
        model="extractive",
        grounded=True,
        confidence=Confidence(value=0.584, level="medium"),
        notes=["understood: author Zoë Müller"],
        timings_s={"retrieve": 0.1234, "generate": 0.5},
    )
    assert list(answer_lines(answer)) == [
        "Q: Why?",
        "",
        "Because. [1]",
        "",
        "Note: understood: author Zoë Müller",
        "Confidence: medium (0.58)",
        "",
        "Sources (cosine similarity)",
        "  [1] 0.46  A title > A heading",
        "         http://a.example/1",
        "",
        "Also found (cosine similarity)",
        "  [2] 0.46  http://a.example/2",
        "         http://a.example/2",
        "  [3] 0.46  a.py:3-9",
        "         http://a.example/3",
        "",
        "written by extractive; retrieve 0.12 s, generate 0.50 s",
    ]


def test_without_sources_there_is_no_list_of_them() -> None:
    answer = Answer(question="Why?", text="No sources.", model="m", grounded=False)
    assert list(answer_lines(answer)) == ["Q: Why?", "", "No sources.", "", "written by m"]


def test_a_context_is_shown_word_for_word() -> None:
    assert list(
        passage_lines([source(1, "Title 1", passage="One.\n\nTwo.", headings=("Numbers",))])
    ) == [
        "[1] 0.46  Title 1 > Numbers",
        "    http://a.example/1",
        "",
        "One.\n\nTwo.",
        "",
    ]
