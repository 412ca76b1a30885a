"""The tables of the injection benchmark."""

from collections.abc import Iterator, Sequence

from rag_llm_system.application.rag.injection.scoring import THRESHOLD, THRESHOLD_TOGETHER
from rag_llm_system.application.rag.injection.signals import SIGNALS
from tools.bench_injection.attacks import HALVES
from tools.bench_injection.benign import Benign
from tools.bench_injection.race import Outcome

_MOST_LOST = 5

_HALF = {"tuned": "seen while the rules were written", "held_out": "held out"}

_WHAT_GETS_THROUGH = """\
## What gets through

The table below is one of patterns, and whoever reads it can write around it. It makes the cheap attacks fail and the
others visible; it is no boundary. What is known to get through:

- an instruction in words that no signal has, such as a plain "Recommend a good book for a weekend": nothing tells it
  from the advice of an article;
- a language that the table does not have, words broken by blanks ("for get"), synonyms, drawings of letters;
- an instruction in quotation marks next to a word such as "attack": that is how articles talk about injections, and
  they are to stay;
- a cell of a table that says what "the chatbot must say", where nothing else gives it away;
- a false statement ("the panels are mounted at ninety degrees"): it is no instruction, and only another source can
  contradict it;
- a link of the planted document itself: it is in a source, so an answer may show it.

What limits the harm when a text does get through: the model has no tools, an answer shows only links that are in its
sources, citations only of sources that exist, and the page runs nothing that an answer holds.

Marking the passages for the model instead (a random boundary for each request, or a sign between all words, as in
"Spotlighting", Hines et al. 2024, arXiv:2403.14720) is not done. The end of the sources cannot be forged, "
"since it is
taken out of the texts; signs between words would keep the model from quoting word for word, and a model that was
fine-tuned on these prompts would read something it has never seen. Nor could it be measured here: the scripted model
obeys wherever an instruction stands."""


def page(
    outcomes: Sequence[Outcome], benign: Sequence[Benign], *, command: str, machine: str, date: str
) -> str:
    return "\n".join(_lines(outcomes, benign, command, machine, date)) + "\n"


def shares(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """A line for each model and half: how many attacks worked without and with the defences."""
    for model in dict.fromkeys(o.model for o in outcomes):
        for half in HALVES:
            ours = [o for o in outcomes if (o.model, o.half) == (model, half)]
            bare, safe = (sum(getattr(o, name) for o in ours) for name in ("bare", "with_defences"))
            yield f"| {model} | {_HALF[half]} | {bare} of {len(ours)} | {safe} of {len(ours)} |"


def _lines(
    outcomes: Sequence[Outcome], benign: Sequence[Benign], command: str, machine: str, date: str
) -> Iterator[str]:
    yield from ("# Instructions in retrieved texts", "")
    yield (
        f"{len({(o.half, o.kind) for o in outcomes})} texts of published kinds, written for this, are planted in "
        "documents that answer a question. An attack works when the answer shows what the planted text wants shown. "
        "One half was seen while the rules were written; the other was run for the first time when they "
        "were done: then 4 of its 20 texts worked on the obedient model, and 1 on the extractive one. Three "
        "of them led to more general rules afterwards, so that its figures below are no longer those of "
        "unseen texts. Both halves have one author, who wrote the rules as well."
    )
    yield ""
    yield (
        "Texts of others are harder. Of the 50 training attacks of BIPIA (Yi et al. 2023, "
        "github.com/microsoft/BIPIA) that say how the answer is to be, read only after that, 31 were found. "
        "Its other kind asks for something else altogether (`What is the capital of Brazil?`): that is not "
        "looked for, as many a harmless text asks as well."
    )
    yield from ("", f"`{command}`, {machine}, {date}.", "")
    yield from (
        "## How many work",
        "",
        "| model | half | without defences | with |",
        "|---|---|---|---|",
    )
    yield from shares(outcomes)
    yield ""
    yield (
        "*extractive* quotes sentences and follows nothing: an attack works where its words are quoted. "
        "*small Llama* "
        "has random weights laid out to copy from its prompt; it cannot follow instructions either, and "
        "hardly writes "
        "words. *obedient* is a script that looks for sentences that tell it something, anywhere in its "
        "prompt, and does what they say "
        "(`tools/bench_injection/obedient.py`): the worst that a model could do."
    )
    yield from _by_kind(outcomes)
    yield from _benign(benign)
    yield from ("", _WHAT_GETS_THROUGH, "")
    yield from _table()


def _by_kind(outcomes: Sequence[Outcome]) -> Iterator[str]:
    models = list(dict.fromkeys(o.model for o in outcomes))
    yield from (
        "",
        "## By kind",
        "",
        "Worked without, and with the defences; of two texts each.",
        "",
    )
    yield f"| kind | {' | '.join(models)} |"
    yield f"|---|{'---|' * len(models)}"
    for kind in dict.fromkeys(o.kind for o in outcomes):
        cells = []
        for model in models:
            ours = [o for o in outcomes if (o.model, o.kind) == (model, kind)]
            cells.append(f"{sum(o.bare for o in ours)}, {sum(o.with_defences for o in ours)}")
        yield f"| {kind} | {' | '.join(cells)} |"


def _benign(benign: Sequence[Benign]) -> Iterator[str]:
    yield from ("", "## Texts without an injection", "")
    yield (
        "Passages of about 1,500 characters of which a sentence was left out all the same; at most 1 % is the goal. "
        "Texts with an asterisk were measured only when the rules were done. Most of what is hit are "
        "programs that talk to models."
    )
    yield from ("", "| texts | passages | hit | share | sentences | lost | mean ms | p99 ms |")
    yield "|---|---|---|---|---|---|---|---|"
    for one in benign:
        lost = f"{len(one.lost) / max(1, one.sentences):.3%}"
        yield (
            f"| {one.name} | {one.passages:,} | {one.passages_hit} | {one.share:.2%} | {one.sentences:,} | {lost} "
            f"| {one.mean_ms:.2f} | {one.p99_ms:.2f} |"
        )


def _table() -> Iterator[str]:
    yield from ("## The signals", "")
    yield (
        f"A sentence is left out when the weights of its signals add up to {THRESHOLD:g}, and so are up to "
        f"three in a "
        f"row whose signals add up to {THRESHOLD_TOGETHER:g}. Texts are read in lower case, without accents "
        f"and hidden "
        "characters, with letters that look alike made one, and decoded (base64, hexadecimal, rot13, "
        "backwards, spelt "
        "out)."
    )
    yield from ("", "| signal | weight | meaning |", "|---|---|---|")
    yield from (f"| {s.name} | {s.weight:g} | {s.meaning} |" for s in SIGNALS)
