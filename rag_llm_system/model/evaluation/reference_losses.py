"""How likely the reference answers of a test set are to a model."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional

from rag_llm_system.domain.datasets import Row, conversation_of
from rag_llm_system.domain.errors import DataError
from rag_llm_system.domain.written_answers import ReferenceLoss
from rag_llm_system.model.evaluation.answering import (
    OnDone,
    left_padded,
    token_ids,
    without_adapter,
)
from rag_llm_system.model.finetuning.base_model import LoadedModel


def reference_losses(
    loaded: LoadedModel,
    rows: Sequence[Row],
    *,
    batch_size: int,
    adapter_off: bool = False,
    on_done: OnDone = lambda _: None,
) -> list[ReferenceLoss]:
    """Of each row in order, over all of the assistant's turns, the token that ends a turn included.

    Raises DataError when the chat template does not put an answer behind its question, or the loss is no number.
    """
    tokenised = [_with_answers(loaded, row, n) for n, row in enumerate(rows, start=1)]
    by_length = sorted(range(len(rows)), key=lambda n: len(tokenised[n][0]))
    losses: dict[int, ReferenceLoss] = {}
    with without_adapter(loaded, off=adapter_off), torch.inference_mode():
        for start in range(0, len(rows), batch_size):
            batch = by_length[start : start + batch_size]
            losses.update(zip(batch, _losses(loaded, [tokenised[n] for n in batch]), strict=True))
            on_done(len(batch))
    return [losses[n] for n in range(len(rows))]


def _with_answers(loaded: LoadedModel, row: Row, number: int) -> tuple[list[int], list[int]]:
    """(token ids, positions of the answers' tokens)."""
    messages = conversation_of(row)
    whole = token_ids(loaded, messages, ask=False)
    positions: list[int] = []
    for n, message in enumerate(messages):
        if message.role != "assistant":
            continue
        before = token_ids(loaded, messages[:n], ask=True)
        after = token_ids(loaded, messages[: n + 1], ask=False)
        if after[: len(before)] != before or whole[: len(after)] != after or after == before:
            raise DataError(f"test row {number}: the chat template does not put answer {n} last")
        positions.extend(range(len(before), len(after)))
    return whole, positions


def _losses(
    loaded: LoadedModel, batch: Sequence[tuple[list[int], list[int]]]
) -> list[ReferenceLoss]:
    ids, mask = left_padded(loaded, [tokens for tokens, _ in batch])
    shifts = [ids.shape[1] - len(tokens) for tokens, _ in batch]
    # a token is predicted one position before it; of the others no logits are made
    wanted = sorted(
        {
            position + shift - 1
            for (_, answers), shift in zip(batch, shifts, strict=True)
            for position in answers
        }
    )
    logits = loaded.model(
        input_ids=ids,
        attention_mask=mask,
        position_ids=(mask.cumsum(1) - 1).clamp(min=0),
        logits_to_keep=torch.tensor(wanted, device=ids.device),
        use_cache=False,
    ).logits
    column = {position: n for n, position in enumerate(wanted)}
    return [
        _loss(logits[n], ids[n], [p + shift for p in answers], column)
        for n, ((_, answers), shift) in enumerate(zip(batch, shifts, strict=True))
    ]


def _loss(logits: Any, ids: Any, positions: Sequence[int], column: dict[int, int]) -> ReferenceLoss:
    predicted = logits[[column[position - 1] for position in positions]].float()
    total = float(functional.cross_entropy(predicted, ids[list(positions)], reduction="sum"))
    if not math.isfinite(total):
        raise DataError("the loss of a reference answer is no number; the training has diverged")
    return ReferenceLoss(total=total, tokens=len(positions))
