"""Keeps the model libraries from writing to the terminal: progress is reported by whoever runs them."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import datasets
from transformers.utils import logging as transformers_logging

_NO_BARS = "TQDM_DISABLE"


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bars within, none of the libraries' advice, and none of their warnings about one another; all is
    put back after."""
    with _no_bars(), _errors_only(), warnings.catch_warnings():
        # peft 0.21 reads an attribute that transformers 5.23 renamed
        warnings.filterwarnings(
            "ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning
        )
        yield


@contextmanager
def _no_bars() -> Iterator[None]:
    bars = not datasets.are_progress_bars_disabled(), transformers_logging.is_progress_bar_enabled()
    setting = os.environ.get(_NO_BARS)
    datasets.disable_progress_bars()
    transformers_logging.disable_progress_bar()
    os.environ[_NO_BARS] = "1"
    try:
        yield
    finally:
        if bars[0]:
            datasets.enable_progress_bars()
        if bars[1]:
            transformers_logging.enable_progress_bar()
        if setting is None:
            del os.environ[_NO_BARS]
        else:
            os.environ[_NO_BARS] = setting


@contextmanager
def _errors_only() -> Iterator[None]:
    others = [logging.getLogger(name) for name in ("bitsandbytes", "trl", "peft", "accelerate")]
    levels = [logger.level for logger in others]
    own = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    for logger in others:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        transformers_logging.set_verbosity(own)
        for logger, level in zip(others, levels, strict=True):
            logger.setLevel(level)
