"""How many threads torch uses for one pass of a model."""

from typing import Any

import torch

_SMALL = 10_000_000
"""Parameters. On a busy machine two threads wait for one another longer than they work: a pass over eight rows of the
default scratch model (3 million) took 2.7 ms with one thread and 5.2 ms with two. On a quiet one of two cores it took
5.6 and 3.2 ms, and a prompt of 300 tokens 34 and 17: a machine of its own should use all its cores."""


def set_threads(model: Any, threads: int | None) -> None:
    """For the calling thread, and those that are started after it.

    0 leaves torch its choice, which is one for each core; None is one for a small model, else torch's choice.
    """
    if model.device.type != "cpu":
        return
    if threads is None and model.num_parameters() < _SMALL:
        threads = 1
    if threads:
        torch.set_num_threads(threads)
