"""Writes answers to the rows of a test set, many at a time."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.datasets import Row, conversation_of
from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.domain.written_answers import WrittenAnswer
from rag_llm_system.model.finetuning.base_model import LoadedModel

LogitsFor = Callable[[Sequence[Row]], Any]
"""A logits processor for a batch of these rows, in this order."""

OnDone = Callable[[int], None]


def write_answers(
    loaded: LoadedModel,
    rows: Sequence[Row],
    *,
    batch_size: int,
    max_new_tokens: int,
    adapter_off: bool = False,
    logits_processor: LogitsFor | None = None,
    on_done: OnDone = lambda _: None,
) -> list[WrittenAnswer]:
    """The most likely answer to the last question of each row, token by token (greedy), in the order of the rows.

    Rows of like length share a batch, padded on the left: the answers are those of one row at a time, up to what the
    number format rounds differently.
    """
    prompts = [token_ids(loaded, conversation_of(row)[:-1], ask=True) for row in rows]
    by_length = sorted(range(len(rows)), key=lambda n: len(prompts[n]))
    written: dict[int, WrittenAnswer] = {}
    with without_adapter(loaded, off=adapter_off), torch.inference_mode():
        for start in range(0, len(rows), batch_size):
            batch = by_length[start : start + batch_size]
            processor = logits_processor([rows[n] for n in batch]) if logits_processor else None
            answers = _generate(loaded, [prompts[n] for n in batch], max_new_tokens, processor)
            written.update(zip(batch, answers, strict=True))
            on_done(len(batch))
    return [written[n] for n in range(len(rows))]


def token_ids(loaded: LoadedModel, messages: Sequence[Message], *, ask: bool) -> list[int]:
    """Of a conversation in the chat template; ``ask`` adds the beginning of the assistant's next turn."""
    ids: list[int] = loaded.tokenizer.apply_chat_template(
        [{"role": m.role, "content": m.content} for m in messages],
        add_generation_prompt=ask,
        return_dict=True,
    )["input_ids"]
    return ids


def left_padded(loaded: LoadedModel, rows: Sequence[Sequence[int]]) -> tuple[Any, Any]:
    """(ids, attention mask) on the model's device; the last tokens of all rows are in the last column."""
    width = max(map(len, rows))
    pad = loaded.tokenizer.pad_token_id
    ids = [[pad] * (width - len(row)) + list(row) for row in rows]
    mask = [[0] * (width - len(row)) + [1] * len(row) for row in rows]
    device = loaded.model.device
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)


def without_adapter(loaded: LoadedModel, *, off: bool) -> AbstractContextManager[Any]:
    """Within, the base alone answers. Raises ConfigurationError for a model that has no adapter."""
    if not off:
        return nullcontext()
    if not has_adapter(loaded):
        raise ConfigurationError(
            "the model has no adapter to switch off: its base has to be loaded by itself"
        )
    disabled: AbstractContextManager[Any] = loaded.model.disable_adapter()
    return disabled


def has_adapter(loaded: LoadedModel) -> bool:
    return hasattr(loaded.model, "disable_adapter")


def _generate(
    loaded: LoadedModel, prompts: Sequence[Sequence[int]], max_new_tokens: int, processor: Any
) -> list[WrittenAnswer]:
    ids, mask = left_padded(loaded, prompts)
    stop = loaded.tokenizer.eos_token_id
    output = loaded.model.generate(
        input_ids=ids,
        attention_mask=mask,
        max_new_tokens=max_new_tokens,
        do_sample=False,
        eos_token_id=stop,
        pad_token_id=loaded.tokenizer.pad_token_id,
        logits_processor=[processor] if processor else None,
    )[:, ids.shape[1] :].tolist()
    return [_answer(loaded, tokens, stop) for tokens in output]


def _answer(loaded: LoadedModel, tokens: list[int], stop: int) -> WrittenAnswer:
    ended = stop in tokens
    if ended:
        tokens = tokens[: tokens.index(stop)]
    return WrittenAnswer(
        text=loaded.tokenizer.decode(tokens, skip_special_tokens=True), ended=ended
    )
