"""The page ``docs/benchmarks/code.md``; all of it is generated."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from rag_llm_system.application.evaluation.bootstrap import paired_difference
from tools.bench_code.figures import Answered, Figures, Part, Run
from tools.bench_code.measures import SHOWN, interval, per_question
from tools.bench_vector_stores.documents import CLAIMED_SCALING
from tools.bench_vector_stores.report import table

QUALITY, SIZES, COSQA, SCALING, REINDEXING = "quality", "sizes", "cosqa", "scaling", "reindexing"

CLAIMED = ("what the documents claim", "70-80 %", "90-95 %", "95 % and more")

_EXPLAINED = """\
Each question has one or more definitions that answer it, by file and name; the lines are those on which they stand in
this version. A hit is a result in the right file with at least one of these lines. top-1, top-5 and top-8 are shares
of the questions with a hit so far up, MRR is the mean of 1 / rank (0 behind rank 30). "in 8,000 characters" is the
share with a hit before one has read so many characters of results, about 2,000 tokens: long chunks have more lines to
hit, and cost more to read. Milliseconds are those of a search for 8 results, warm. Brackets hold 95 % intervals of the
bootstrap over questions (10,000 resamples).

The questions were written from the code, before any of these ways was asked them, and by those who built this: they
are no sample of what users ask. A hash of the question puts it into one of two halves. Who tunes looks at the half
"dev" alone; the other one is held out. Kinds: "identifier" names something of the code, "words" uses words that the
code uses too, "paraphrase" says it in other words.

- grep: blocks of 40 lines, by how many of the question's words they have, in any case and within longer words
- the documents' way: LangChain's recursive splitter (1,500 characters, overlap 200), one vector for each chunk, cosine;
  the encoder is the one of all other ways here, not theirs, and what does not fit its window is cut off as it is there
