"""One seed: train on some films, answer about others, with and without the constraint to the context."""

import resource
from collections.abc import Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from rag_llm_system.application.dataset.rows_files import RowsFile
from rag_llm_system.application.evaluation.answers.asked import asked_of, without_context
from rag_llm_system.application.evaluation.answers.fields import titles_from_context
from rag_llm_system.application.evaluation.answers.memorisation import (
    by_chance,
    memorised,
    probes_of,
)
from rag_llm_system.application.evaluation.film_answers import FilmScores, score_film_answer
from rag_llm_system.domain.datasets import Row, TrainingRow
from rag_llm_system.domain.documents import Value
from rag_llm_system.model.evaluation.answering import write_answers
from rag_llm_system.model.finetuned import load_finetuned
from rag_llm_system.model.finetuning.config import PhaseResult, TrainingConfig
from rag_llm_system.model.finetuning.sft import finetune
from rag_llm_system.model.inference.grounded_decoding import GroundedDecoding, Grounding
from rag_llm_system.model.inference.token_texts import token_texts
from steps.progress import say
from steps.training.training_log import show_log
from steps.training.training_rows import rows_of_files
from tools.film_sets import write_film_sets

PROBES = 200
_BATCH, _LONGEST_ANSWER = 50, 220


class SeedResult(Value):
    """What one seed gave; scores are in the order of the test rows."""

    seed: int
    train_films: int
    held_out_films: int
    parameters: int
    phases: tuple[PhaseResult, ...]
    free: tuple[FilmScores, ...]
    constrained: tuple[FilmScores, ...]
    memorised: tuple[float, ...]
    by_chance: tuple[float, ...]
    peak_memory_mb: int

    @property
    def seconds(self) -> float:
        return sum(phase.seconds for phase in self.phases)


def measure_seed(
    records: Path, config: TrainingConfig, folder: Path, *, seed: int, rows: int, turns: int
) -> SeedResult:
    """A training that was interrupted in ``folder`` goes on."""
    sets = write_film_sets(records, folder / "rows", rows=rows, turns=turns, seed=seed)
    given = rows_of_files(
        sets.train, sets.test, kind="instruction", test_share=0.1, seed=seed, work_dir=folder / "data"
    )  # fmt: skip
    config = config.model_copy(update={"seed": seed})
    result = finetune(
        config, given["train"], given["test"], output_dir=folder / "model", on_log=show_log
    )
    loaded = load_finetuned(result.folder, merged=True)
    test = _instructions(sets.test)
    answers = partial(write_answers, loaded, batch_size=_BATCH, max_new_tokens=_LONGEST_ANSWER)
    texts = token_texts(loaded.tokenizer)

    def held_to_context(batch: Sequence[Row]) -> GroundedDecoding:
        return GroundedDecoding([Grounding(titles_from_context(row), texts) for row in batch])

    say(f"  seed {seed}: {len(test)} answers about films that were held out")
    scores = [
        tuple(score_film_answer(a.text, row, a.ended) for a, row in zip(written, test, strict=True))
        for written in (answers(test), answers(test, logits_processor=held_to_context))
    ]
    probes = probes_of(
        [asked_of(row) for row in islice(_instructions(sets.train), PROBES)],
        [asked_of(row) for row in test],
    )
    alone = answers([without_context(r) for r in islice(_instructions(sets.train), PROBES)])
    return SeedResult(
        seed=seed,
        train_films=sets.train_films,
        held_out_films=sets.held_out_films,
        parameters=result.parameters,
        phases=result.phases,
        free=scores[0],
        constrained=scores[1],
        memorised=_shares([memorised(a.text, p) for a, p in zip(alone, probes, strict=True)]),
        by_chance=_shares([by_chance(a.text, p) for a, p in zip(alone, probes, strict=True)]),
        peak_memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    )


def _instructions(path: Path) -> list[TrainingRow]:
    return [row for row in RowsFile(path, "instruction") if isinstance(row, TrainingRow)]


def _shares(measured: Sequence[Any]) -> tuple[float, ...]:
    """Of the rows in which there was something to come out."""
    return tuple(m.value for m in measured if m.weight)
