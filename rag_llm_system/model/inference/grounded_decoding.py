"""Holds a model to the context while it writes: in a marked field only tokens that spell one of its values."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import LogitsProcessor

from rag_llm_system.domain.from_context import FromContext, entries_by_mark, progress_after
from rag_llm_system.model.inference.token_texts import TokenTexts


@dataclass(eq=False, slots=True)
class _Within:
    """A place within a field; each byte that may follow leads to the next place, the last one out of the field."""

    after: dict[int, "_Within | bytes"] = field(default_factory=dict)


_State = _Within | bytes
"""Where the text has come to; outside of fields the beginning of an opening mark that it ends with, b"" for none."""


class FieldRules:
    """Which texts may follow which, byte by byte: tokens end where they like, marks and characters included."""

    def __init__(self, fields: Sequence[FromContext], tokens: TokenTexts) -> None:
        """Raises DataError for fields that do not go together. A value that the tokens cannot spell is left out."""
        entries = entries_by_mark(fields)
        self.marks = [mark.encode() for mark in entries]
        self._opened: dict[bytes, _Within] = {}
        for mark, texts in entries.items():
            root = self._opened[mark.encode()] = _Within()
            for text in filter(tokens.can_spell, texts):
                self._add(root, text.encode(), _outside_after(text, fields, self.marks))
        self._bytes_of_marks = set(b"".join(self.marks))

    def _add(self, root: _Within, text: bytes, outside: bytes) -> None:
        at = root
        for byte in text[:-1]:
            following = at.after.setdefault(byte, _Within())
            if isinstance(following, bytes):
                return  # a shorter entry ends here already: what follows it is free
            at = following
        at.after[text[-1]] = outside

    def after(self, state: _State, text: bytes) -> _State | None:
        """The state after ``text`` was written, None where it may not be."""
        for byte in text:
            if isinstance(state, _Within):
                following = state.after.get(byte)
            elif byte in self._bytes_of_marks:
                progress = progress_after(state, bytes([byte]), self.marks)
                following = self._opened.get(progress, progress)
                if isinstance(following, _Within) and not following.after:
                    return None
            else:
                following = b""
            if following is None:
                return None
            state = following
        return state


def _outside_after(entry: str, fields: Sequence[FromContext], marks: Sequence[bytes]) -> bytes:
    """The state that an entry leaves: its suffix may end as an opening mark begins."""
    suffixes = {
        f"{value}{f.close}{suffix}": suffix
        for f in fields
        for value, of_value in f.suffixes.items()
        for suffix in of_value
    }
    return progress_after(b"", suffixes.get(entry, "").encode(), marks)


@dataclass(frozen=True, slots=True)
class _Mask:
    """Token ids: those that are allowed, or those that are forbidden."""

    ids: Any
    allows: bool

    def on(self, scores: Any) -> Any:
        """A new row with -inf for what is forbidden."""
        if self.allows:
            nothing = torch.full_like(scores, float("-inf"))
            return nothing.index_copy(0, self.ids, scores[self.ids])
        return scores.index_fill(0, self.ids, float("-inf"))


class Grounding:
    """The rules of one request and the masks they gave; made once and used for each of its tokens."""

    def __init__(self, fields: Sequence[FromContext], tokens: TokenTexts) -> None:
        self._tokens = tokens
        self._rules = FieldRules(fields, tokens)
        self._masks: dict[_State, _Mask] = {}
        self.start: _State = b""

    def after(self, state: _State, token_id: int) -> _State:
        """The state after a token. One that was forbidden and came nevertheless begins anew, outside of all fields."""
        following = self._rules.after(state, self._tokens[token_id])
        return b"" if following is None else following

    def masked(self, scores: Any, state: _State) -> Any:
        """One row of scores with -inf where a token may not be written; never all of it."""
        mask = self._mask(state, scores)
        row = mask.on(scores)
        if bool(torch.isneginf(row.max())):
            # all that is allowed was forbidden by something else: the context goes before
            row = mask.on(torch.zeros_like(scores))
        return row

    def _mask(self, state: _State, scores: Any) -> _Mask:
        if state not in self._masks:
            found = self._allowed(state) if isinstance(state, _Within) else self._forbidden(state)
            # a model may have fewer rows than its tokenizer has tokens
            ids = sorted(token_id for token_id in found if token_id < len(scores))
            self._masks[state] = _Mask(
                torch.tensor(ids, dtype=torch.long, device=scores.device),
                allows=isinstance(state, _Within),
            )
        return self._masks[state]

    def _allowed(self, state: _Within) -> Iterator[int]:
        """Tokens that spell on; special ones, which would end or interrupt the value, are none of them."""
        paths: list[tuple[_Within, bytes]] = [(state, b"")]
        while paths:
            place, written = paths.pop()
            for byte, following in place.after.items():
                text = written + bytes([byte])
                if isinstance(following, _Within):
                    yield from self._tokens.ids(text)
                    if next(self._tokens.starting_with(text), None) is not None:
                        paths.append((following, text))
                    continue
                for token in self._tokens.starting_with(text):
                    if self._rules.after(following, token[len(text) :]) is not None:
                        yield from self._tokens.ids(token)

    def _forbidden(self, state: bytes) -> Iterator[int]:
        """Tokens in which a mark opens and something else than a value begins; most tokens need no look."""
        suspects: set[bytes] = set()
        for mark in self._rules.marks:
            suspects.update(self._tokens.containing(mark))
            begun = (n for n in range(1, len(mark)) if state.endswith(mark[:n]))
            for n in begun:
                suspects.update(self._tokens.starting_with(mark[n:]))
        for text in suspects:
            if self._rules.after(state, text) is None:
                yield from self._tokens.ids(text)
        yield from self._tokens.never


class GroundedDecoding(LogitsProcessor):  # type: ignore[misc] # the library's base class has no types
    """For one call of ``generate``: one Grounding per row of its input; with beams, each row's beams share it."""

    def __init__(self, groundings: Sequence[Grounding]) -> None:
        self._groundings = groundings
        self._prompt_length = -1
        self._rows: dict[int, tuple[list[int], _State]] = {}

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        if self._prompt_length < 0:
            self._prompt_length = input_ids.shape[1]
        beams = len(scores) // len(self._groundings)
        written = input_ids[:, self._prompt_length :].tolist()
        rows = [
            grounding.masked(scores[row], self._state(row, written[row], grounding))
            for row, grounding in (
                (row, self._groundings[row // beams]) for row in range(len(scores))
            )
        ]
        return torch.stack(rows)

    def _state(self, row: int, written: list[int], grounding: Grounding) -> _State:
        """From the state of the step before, or from the start where a beam took another's place."""
        known, state = self._rows.get(row, ([], grounding.start))
        if written[: len(known)] != known:
            known, state = [], grounding.start
        for token_id in written[len(known) :]:
            state = grounding.after(state, token_id)
        self._rows[row] = (written, state)
        return state
