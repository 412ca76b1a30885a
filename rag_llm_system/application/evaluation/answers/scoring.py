"""The table of metrics that are measured answer by answer, and what is known of the rows beforehand."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rag_llm_system.application.evaluation.answers import citations, faithfulness, grounding
from rag_llm_system.application.evaluation.answers.asked import Asked
from rag_llm_system.application.evaluation.answers.intervals import Measured, PerRow
from rag_llm_system.application.evaluation.answers.refusal import refusal
from rag_llm_system.application.evaluation.answers.style import StyleProfile, profile_of, style_of
from rag_llm_system.domain.written_answers import WrittenAnswer

_BOLD = re.compile(r"\*\*[^*\n]+?\*\*")
_CLOSING_MARKS = "\"'\u201d\u2019)*_ \n"
_SENTENCE_ENDS = (".", "!", "?")


@dataclass(frozen=True)
class Scene:
    """The rows that every model answers. ``sources`` has for each the text that its answer is checked against."""

    rows: Sequence[Asked]
    sources: Sequence[str]
    style: StyleProfile
    style_words: frozenset[str]

    @classmethod
    def of(cls, rows: Sequence[Asked], sources: Sequence[str]) -> "Scene":
        return cls(
            rows=rows,
            sources=sources,
            style=profile_of(row.reference for row in rows),
            style_words=faithfulness.style_words(list(zip(rows, sources, strict=True))),
        )


Metric = Callable[[WrittenAnswer, int, Scene], Measured | None]
"""Of the answer to the row with that number; None where the metric does not apply to the row."""


def ended(answer: WrittenAnswer, number: int, scene: Scene) -> Measured:  # noqa: ARG001 - a Metric
    return Measured(float(answer.ended))


def form(answer: WrittenAnswer, number: int, scene: Scene) -> Measured:
    """1 when the answer ended by itself, as a sentence, all bold marks closed, and has bold titles where the
    reference has some, with the year where the reference gives it."""
    reference, text = scene.rows[number].reference, answer.text
    right = answer.ended and has_sentence_form(text) and text.count("**") % 2 == 0
    if _BOLD.search(reference):
        bold = len(_BOLD.findall(text))
        dated = len(re.findall(r"\*\*[^*\n]+?\*\*\s*\((?:19|20)\d\d\)", text))
        years = re.search(r"\*\*\s*\((?:19|20)\d\d\)", reference) is not None
        right = right and bold > 0 and (not years or dated == bold)
    return Measured(float(right))


def has_sentence_form(text: str) -> bool:
    """Whether it begins with no lower-case letter and ends a sentence."""
    body = text.strip().rstrip(_CLOSING_MARKS)
    return bool(body) and not body[0].islower() and body.endswith(_SENTENCE_ENDS)


def _of_text(metric: Callable[[str, Asked], Measured | None]) -> Metric:
    return lambda answer, number, scene: metric(answer.text, scene.rows[number])


def _style(answer: WrittenAnswer, number: int, scene: Scene) -> Measured:
    return Measured(style_of(answer.text, scene.rows[number], scene.style).score)


def _faithfulness(answer: WrittenAnswer, number: int, scene: Scene) -> Measured | None:
    return faithfulness.faithfulness(
        answer.text, scene.rows[number], scene.sources[number], scene.style_words
    )


ANSWER_METRICS: Mapping[str, Metric] = {
    "ended": ended,
    "format": form,
    "style": _style,
    "grounded": _of_text(grounding.grounded),
    "hallucinated_titles": _of_text(grounding.hallucinated),
    "right_picks": _of_text(grounding.right_picks),
    "refusal": _of_text(refusal),
    "citations": _of_text(citations.citations),
    "faithfulness": _faithfulness,
}

NEEDS: Mapping[str, str] = {
    "grounded": "no row has titles in its context",
    "hallucinated_titles": "no row has titles in its context, or no answer names any",
    "right_picks": "no row says which titles are right",
    "refusal": "no row asks for something that its context lacks",
    "citations": "no reference cites numbered sources",
    "faithfulness": "no row has a context or a source",
    "memorised": "no training answer has a title or a phrase of five words",
}
"""Why a metric may have nothing to measure."""


def of_answers(answers: Sequence[WrittenAnswer], scene: Scene) -> dict[str, PerRow]:
    """Each metric of the table and the parts of the style, by the row's number."""
    rows: dict[str, dict[int, Measured]] = {name: {} for name in ANSWER_METRICS}
    for n, answer in enumerate(answers):
        for name, metric in ANSWER_METRICS.items():
            if (measured := metric(answer, n, scene)) is not None:
                rows[name][n] = measured
        for part, value in style_of(answer.text, scene.rows[n], scene.style).parts.items():
            rows.setdefault(f"style.{part}", {})[n] = Measured(value)
    return {name: values for name, values in rows.items() if values}
