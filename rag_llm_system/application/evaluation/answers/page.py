"""The page that compares models: metrics with intervals and verdicts, and samples side by side. One file, no script."""

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from rag_llm_system.application.evaluation.answers.asked import Asked
from rag_llm_system.application.evaluation.answers.grounding import named_titles
from rag_llm_system.application.evaluation.answers.page_style import STYLE
from rag_llm_system.application.evaluation.answers.report import (
    BASE,
    FINETUNED,
    LOWER_IS_BETTER,
    METRICS,
    MIN_DIFFERING,
    PRODUCTION,
    Comparison,
    EvaluationReport,
    Sample,
    Score,
)
from rag_llm_system.application.evaluation.answers.samples import asked_of_sample

_NOT_SHARES = frozenset({"loss", "perplexity"})
_BOLD = re.compile(r"\*\*(?P<title>[^*\n]+?)\*\*")
_LABELS: Mapping[str, str] = {
    BASE: "Base",
    FINETUNED: "Fine-tuned",
    PRODUCTION: "Production",
}


def comparison_page(report: EvaluationReport) -> str:
    """HTML for light and dark screens of any width. All texts of models and rows are escaped."""
    names = [model.name for model in report.models]
    title = f"Evaluation: {', '.join(names)}"
    body = [
        f"<h1>{escape(title)}</h1>",
        f"<p class=lead>{_summary(report)}</p>",
        _metrics(report),
        _not_measured(report.not_measured),
        _samples(report.samples),
        _reading(report),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main>{''.join(body)}</main></body></html>"
    )


def answer_html(answer: str, asked: Asked) -> str:
    """An answer with its bold set as bold, and the titles that its context lacks marked."""
    made_up = {(t.start, t.end) for t in named_titles(answer, asked) if not t.in_context}
    if not asked.titles:
        made_up = set()
    bold = [(m.start(), m.end(), m.span("title"), True) for m in _BOLD.finditer(answer)]
    inside = {span for _, _, span, _ in bold}
    plain = [(*span, span, False) for span in made_up if span not in inside and span[1] > span[0]]
    parts: list[str] = []
    at = 0
    for start, end, span, is_bold in sorted(bold + plain):
        if start < at:
            continue
        text = escape(answer[span[0] : span[1]])
        if span in made_up:
            text = f'<mark title="not in the context">{text}</mark>'
        parts += [escape(answer[at:start]), f"<strong>{text}</strong>" if is_bold else text]
        at = end
    parts.append(escape(answer[at:]))
    return "".join(parts) or "<em>no answer</em>"


def _summary(report: EvaluationReport) -> str:
    lines = [f"{report.rows} unseen questions, answered by each model."]
    for against in dict.fromkeys(c.against for c in report.comparisons):
        of_model = [c for c in report.comparisons if c.against == against]
        better, worse = (
            [_words(c.metric) for c in of_model if c.verdict == verdict]
            for verdict in ("better", "worse")
        )
        lines.append(
            f"Fine-tuned against {escape(_label(against).lower())}: "
            f"<b class=better>better</b> in {_listed(better)}; "
            f"<b class=worse>worse</b> in {_listed(worse)}."
        )
    return " ".join(lines)


def _metrics(report: EvaluationReport) -> str:
    verdicts = {(c.metric, c.against): c for c in report.comparisons}
    against = list(dict.fromkeys(c.against for c in report.comparisons))
    heads = [
        "Metric",
        *(_label(model.name) for model in report.models),
        *(f"Fine-tuned against {_label(name).lower()}" for name in against),
    ]
    rows = []
    for metric in _order(name for model in report.models for name in model.metrics):
        cells = [_metric_cell(metric)]
        for model in report.models:
            cells.append(_cell(_label(model.name), _score(metric, model.metrics.get(metric))))
        for name in against:
            compared = verdicts.get((metric, name))
            cells.append(_cell(f"against {_label(name).lower()}", _comparison(metric, compared)))
        kind = " class=part" if "." in metric else ""
        rows.append(f"<tr{kind}>{''.join(cells)}</tr>")
    head = "".join(f"<th scope=col>{escape(h)}</th>" for h in heads)
    return f"<h2>Metrics</h2><table class=metrics><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _metric_cell(metric: str) -> str:
    name, _, part = metric.partition(".")
    if part:
        return f"<th scope=row><span class=name>{escape(_words(part))}</span></th>"
    direction = "lower is better" if name in LOWER_IS_BETTER else ""
    hint = f"<small>{escape(METRICS.get(name, ''))}{f' ({direction})' if direction else ''}</small>"
    return f"<th scope=row><span class=name>{escape(_words(name))}</span>{hint}</th>"


