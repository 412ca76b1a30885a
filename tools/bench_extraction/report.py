"""Shows what a race of extractors found."""

import json
from collections.abc import Mapping, Sequence
from statistics import fmean

from tools.bench_extraction.contenders import REFERENCE
from tools.bench_extraction.pages import LabelledPage, mean_score
from tools.bench_extraction.race import Result, ahead_of

_NAME = 25


def table(results: Sequence[Result]) -> str:
    """Means over all pages. F1 is that of mean precision and recall; "page F1" is the mean of each page's."""
    reference = next(each for each in results if each.name == REFERENCE)
    head = (
        f"{'extractor':{_NAME}} {'P':>5} {'R':>5} {'F1':>5} {'page F1':>7} {'empty':>5} {'errors':>6} "
        f"{'pages/CPU s':>11} {'CPU':>6}  F1 - {REFERENCE} (95 %)"
    )
    return "\n".join([head, *(_line(each, reference) for each in results)])


def _line(result: Result, reference: Result) -> str:
    mean = mean_score(result.scores)
    line = (
        f"{result.name:{_NAME}} {mean.precision:5.3f} {mean.recall:5.3f} {mean.f1:5.3f} "
        f"{_page_f1(result):7.3f} {result.empty:5} {len(result.errors):6} "
        f"{len(result.scores) / result.cpu_s:11.1f} {result.cpu_s / reference.cpu_s:5.2f}x"
    )
    if result is reference:
        return line
    gap, low, high = ahead_of(result, reference)
    return f"{line}  {gap:+.3f} ({low:+.3f} to {high:+.3f})"


def table_by_kind(pages: Sequence[LabelledPage], results: Sequence[Result]) -> str:
    """F1 for each kind of page."""
    places = _places(pages)
    lines = [
        f"{'F1 by kind of page':{_NAME}} {'pages':>5} "
        + " ".join(f"{each.name:>{len(each.name)}}" for each in results)
    ]
    for kind, at in places.items():
        figures = " ".join(
            f"{mean_score(each.scores[place] for place in at).f1:{len(each.name)}.3f}"
            for each in results
        )
        lines.append(f"{kind:{_NAME}} {len(at):5} {figures}")
    return "\n".join(lines)


def as_json(pages: Sequence[LabelledPage], results: Sequence[Result]) -> str:
    reference = next(each for each in results if each.name == REFERENCE)
    return json.dumps(
        {each.name: _figures(pages, each, reference) for each in results}, indent=2, sort_keys=True
    )


def _figures(
    pages: Sequence[LabelledPage], result: Result, reference: Result
) -> Mapping[str, object]:
    mean = mean_score(result.scores)
    gap, low, high = ahead_of(result, reference)
    return {
        "precision": mean.precision,
        "recall": mean.recall,
        "f1": mean.f1,
        "page_f1": _page_f1(result),
        "empty": result.empty,
        "errors": result.errors,
        "cpu_s": result.cpu_s,
        "cpu_ratio": result.cpu_s / reference.cpu_s,
        "f1_ahead": {"value": gap, "low": low, "high": high},
        "f1_by_kind": {
            kind: mean_score(result.scores[place] for place in at).f1
            for kind, at in _places(pages).items()
        },
        "pages": {
            page.id: [each.precision, each.recall]
            for page, each in zip(pages, result.scores, strict=True)
        },
    }


def _page_f1(result: Result) -> float:
    return fmean(each.f1 for each in result.scores)


def _places(pages: Sequence[LabelledPage]) -> Mapping[str, list[int]]:
    """Which pages are of each kind, the most frequent kind first."""
    places: dict[str, list[int]] = {}
    for at, page in enumerate(pages):
        places.setdefault(page.kind, []).append(at)
    return dict(sorted(places.items(), key=lambda item: (-len(item[1]), item[0])))
