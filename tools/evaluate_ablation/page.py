"""The page ``docs/benchmarks/retrieval.md``; all of it is generated."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag_llm_system.application.evaluation.bootstrap import paired_difference
from rag_llm_system.application.evaluation.metrics import METRICS
from rag_llm_system.application.evaluation.runs import TOTAL, Run
from tools.bench_vector_stores.report import table
from tools.evaluate_ablation.recipes import CHOSEN, DOCUMENTED, PUBLISHED, WHOLE, Recipe
from tools.evaluate_retrieval.report import Evaluation

_GOAL_METRIC = "ndcg@10"

_EXPLAINED = """\
Each benchmark is indexed once, as our own documents are: cleaned, cut into chunks, embedded, loaded into the vector
store. A document ranks where its first chunk stands. The measures are trec_eval's; brackets hold 95 % intervals of the
bootstrap over queries (10,000 resamples). "default gains" is nDCG@10 of the default recipe less that of the row, with
the interval of the paired bootstrap: where it does not hold 0, the difference is significant. Milliseconds are those
from one question to its context of 9 chunks, warm, without a language model; each question is asked once.
"""


@dataclass(frozen=True)
class Row:
    recipe: Recipe
    found: Run
    figures: Evaluation


def page(command: str, datasets: Sequence[Sequence[Row]]) -> str:
    """``datasets`` has the rows of each, in the order of the recipes."""
    facts = datasets[0][0].figures
    return "\n".join(
        [
            "# Retrieval\n",
            f"Written by `{command}`; do not edit.\n",
            f"- started: {facts.started}",
            f"- machine: {facts.machine}",
            f"- versions: {', '.join(f'{name} {found}' for name, found in facts.versions.items())}",
            f"- encoder: {facts.encoder}",
            f"- vector store: {facts.vector_store}",
            f"- seed: {facts.seed}",
            f"\n{_EXPLAINED}",
            *(part for rows in datasets for part in _dataset(rows)),
            "## Stages\n",
            f'Milliseconds, p50 and p95, of the recipe "{WHOLE.name}", beside what the documents say.\n',
            stage_table(datasets),
        ]
    )


def _dataset(rows: Sequence[Row]) -> Iterator[str]:
    facts = rows[0].figures
    yield (
        f"## {facts.dataset}\n\nSplit {facts.split}: {facts.queries:,} queries; {facts.documents:,} documents, "
        f"{facts.chunks:,} chunks, indexed in {facts.index_seconds:.0f} s.\n"
    )
    yield recipe_table(rows)
    if published := PUBLISHED.get(facts.dataset):
        yield "Published by others, for orientation:\n"
        yield table(
            ("system", "nDCG@10", "source"),
            ((one.system, f"{one.ndcg:.3f}", one.source) for one in published),
        )


def recipe_table(rows: Sequence[Row]) -> str:
    """One line for each recipe of one dataset."""
    chosen = next((row for row in rows if row.recipe == CHOSEN), rows[-1])
    head = ("recipe", *(_title(name) for name in METRICS), "default gains", "p50 ms", "p95 ms")
    return table(head, (_cells(row, chosen) for row in rows))


def _cells(row: Row, chosen: Row) -> Sequence[str]:
    measures, total = row.figures.measures, row.figures.latency_ms[TOTAL]
    goal = measures[_GOAL_METRIC]
    gain = paired_difference(
        chosen.found.measures[_GOAL_METRIC], row.found.measures[_GOAL_METRIC], seed=row.figures.seed
    )
    return (
        row.recipe.name,
        f"{goal.mean:.3f} [{goal.low:.3f}, {goal.high:.3f}]",
        *(f"{measures[name].mean:.3f}" for name in METRICS if name != _GOAL_METRIC),
        "" if row is chosen else f"{gain.mean:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]",
        f"{total.p50:.1f}",
        f"{total.p95:.1f}",
    )


def stage_table(datasets: Sequence[Sequence[Row]]) -> str:
    """The documents' stages, then those of ours that they do not have, then the whole."""
    whole = [
        next((row for row in rows if row.recipe == WHOLE), rows[-1]).figures for rows in datasets
    ]
    documented = {one.ours: one for one in DOCUMENTED}
    known = {stage for ours in documented for stage in ours}
    others = dict.fromkeys(
        (stage,) for each in whole for stage in each.latency_ms if stage not in {*known, TOTAL}
    )
    rows = [
        (
            documented[stages].name if stages in documented else " ".join(stages),
            f"~{documented[stages].ms:g}" if stages in documented else "",
            *(_stages(each, stages) for each in whole),
        )
        for stages in (*documented, *others, (TOTAL,))
    ]
    return table(("stage", "documents", *(each.dataset for each in whole)), rows)


def _stages(figures: Evaluation, stages: Sequence[str]) -> str:
    """Several stages are one of the documents': each with its own figures."""
    found = [(name, figures.latency_ms[name]) for name in stages if name in figures.latency_ms]
    named = len(stages) > 1
    return "; ".join(
        f"{f'{name} ' if named else ''}{each.p50:.1f}, {each.p95:.1f}" for name, each in found
    )


def _title(metric: str) -> str:
    return {"ndcg@10": "nDCG@10", "mrr@10": "MRR@10"}.get(metric, metric)