def _score(metric: str, score: Score | None) -> str:
    if score is None:
        return "<span class=none>not measured</span>"
    text = (
        f"<b>{_number(metric, score.mean)}</b> <small>{_range(metric, score)}, n {score.n}</small>"
    )
    if metric in _NOT_SHARES:
        return text
    low, high = (min(1.0, max(0.0, end)) * 100 for end in (score.low, score.high))
    mean = min(1.0, max(0.0, score.mean)) * 100
    return (
        f'{text}<span class=bar aria-hidden=true><i style="left:{low:.1f}%;width:{high - low:.1f}%"></i>'
        f'<u style="left:{mean:.1f}%"></u></span>'
    )


def _comparison(metric: str, compared: Comparison | None) -> str:
    if compared is None:
        return ""
    change = compared.difference
    sign = "+" if change.mean > 0 else ""
    return (
        f"<b class={compared.verdict}>{compared.verdict}</b> "
        f"<small>{sign}{_number(metric, change.mean)}</small> <small>({_range(metric, change)})</small>"
    )


def _samples(samples: Sequence[Sample]) -> str:
    if not samples:
        return ""
    legend = '<p class=legend>A title set like <mark title="not in the context">this</mark> is not in the context.</p>'
    return f"<h2>Samples</h2>{legend}{''.join(map(_sample, samples))}"


def _sample(sample: Sample) -> str:
    asked = asked_of_sample(sample)
    answers = {"Reference": sample.reference} | {
        _label(name): answer for name, answer in sample.answers.items()
    }
    columns = "".join(
        f"<div class=answer><h4>{escape(name)}</h4><p>{answer_html(answer, asked)}</p></div>"
        for name, answer in answers.items()
    )
    context = (
        f"<details><summary>Context</summary><pre>{escape(sample.context)}</pre></details>"
        if sample.context
        else ""
    )
    return (
        f"<section class=sample><h3>{escape(sample.question)}</h3>{context}"
        f"<div class=answers>{columns}</div></section>"
    )


def _not_measured(reasons: Mapping[str, str]) -> str:
    if not reasons:
        return ""
    items = "".join(
        f"<li><b>{escape(_words(name))}</b>: {escape(why)}</li>" for name, why in reasons.items()
    )
    return f"<h3>Not measured</h3><ul class=reasons>{items}</ul>"


def _reading(report: EvaluationReport) -> str:
    return (
        "<footer><p>Beside each figure: the interval that holds the middle 95 % of 10,000 bootstrap samples of the "
        f"rows (seed {report.seed}). Models are compared row by row on the same rows; a difference counts as better "
        f"or worse where its interval does not hold zero and at least {MIN_DIFFERING} rows differ. With this many "
        "metrics, one in twenty such verdicts is expected by chance alone.</p></footer>"
    )


def _cell(label: str, inside: str) -> str:
    return f'<td data-label="{escape(label)}"><div>{inside}</div></td>' if inside else "<td></td>"


def _order(metrics: Iterable[str]) -> list[str]:
    known = list(METRICS)
    return sorted(
        set(metrics),
        key=lambda m: (known.index(n) if (n := m.partition(".")[0]) in known else len(known), m),
    )


def _number(metric: str, value: float) -> str:
    if metric in _NOT_SHARES:
        return f"{value:,.3f}" if abs(value) < 100 else f"{value:,.0f}"
    return f"{100 * value:.1f} %"


def _range(metric: str, score: Score) -> str:
    low, high = _number(metric, score.low), _number(metric, score.high)
    return f"{low.removesuffix(' %')} to {high}"


def _label(name: str) -> str:
    return _LABELS.get(name, name)


def _words(metric: str) -> str:
    return metric.replace("_", " ").replace(".", ": ")


def _listed(names: Sequence[str]) -> str:
    return escape(", ".join(names)) if names else "nothing"
