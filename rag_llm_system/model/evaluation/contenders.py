"""The models that an evaluation compares, one in memory at a time."""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import SecretStr

from rag_llm_system.domain.datasets import Row
from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.domain.from_context import FromContext
from rag_llm_system.domain.written_answers import Answering, ReferenceLoss, WrittenAnswer
from rag_llm_system.model.evaluation.answering import (
    LogitsFor,
    OnDone,
    write_answers,
)
from rag_llm_system.model.evaluation.reference_losses import reference_losses
from rag_llm_system.model.finetuned import load_finetuned, load_unadapted
from rag_llm_system.model.finetuning.base_model import LoadedModel
from rag_llm_system.model.folder import ADAPTER_DIR
from rag_llm_system.model.inference.grounded_decoding import GroundedDecoding, Grounding
from rag_llm_system.model.inference.token_texts import token_texts

BASE, FINETUNED, PRODUCTION = "base", "fine-tuned", "production"


FieldsOf = Callable[[Row], Sequence[FromContext]]
"""What the answer to a row may hold in its marked fields."""


@dataclass(frozen=True)
class Contender:
    """A model by its name in the report; usable until the next one is asked for."""

    name: str
    loaded: "_Held"
    answering: Answering
    adapter_off: bool = False
    fields_of: FieldsOf | None = None

    def write(self, rows: Sequence[Row], on_done: OnDone) -> list[WrittenAnswer]:
        loaded = self.loaded.model()
        return write_answers(
            loaded,
            rows,
            batch_size=self.answering.batch_size,
            max_new_tokens=self.answering.max_new_tokens,
            adapter_off=self.adapter_off,
            logits_processor=_held_to(self.fields_of, loaded) if self.fields_of else None,
            on_done=on_done,
        )

    def losses(self, rows: Sequence[Row], on_done: OnDone) -> list[ReferenceLoss]:
        return reference_losses(
            self.loaded.model(),
            rows,
            batch_size=self.answering.batch_size,
            adapter_off=self.adapter_off,
            on_done=on_done,
        )


def contenders(
    folder: Path,
    answering: Answering,
    *,
    production: Path | None = None,
    token: SecretStr | None = None,
    fields_of: FieldsOf | None = None,
) -> Iterator[Contender]:
    """The base of a trained folder, the trained model, and the one that serves before where there is another.

    Of a model with an adapter, base and trained model are the same weights, loaded once. With ``fields_of`` all of
    them are held to the fields of each row by grounded decoding.
    """

    def contender(name: str, held: "_Held", *, adapter_off: bool = False) -> Contender:
        return Contender(name, held, answering, adapter_off, fields_of)

    if (folder / ADAPTER_DIR).is_dir():
        with _held(load_finetuned(folder, token=token)) as held:
            yield contender(BASE, held, adapter_off=True)
            yield contender(FINETUNED, held)
    else:
        with _held(load_unadapted(folder, token=token)) as held:
            yield contender(BASE, held)
        with _held(load_finetuned(folder, token=token)) as held:
            yield contender(FINETUNED, held)
    if production and production.resolve() != folder.resolve():
        with _held(load_finetuned(production, token=token)) as held:
            yield contender(PRODUCTION, held)


def _held_to(fields_of: FieldsOf, loaded: LoadedModel) -> LogitsFor:
    texts = token_texts(loaded.tokenizer)
    return lambda rows: GroundedDecoding([Grounding(fields_of(row), texts) for row in rows])


class _Held:
    """A model until it is let go, whoever still knows its contender."""

    def __init__(self, loaded: LoadedModel) -> None:
        self._loaded: LoadedModel | None = loaded

    def model(self) -> LoadedModel:
        if self._loaded is None:
            raise ConfigurationError("this model was unloaded; ask each contender before the next")
        return self._loaded

    def let_go(self) -> None:
        self._loaded = None


@contextmanager
def _held(loaded: LoadedModel) -> Iterator[_Held]:
    held = _Held(loaded)
    del loaded
    try:
        yield held
    finally:
        held.let_go()
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