- BM25, dense, reciprocal rank fusion, evidence, late interaction: this project's rankings over its chunks of code
- the code assistant: evidence, unless the settings say otherwise; and definitions that the question names come first
"""


class Group(NamedTuple):
    """The questions whose ``field`` has this value; all of them where no field is named."""

    name: str
    field: str = ""

    def holds(self, one: Answered) -> bool:
        return not self.field or getattr(one, self.field) == self.name


_ALL = Group("all")
_HALVES = (Group("dev", "half"), Group("held-out", "half"))


def page(figures: Figures, seed: int) -> str:
    return "\n".join(
        [
            "# The code assistant\n",
            "Each part was measured by the command that it names; do not edit.\n",
            *(line for name in _PARTS for line in _part(name, figures, seed)),
        ]
    )


def _part(name: str, figures: Figures, seed: int) -> Iterator[str]:
    part = figures.parts.get(name)
    title, lines = _PARTS[name]
    yield f"## {title}\n"
    if part is None:
        yield "Not measured yet.\n"
        return
    yield f"`{part.command}`\n"
    yield from (f"- {fact}: {value}" for fact, value in part.facts.items())
    yield ""
    yield from lines(part, seed)


def quality_lines(part: Part, seed: int) -> Iterator[str]:
    yield _EXPLAINED
    yield table(
        ("code base", "version", "files", "chunks of ours", "indexed in s"),
        (
            (one.corpus, one.version, f"{one.files:,}", f"{one.chunks:,}", _seconds(one.seconds))
            for one in part.indexed
        ),
    )
    asked = part.runs[0].answered
    for group in (_ALL, *_HALVES):
        yield f"### {group.name}: {sum(map(group.holds, asked))} questions\n"
        yield _way_table(part.runs, group, seed)
    groups = _groups(asked)
    yield "### By code base and kind\n"
    yield "top-1, top-8 and MRR.\n"
    heads = [f"{group.name} ({sum(map(group.holds, asked))})" for group in groups]
    yield table(
        ("way", *heads), ((run.way, *(_short(run, group) for group in groups)) for run in part.runs)
    )
    yield "### What is better than the code assistant\n"
    yield from _better(part.runs, groups, seed)


def _way_table(runs: Sequence[Run], group: Group, seed: int) -> str:
    rows = [
        (run.way, *_cells(run, group, SHOWN, seed), f"{run.p50_ms:.0f}, {run.p95_ms:.0f}")
        for run in runs
    ]
    return table(("way", *SHOWN, "p50, p95 ms"), [*rows, CLAIMED])


def _cells(run: Run, group: Group, measures: Sequence[str], seed: int) -> Iterator[str]:
    some = list(filter(group.holds, run.answered))
    for measure in measures:
        found = interval(measure, some, seed)
        share = measure not in {"MRR", "nDCG@10"}
        shown = [
            f"{each:.1%}" if share else f"{each:.3f}"
            for each in (found.mean, found.low, found.high)
        ]
        yield f"{shown[0]} [{shown[1]}, {shown[2]}]"


def _short(run: Run, group: Group) -> str:
    some = list(filter(group.holds, run.answered))
    means = {m: _mean(per_question(m, some).values()) for m in ("top-1", "top-8", "MRR")}
    return f"{means['top-1']:.0%}, {means['top-8']:.0%}, {means['MRR']:.2f}"


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else 0.0


def _groups(asked: Sequence[Answered]) -> list[Group]:
    corpora = dict.fromkeys(one.corpus for one in asked)
    kinds = dict.fromkeys(one.kind for one in asked)
    return [
        _ALL,
        *(Group(name, "corpus") for name in corpora),
        *(Group(name, "kind") for name in kinds),
    ]


def _better(runs: Sequence[Run], groups: Sequence[Group], seed: int) -> Iterator[str]:
    """Wherever another way has the higher figure, also where that may be chance."""
    ours, rows = runs[-1], []
    for group in groups:
        for measure in SHOWN:
            mine = per_question(measure, filter(group.holds, ours.answered))
            for run in runs[:-1]:
                other = per_question(measure, filter(group.holds, run.answered))
                if _mean(other.values()) > _mean(mine.values()):
                    gain = paired_difference(other, mine, seed=seed)
                    told = f"{gain.mean:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"
                    rows.append((group.name, measure, run.way, told, "yes" if gain.low > 0 else ""))
    if not rows:
        yield "Nothing, in none of these groups and measures.\n"
        return
    yield f"Of {len(groups) * len(SHOWN) * (len(runs) - 1)} comparisons these, by the paired bootstrap:\n"
    yield table(("questions", "measure", "way", "it gains", "beyond chance"), rows)


def sizes_lines(part: Part, seed: int) -> Iterator[str]:
    yield "The same questions; only the longest chunk differs.\n"
    chunks = _sums((one.size, one.chunks) for one in part.indexed)
    for group in _HALVES:
        yield f"### {group.name}\n"
        yield table(
            ("chunks of", "chunks", "way", *SHOWN),
            (
                (
                    run.size,
                    f"{chunks.get(run.size, 0):,}",
                    run.way,
                    *_cells(run, group, SHOWN, seed),
                )
                for run in part.runs
            ),
        )


def cosqa_lines(part: Part, seed: int) -> Iterator[str]:
    measures = ("top-1", "top-5", "top-8", "MRR", "nDCG@10")
    one = part.indexed[0]
    yield (
        f"{one.corpus}, {one.version}: {len(part.runs[0].answered):,} queries, {one.files:,} functions, each a file; "
        f"{one.chunks:,} chunks of {one.size}. The rank is that of the function among functions. One function is "
        "judged relevant to a query, while others answer it too: all figures are low.\n"
    )
    rows = (
        (r.way, *_cells(r, _ALL, measures, seed), f"{r.p50_ms:.0f}, {r.p95_ms:.0f}")
        for r in part.runs
    )
    yield table(("way", *measures, "p50, p95 ms"), rows)


def scaling_lines(part: Part, _seed: int) -> Iterator[str]:
    yield (
        "Python files of the standard library and of installed packages, chosen by a hash of their names. Each row is "
        "a process of its own: read the files, cut, embed (loading the encoder included), store, until a search finds "
        "them. A query is embedded, searched for and ranked, without a language model, which the documents' query "
        "time has; theirs are for a graphics card. On disk are the index and the cache of vectors.\n"
    )
    yield table(
        (
            "files", "MB of text", "chunks", "index s", "of it reading", "files/s", "query p50, p95 ms",
            "on disk MB", "peak memory MB",
        ),
        (
            (
                f"{row.files:,}", f"{row.text_mb:.1f}", f"{row.chunks:,}", f"{row.index_s:.1f}",
                f"{row.mined_s:.1f}", f"{row.files / row.index_s:.1f}",
                f"{row.p50_ms:.0f}, {row.p95_ms:.0f}", f"{row.disk_mb:.0f}", f"{row.peak_mb:.0f}",
            )
            for row in part.scaled
        ),
    )  # fmt: skip
    yield "What the documents claim:\n"
    yield table(
        ("files", "chunks", "index time", "query time", "size on disk"),
        ((f"{files:,}", *claimed) for files, claimed in CLAIMED_SCALING.items()),
    )


def reindexing_lines(part: Part, _seed: int) -> Iterator[str]:
    first = part.reindexed[0]
    yield "All files of this project, read, compared with the index, and embedded where they changed.\n"
    yield table(
        ("run", "files", "files embedded", "chunks embedded", "s", "of it reading", "of the first"),
        (
            (
                row.what, f"{row.files:,}", f"{row.embedded_files:,}", f"{row.chunks:,}",
                f"{row.seconds:.2f}", f"{row.mined_s:.2f}", f"{row.seconds / first.seconds:.1%}",
            )
            for row in part.reindexed
        ),
    )  # fmt: skip


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f}" if seconds else "there already"


def _sums(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, number in pairs:
        found[name] = found.get(name, 0) + number
    return found


_PARTS: Mapping[str, tuple[str, Callable[[Part, int], Iterator[str]]]] = {
    QUALITY: ("What is found", quality_lines),
    SIZES: ("Chunk sizes", sizes_lines),
    COSQA: ("CoSQA", cosqa_lines),
    SCALING: ("Scaling", scaling_lines),
    REINDEXING: ("Indexing again", reindexing_lines),
}
