"""Rows as the tokens that are trained on, each with a mark for what is learned; kept in files, never in memory."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from datasets import Dataset
from trl import pack_dataset

from rag_llm_system.domain.documents import sha256_of
from rag_llm_system.domain.errors import DataError
from rag_llm_system.model.finetuning.chat_template import END_OF_TEXT
from rag_llm_system.model.finetuning.processes import processes

_MESSAGES = ("messages", "prompt", "chosen", "rejected")
_BATCH = 256
_NOT_LEARNED = -100


def conversations(rows: Dataset, tokenizer: Any, max_length: int, path: Path) -> Dataset:
    """``input_ids``, ``labels`` (the assistant's words only) and ``length`` of rows of at most ``max_length`` tokens.

    The tokens are kept in ``path``. Longer rows are left out, never cut; raises DataError when none remains.
    """

    def encoded(batch: dict[str, Any]) -> dict[str, Any]:
        encodings = tokenizer.apply_chat_template(
            batch["messages"], return_dict=True, return_assistant_tokens_mask=True
        )
        both = [
            (ids, mask)
            for ids, mask in zip(encodings["input_ids"], encodings["assistant_masks"], strict=True)
            if len(ids) <= max_length
        ]
        return {
            "input_ids": [ids for ids, _ in both],
            "labels": [
                [token if learned else _NOT_LEARNED for token, learned in zip(*one, strict=True)]
                for one in both
            ],
            "length": [len(ids) for ids, _ in both],
        }

    return _not_empty(_mapped(rows, encoded, path), rows, max_length)


def packed(rows: Dataset, max_length: int, path: Path) -> Dataset:
    """As many conversations in one row as fit into ``max_length`` tokens, with their lengths: positions begin anew
    in each, and none attends to another."""
    with processes().main_process_first():
        return pack_dataset(
            rows.select_columns(["input_ids", "labels"]),
            max_length,
            "bfd",
            {"cache_file_name": str(path), "new_fingerprint": _fingerprint(path)},
        )


def preferences(rows: Dataset, tokenizer: Any, max_length: int, path: Path) -> Dataset:
    """The rows whose prompt and longer answer have at most ``max_length`` tokens, as text: TRL encodes them itself."""

    def fitting(batch: dict[str, Any]) -> dict[str, Any]:
        wanted = [
            max(
                len(ids)
                for ids in tokenizer.apply_chat_template(
                    [prompt + answer for answer in (chosen, rejected)], return_dict=True
                )["input_ids"]
            )
            <= max_length
            for prompt, chosen, rejected in zip(
                batch["prompt"], batch["chosen"], batch["rejected"], strict=True
            )
        ]
        return {
            name: [value for value, fits in zip(batch[name], wanted, strict=True) if fits]
            for name in ("prompt", "chosen", "rejected")
        }

    return _not_empty(_mapped(rows, fitting, path), rows, max_length)


def blocks(rows: Dataset, tokenizer: Any, size: int, path: Path) -> Dataset:
    """The last answers one after another, in blocks of ``size`` tokens; what is left of each thousand is left out.

    Raises DataError when there is not one block.
    """
    begin, end = tokenizer.bos_token_id, tokenizer.convert_tokens_to_ids(END_OF_TEXT)
    seen = 0

    def cut(batch: dict[str, Any]) -> dict[str, Any]:
        nonlocal seen
        ids: list[int] = []
        for messages in batch["messages"]:
            text = tokenizer(messages[-1]["content"], add_special_tokens=False)["input_ids"]
            ids += [begin, *text, end]
        seen += len(ids)
        whole = [ids[at : at + size] for at in range(0, len(ids) - size + 1, size)]
        return {"input_ids": whole, "labels": whole, "length": [size] * len(whole)}

    made = _mapped(rows, cut, path, batch=1000)
    if not len(made):
        raise DataError(
            f"the training texts have {seen} tokens, less than one block of {size}: more rows are needed"
            " to make a base from scratch"
        )
    return made


def digest(datasets: Iterable[Dataset]) -> str:
    """The SHA-256 of what is trained on: the messages of all rows, in order."""
    sha = hashlib.sha256()
    for rows in datasets:
        columns = [name for name in rows.column_names if name in _MESSAGES]
        for batch in rows.select_columns(columns).iter(batch_size=1000):
            sha.update(json.dumps(batch, ensure_ascii=False, sort_keys=True).encode())
        sha.update(b"\n")
    return sha.hexdigest()


def _mapped(rows: Dataset, function: Any, path: Path, *, batch: int = _BATCH) -> Dataset:
    """Made once by the main process; the file is complete or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with processes().main_process_first():
        return rows.map(
            function,
            batched=True,
            batch_size=batch,
            remove_columns=rows.column_names,
            cache_file_name=str(path),
            new_fingerprint=_fingerprint(path),
        )


def _fingerprint(path: Path) -> str:
    """By which the library tells datasets apart; ours are told apart by their files."""
    return sha256_of(str(path))[:16]


def _not_empty(made: Dataset, rows: Dataset, max_length: int) -> Dataset:
    if not len(made):
        raise DataError(
            f"none of {len(rows)} rows has at most max_length {max_length} tokens; raise max_length"
        )
    return made
