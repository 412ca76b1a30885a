"""Chooses the next token of each row by what its request asked for."""

from collections.abc import Sequence
from typing import Any

import torch

from rag_llm_system.model.inference.generation import Generation


def choose(scores: Any, requests: Sequence[Generation]) -> list[int]:
    """One token per row of ``scores``: the likeliest, or one drawn at the row's temperature and top_p."""
    chosen = scores.argmax(dim=-1)
    drawn = [n for n, request in enumerate(requests) if not request.is_greedy]
    if drawn:
        rows = torch.tensor(drawn, device=scores.device)
        own = [requests[n] for n in drawn]
        chosen[rows] = _drawn(scores[rows], own)
    return [int(token_id) for token_id in chosen.tolist()]


def _drawn(scores: Any, requests: Sequence[Generation]) -> Any:
    temperatures = torch.tensor([r.temperature for r in requests], device=scores.device)
    chances = (scores / temperatures[:, None]).softmax(dim=-1)
    top_p = torch.tensor([r.top_p for r in requests], device=scores.device)
    if bool((top_p < 1).any()):
        by_chance, order = chances.sort(dim=-1, descending=True)
        # the likeliest tokens that reach top_p together; what comes before the first of them sums to 0
        before = by_chance.cumsum(dim=-1) - by_chance
        by_chance = by_chance.masked_fill(before >= top_p[:, None], 0.0)
        chances = torch.zeros_like(chances).scatter(-1, order, by_chance)
    return torch.multinomial(chances, num_samples=1)[:, 0]
