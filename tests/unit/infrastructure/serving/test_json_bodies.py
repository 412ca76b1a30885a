"""JSON that is let through, and JSON that is not."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException

from rag_llm_system.infrastructure.serving.bodies import MAX_DEPTH, check_json

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**19) + 1, 10**19 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(TEXTS, below, max_size=3),
    max_leaves=10,
)


def refusal(body: bytes) -> tuple[int, str]:
    with pytest.raises(HTTPException) as raised:
        check_json(body)
    return raised.value.status_code, raised.value.detail


@given(VALUES, st.booleans())
def test_what_json_can_say_passes(value: Any, escaped: bool) -> None:
    check_json(json.dumps(value, ensure_ascii=escaped).encode())


@given(st.binary(max_size=200) | st.text('[]{}":,0123456789eE+-.\\untrfalsd ').map(str.encode))
def test_whatever_is_sent_nothing_but_a_refusal_is_raised(body: bytes) -> None:
    with suppress(HTTPException):
        check_json(body)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_the_deepest_body_passes_and_the_next_is_refused(opening: str, closing: str) -> None:
    def nested(depth: int) -> bytes:
        return (opening * depth + "1" + closing * depth).encode()

    check_json(nested(MAX_DEPTH))
    assert refusal(nested(MAX_DEPTH + 1)) == (422, "the body is nested too deep; at most 64 levels")


def test_any_depth_is_refused_in_the_same_words() -> None:
    assert refusal(b"[" * 1_000_000) == refusal(b"[" * 65 + b"]" * 65)


@pytest.mark.parametrize("name", ["a", "where"])
@pytest.mark.parametrize("text", ["\\u0000", "\\ud800", "\\udc00", "\\ude00\\ud83d"])
def test_text_that_cannot_be_stored_is_refused_in_names_and_values(name: str, text: str) -> None:
    assert refusal(f'{{"{name}": [{{"b": "{text}"}}]}}'.encode())[0] == 422
    assert refusal(f'{{"{name}{text}": 1}}'.encode())[0] == 422


def test_an_escaped_backslash_before_such_an_escape_is_only_text() -> None:
    check_json(b'"\\\\u0000 \\\\ud800"')


def test_two_fields_of_one_name_are_no_reason() -> None:
    check_json(b'{"a": 1, "a": 2}')
