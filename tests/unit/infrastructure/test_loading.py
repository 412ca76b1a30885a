"""Backends are loaded by name or path, whole or not at all."""

import signal

import pytest

from rag_llm_system.domain.errors import MissingExtra, UnknownName
from rag_llm_system.infrastructure.loading import load, uninterrupted

TABLE = {"deque": "collections:deque", "absent": "no_such_library.module:Thing"}


def test_a_name_of_the_table_gives_its_class() -> None:
    assert load("queue", "deque", TABLE)([1, 2])[1] == 2


def test_a_path_gives_a_class_that_no_table_lists() -> None:
    assert load("queue", "queue:Queue", TABLE).__name__ == "Queue"


@pytest.mark.parametrize("name", ["list", "collections:NoSuch", "no_such_library:Thing"])
def test_an_unknown_name_lists_the_known_ones(name: str) -> None:
    with pytest.raises(UnknownName, match=r"unknown queue .*; known: absent, deque"):
        load("queue", name, TABLE)


def test_a_missing_library_names_its_extra() -> None:
    with pytest.raises(MissingExtra, match=r"\.\[absent\]"):
        load("queue", "absent", TABLE)


def test_an_interrupt_while_importing_waits_for_the_end() -> None:
    done = []

    @uninterrupted()
    def importing() -> None:
        signal.raise_signal(signal.SIGINT)
        done.append("imported")

    with pytest.raises(KeyboardInterrupt):
        importing()
    assert done == ["imported"]


def test_without_an_interrupt_the_handler_is_as_before() -> None:
    before = signal.getsignal(signal.SIGINT)
    with uninterrupted():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before
