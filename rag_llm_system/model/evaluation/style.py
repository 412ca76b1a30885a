"""Measures what an adapter changed: loss on unseen answers, and the form of the answers it writes."""

import math
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import torch
from pydantic import Field

from rag_llm_system.domain.datasets import TrainingRow
from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import DataError
from rag_llm_system.model.finetuning.base_model import LoadedModel

_SENTENCE_ENDS = (".", "!", "?")
_CLOSING_MARKS = "\"'\u201d\u2019)*_ \n"


class StyleScores(Value):
    """``loss`` is per token of the reference answers; shares are of ``generated`` answers, greedily written.

    ``ended`` counts answers that end with the stop token within the limit, ``sentence_form`` those that begin
    with no lower-case letter and end a sentence.
    """

    loss: float
    perplexity: float
    ended: float
    sentence_form: float
    mean_chars: float


class StyleExample(Value):
    question: str
    reference: str
    before: str
    after: str


class StyleReport(Value):
    """The same rows with the base alone (``before``) and with the adapter (``after``)."""

    rows: int
    answer_tokens: int
    generated: int
    max_new_tokens: int = Field(ge=1)
    before: StyleScores
    after: StyleScores
    examples: tuple[StyleExample, ...]


class _Written(Value):
    text: str
    ended: bool


def evaluate(
    loaded: LoadedModel,
    rows: Sequence[TrainingRow],
    *,
    generate: int = 20,
    max_new_tokens: int = 200,
    examples: int = 3,
) -> StyleReport:
    """Scores the last answer of each row; the first ``generate`` rows are answered too. No judge, no network."""
    if not rows:
        raise DataError("no rows to evaluate on; name a test set that has some")
    asked = rows[:generate]
    scores: list[StyleScores] = []
    written: list[list[_Written]] = []
    tokens = 0
    for base_alone in (True, False):
        with (
            loaded.model.disable_adapter() if base_alone else nullcontext(),
            torch.inference_mode(),
        ):
            total, tokens = _loss(loaded, rows)
            answers = [_answer(loaded, row, max_new_tokens) for row in asked]
        scores.append(_scores(total / tokens, answers))
        written.append(answers)
    shown = zip(asked[:examples], written[0], written[1], strict=False)
    return StyleReport(
        rows=len(rows),
        answer_tokens=tokens,
        generated=len(asked),
        max_new_tokens=max_new_tokens,
        before=scores[0],
        after=scores[1],
        examples=tuple(
            StyleExample(
                question=row.messages[-2].content,
                reference=row.messages[-1].content,
                before=before.text,
                after=after.text,
            )
            for row, before, after in shown
        ),
    )


def has_sentence_form(text: str) -> bool:
    body = text.strip().rstrip(_CLOSING_MARKS)
    return bool(body) and not body[0].islower() and body.endswith(_SENTENCE_ENDS)


def _loss(loaded: LoadedModel, rows: Sequence[TrainingRow]) -> tuple[float, int]:
    """The summed negative log-likelihood of the last answers, stop token included, and their tokens."""
    total, tokens = 0.0, 0
    for number, row in enumerate(rows, start=1):
        prompt = _ids(loaded, row.messages[:-1], ask=True)
        whole = _ids(loaded, row.messages, ask=False)
        if whole[: len(prompt)] != prompt or len(whole) == len(prompt):
            raise DataError(f"test row {number}: the chat template does not put the answer last")
        labels = torch.tensor(
            [[-100] * len(prompt) + whole[len(prompt) :]], device=loaded.model.device
        )
        loss = loaded.model(
            input_ids=torch.tensor([whole], device=loaded.model.device), labels=labels
        ).loss
        answer = len(whole) - len(prompt)
        total += float(loss) * answer
        tokens += answer
    return total, tokens


def _answer(loaded: LoadedModel, row: TrainingRow, max_new_tokens: int) -> _Written:
    prompt = torch.tensor([_ids(loaded, row.messages[:-1], ask=True)], device=loaded.model.device)
    stop = loaded.tokenizer.eos_token_id
    output = loaded.model.generate(
        input_ids=prompt,
        attention_mask=torch.ones_like(prompt),
        max_new_tokens=max_new_tokens,
        do_sample=False,
        eos_token_id=stop,
        pad_token_id=loaded.tokenizer.pad_token_id,
    )[0, prompt.shape[1] :]
    return _Written(
        text=loaded.tokenizer.decode(output, skip_special_tokens=True),
        ended=stop in output.tolist(),
    )


def _ids(loaded: LoadedModel, messages: Any, *, ask: bool) -> list[int]:
    ids: list[int] = loaded.tokenizer.apply_chat_template(
        [{"role": m.role, "content": m.content} for m in messages],
        add_generation_prompt=ask,
        return_dict=True,
    )["input_ids"]
    return ids


def _scores(loss: float, answers: Sequence[_Written]) -> StyleScores:
    count = max(1, len(answers))
    return StyleScores(
        loss=loss,
        perplexity=math.exp(loss),
        ended=sum(a.ended for a in answers) / count,
        sentence_form=sum(has_sentence_form(a.text) for a in answers) / count,
        mean_chars=sum(len(a.text) for a in answers) / count,
    )
