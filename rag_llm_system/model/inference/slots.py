"""Keys and values of conversations that are written together, each in a row of one bounded block of memory."""

from typing import Any

import torch
from transformers import Cache

_COLUMNS = 256
"""Rows grow by this many tokens at a time, so that a block is seldom copied to a larger one."""


class SlotCache(Cache):  # type: ignore[misc] # the library's base class has no types
    """Row ``n`` holds a conversation from column 0 on, however long the others are: none is padded or shifted.

    Before each pass of the model the owner says what it is, with ``read`` (more of one row's prompt) or ``write``
    (one token in each of the first rows).
    """

    def __init__(self, device: Any) -> None:
        super().__init__(layers=[])
        self._device = device
        self._blocks: list[tuple[Any, Any]] = []
        self._rows = self._columns = 0
        self._reading: tuple[int, int] | None = None
        self._first_rows: Any = None
        self._ends: Any = None
        self._longest = 0

    @property
    def size_tokens(self) -> int:
        """For how many tokens there is memory now."""
        return self._rows * self._columns if self._blocks else 0

    @property
    def token_bytes(self) -> int:
        """What one token takes in all layers; known after the first pass."""
        return sum(b.shape[1] * b.shape[3] * b.element_size() for two in self._blocks for b in two)

    def reserve(self, rows: int, tokens: int, most: int) -> None:
        """Makes room for ``rows`` of up to ``tokens`` each; where ``most`` tokens in all allow it, some to spare."""
        if rows <= self._rows and tokens <= self._columns:
            return
        columns = -(-tokens // _COLUMNS) * _COLUMNS
        shapes = [
            (max(2 * self._rows, rows), max(columns, self._columns)),
            (max(self._rows, rows), max(columns, self._columns)),
            (rows, columns),
        ]
        fitting = (shape for shape in shapes if shape[0] * shape[1] <= most)
        self._rows, self._columns = next(fitting, (rows, tokens))
        for n, (keys, values) in enumerate(self._blocks):
            # layer by layer, so that old and new are never there in full
            self._blocks[n] = self._resized(keys), self._resized(values)

    def release(self) -> None:
        """Gives the memory back; nothing is kept."""
        self._blocks.clear()
        self._rows = self._columns = 0

    def read(self, row: int, start: int, count: int) -> tuple[Any, Any]:
        """The next pass takes ``count`` tokens of ``row``, behind ``start`` others: their positions and mask."""
        self._reading = row, start
        positions = torch.arange(start, start + count, device=self._device)[None]
        columns = torch.arange(start + count, device=self._device)
        return positions, columns <= positions.view(1, 1, count, 1)

    def write(self, lengths: list[int]) -> tuple[Any, Any]:
        """The next pass takes one token behind each of the first ``len(lengths)`` rows."""
        self._reading = None
        self._first_rows = torch.arange(len(lengths), device=self._device)
        self._ends = torch.tensor(lengths, device=self._device)
        self._longest = max(lengths) + 1
        columns = torch.arange(self._longest, device=self._device)
        return self._ends[:, None], columns <= self._ends.view(-1, 1, 1, 1)

    def copy(self, source: int, target: int, tokens: int) -> None:
        """Writes the first ``tokens`` of a row over those of another."""
        for two in self._blocks:
            for block in two:
                block[target, :, :tokens] = block[source, :, :tokens]

    def wipe(self, row: int) -> None:
        """Takes out what could spoil the row's next conversation: a mask does not hide what is no number."""
        for two in self._blocks:
            for block in two:
                block[row] = 0

    def update(
        self, key_states: Any, value_states: Any, layer_idx: int, *_: Any, **__: Any
    ) -> tuple[Any, Any]:
        """Called by each layer of the model: keeps what is new and gives what may be looked at."""
        if layer_idx == len(self._blocks):
            self._blocks.append((self._block(key_states), self._block(value_states)))
        keys, values = self._blocks[layer_idx]
        return self._kept(keys, key_states), self._kept(values, value_states)

    def get_seq_length(self, layer_idx: int = 0) -> int:  # noqa: ARG002 # the library's signature
        """Rows differ; who calls the model gives positions and mask."""
        return 0

    def _block(self, like: Any) -> Any:
        # zeros, for what is masked is multiplied by 0, and 0 times the NaN of fresh memory is NaN
        shape = (self._rows, like.shape[1], self._columns, like.shape[3])
        return torch.zeros(shape, dtype=like.dtype, device=like.device)

    def _resized(self, block: Any) -> Any:
        made = self._block(block)
        rows, columns = min(self._rows, block.shape[0]), min(self._columns, block.shape[2])
        made[:rows, :, :columns] = block[:rows, :, :columns]
        return made

    def _kept(self, block: Any, new: Any) -> Any:
        if self._reading:
            row, start = self._reading
            end = start + new.shape[2]
            block[row, :, start:end] = new[0]
            return block[row : row + 1, :, :end]
        block[self._first_rows, :, self._ends] = new[:, :, 0]
        return block[: len(self._ends), :, : self._longest]
