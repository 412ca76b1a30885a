"""What crosses the pipe is whole, or it is nothing; what it names can be found by name."""

from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import Any

import pytest

from rag_llm_system.infrastructure.sandboxes.frames import (
    HEADER,
    Frame,
    Kind,
    call_body,
    call_of,
    callee_named,
    callee_of,
    read_frame,
)
from tests import sandboxed


@pytest.mark.parametrize(
    "frame",
    [
        Frame(Kind.RESULT),
        Frame(Kind.CALL, b"\x00" * 100_000),
        Frame(Kind.FAILURE, b"text", spent=True),
    ],
)
def test_a_frame_is_read_as_it_was_written(frame: Frame) -> None:
    stream = BytesIO(frame.packed() + frame.packed())

    assert [read_frame(stream) for _ in range(3)] == [frame, frame, None]


@pytest.mark.parametrize("length", [0, 1, HEADER.size - 1, HEADER.size, HEADER.size + 3])
def test_a_frame_that_breaks_off_is_none(length: int) -> None:
    packed = Frame(Kind.CALL, b"body").packed()

    assert read_frame(BytesIO(packed[:length])) is None


def test_a_function_is_found_by_its_name() -> None:
    callee = callee_of(sandboxed.upper)

    assert callee.name == "tests.sandboxed:upper"
    assert callee_named(callee.name).function is sandboxed.upper


def of_main() -> int:
    return 1


of_main.__module__ = "__main__"


@pytest.mark.parametrize(
    "function", [of_main, lambda: 1, sandboxed.without_annotation, "text".upper, partial(len, "")]
)
def test_what_another_process_cannot_find_is_refused(function: Callable[..., Any]) -> None:
    with pytest.raises(TypeError):
        callee_of(function)


def test_arguments_come_as_they_were_given() -> None:
    args, kwargs = ("half a pair: \ud800", None, b"\x00"), {"times": 2}

    assert call_of(call_body("a:b", args, kwargs)) == ("a:b", args, kwargs)
