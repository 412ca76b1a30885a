"""How many threads torch uses for one pass of a model."""

from typing import Any

import torch

_SMALL = 10_000_000
"""Parameters. Two threads wait for one another longer than they work: a pass over eight rows of the default scratch
model (3 million) took 2.7 ms with one thread and 5.2 ms with two, of one with 18 million 11.4 and 8.6 (two cores)."""


def set_threads(model: Any) -> None:
    """For the calling thread, and those that are started after it."""
    if model.device.type == "cpu" and model.num_parameters() < _SMALL:
        torch.set_num_threads(1)
