"""The requests that are written together: each pass of the model gives every one of them a token."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rag_llm_system.domain.errors import BackendError
from rag_llm_system.model.inference.generation import Generation, Writing
from rag_llm_system.model.inference.passes import Passes
from rag_llm_system.model.inference.sampling import choose

_VENDOR = (RuntimeError, ValueError, IndexError)
"""What torch raises: out of memory, a bad shape, an index beyond the vocabulary."""

_NO_NUMBERS = -1


@dataclass(eq=False)
class _Row:
    """A request in the batch. ``length`` tokens of it are in the cache; ``last``, the newest, is not yet."""

    generation: Generation
    writing: Writing
    state: Any
    """Where its text is by the rules of its fields."""
    length: int = 0
    last: int = 0


class Batch:
    """Not for several threads. Its requests have the rows 0 to n of the cache, and the newcomer row n + 1.

    Memory is set aside for the whole of an answer before it begins, so none stops for lack of it.
    """

    def __init__(
        self, passes: Passes, tokenizer: Any, stop_ids: frozenset[int], max_rows: int
    ) -> None:
        self._passes = passes
        self._tokenizer = tokenizer
        self._stop_ids = stop_ids
        self._max_rows = max_rows
        self._rows: list[_Row] = []
        self._newcomer: _Row | None = None

    @property
    def size(self) -> int:
        return len(self._rows) + (self._newcomer is not None)

    @property
    def has_newcomer(self) -> bool:
        """Whether a prompt is being read; there is one at a time."""
        return self._newcomer is not None

    def has_room(self, generation: Generation) -> bool:
        rows, tokens = self._with(generation)
        return rows <= self._max_rows and rows * tokens <= self._passes.most_tokens

    def admit(self, generation: Generation) -> None:
        """Makes it the newcomer; who calls has looked whether there is room."""
        row = self._row(generation)
        try:
            self._passes.cache.reserve(*self._with(generation), self._passes.most_tokens)
        except _VENDOR as error:
            _fail([row], error)
        else:
            row.length = self._shared(generation.prompt_ids)
            self._newcomer = row

    def read(self, most: int) -> int:
        """Reads on in the newcomer's prompt, up to ``most`` tokens, and says how many it read.

        At the end of the prompt its first token is written and it is one of the batch.
        """
        row = self._newcomer
        if row is None or row.writing.has_ended:
            self._newcomer = None
            _end([row] if row else [])
            return 0
        chunk = row.generation.prompt_ids[row.length : row.length + most]
        try:
            scores = self._passes.read(len(self._rows), row.length, chunk)
            row.length += len(chunk)
            if row.length == len(row.generation.prompt_ids):
                self._keep([row], self._chosen(scores, [row]))
                self._rows.append(row)
                self._newcomer = None
        except _VENDOR as error:
            self._newcomer = None
            self._passes.cache.wipe(len(self._rows))
            _fail([row], error)
        return len(chunk)

    def write(self) -> None:
        """One token for each; who has ended leaves."""
        self._leave()
        if not self._rows:
            return
        try:
            scores = self._passes.write(
                [row.last for row in self._rows], [row.length for row in self._rows]
            )
            token_ids = self._chosen(scores, self._rows)
        except _VENDOR as error:
            # whose fault it was is not known, nor what of the pass is in the cache
            _fail(self._emptied(), error)
            return
        for row in self._rows:
            row.length += 1
        self._keep(self._rows, token_ids)
        self._leave()

    def end_all(self, error: BackendError | None = None) -> None:
        """Cancels them, or fails them with ``error``."""
        for row in self._emptied():
            row.generation.cancel()
            _over(row, error)

    def refuse(self, generation: Generation, error: BackendError | None = None) -> None:
        """Ends one that never came in."""
        generation.cancel()
        _over(self._row(generation), error)

    def _emptied(self) -> list[_Row]:
        rows = [*self._rows, *([self._newcomer] if self._newcomer else [])]
        self._rows, self._newcomer = [], None
        self._passes.cache.release()
        return rows

    def _row(self, generation: Generation) -> _Row:
        grounding = generation.grounding
        writing = Writing(self._tokenizer, generation, self._stop_ids)
        return _Row(generation, writing, grounding.start if grounding else b"")

    def _with(self, generation: Generation) -> tuple[int, int]:
        """Rows, and the tokens of the longest of them."""
        lengths = [row.generation.length for row in self._rows]
        return len(self._rows) + 1, max([generation.length, *lengths])

    def _shared(self, prompt_ids: Sequence[int]) -> int:
        """Copies what another row has read already of the same beginning, such as the system's message; how much."""
        most, source = 0, 0
        for n, row in enumerate(self._rows):
            if (common := _common(row.generation.prompt_ids, prompt_ids)) > most:
                most, source = common, n
        tokens = min(most, len(prompt_ids) - 1)  # the last one is run, for its scores
        self._passes.cache.copy(source, len(self._rows), tokens)
        return tokens

    def _chosen(self, scores: Any, rows: Sequence[_Row]) -> list[int]:
        highest = scores.amax(dim=-1)
        sound = highest.isfinite().tolist()
        for n, row in enumerate(rows):
            if not sound[n]:
                scores[n] = 0.0
            elif row.generation.grounding:
                scores[n] = row.generation.grounding.masked(scores[n], row.state)
        token_ids = choose(scores, [row.generation for row in rows])
        return [t if ok else _NO_NUMBERS for t, ok in zip(token_ids, sound, strict=True)]

    def _keep(self, rows: Sequence[_Row], token_ids: Sequence[int]) -> None:
        for row, token_id in zip(rows, token_ids, strict=True):
            row.last = token_id
            if token_id == _NO_NUMBERS:
                continue
            if row.generation.grounding:
                row.state = row.generation.grounding.after(row.state, token_id)
            row.writing.add(token_id)

    def _leave(self) -> None:
        """The last row takes the place of one that ended, and the newcomer that of the last row."""
        ended: list[_Row] = []
        for n in reversed(range(len(self._rows))):
            row = self._rows[n]
            if row.last == _NO_NUMBERS:
                self._passes.cache.wipe(n)
            elif not row.writing.has_ended:
                continue
            ended.append(row)
            last = self._rows.pop()
            if last is not row:
                self._passes.cache.copy(len(self._rows), n, last.length)
                self._rows[n] = last
            if self._newcomer:
                self._passes.cache.copy(len(self._rows) + 1, len(self._rows), self._newcomer.length)
        _end(ended)


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens they begin with alike."""
    differing = (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(differing, min(len(one), len(other)))


def _end(rows: Sequence[_Row]) -> None:
    for row in rows:
        if row.last == _NO_NUMBERS:
            _fail([row], ValueError("its scores are no numbers"))
        else:
            row.writing.end()


def _over(row: _Row, error: BackendError | None) -> None:
    if error:
        row.generation.listener.failed(error)
    else:
        row.writing.end()


def _fail(rows: Sequence[_Row], error: Exception) -> None:
    for row in rows:
        row.generation.listener.failed(
            BackendError(f"the model failed on a prompt ({type(error).__name__}: {error})")
        )
