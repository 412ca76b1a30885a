"""OpenAI's chat protocol: much is taken, little is refused, and answers have the shapes that clients read."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types import Model
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import ValidationError

from rag_llm_system.domain.answers import Message
from rag_llm_system.infrastructure.serving.openai_shapes import (
    ChatCompletionRequest,
    CompletionHead,
    chunk,
    completion,
    models_list,
    usage_chunk,
    usage_of,
)

HELLO = {"role": "user", "content": "Hello?"}
HEAD = CompletionHead(model="tiny", more={"trace_id": "t1"})


def request(**more: Any) -> ChatCompletionRequest:
    return ChatCompletionRequest.model_validate({"model": "tiny", "messages": [HELLO], **more})


def test_a_bare_question_leaves_everything_to_the_server() -> None:
    asked = ChatCompletionRequest.model_validate({"messages": [HELLO]})

    assert asked.conversation == (Message(role="user", content="Hello?"),)
    assert (asked.model, asked.token_limit, asked.temperature, asked.top_p) == (None,) * 4
    assert (asked.stop_strings, asked.stream, asked.wants_usage) == ((), None, False)


def test_roles_and_contents_of_all_kinds_become_messages() -> None:
    asked = request(
        messages=[
            {"role": "developer", "content": "Be brief.", "name": "ops"},
            {"role": "assistant", "content": None, "tool_calls": []},
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        ]
    )  # fmt: skip

    assert asked.conversation == (
        Message(role="system", content="Be brief."),
        Message(role="assistant", content=""),
        Message(role="user", content="a\nb"),
    )


@pytest.mark.parametrize(
    ("given", "limit"),
    [({"max_tokens": 5}, 5), ({"max_completion_tokens": 6}, 6),
     ({"max_tokens": 5, "max_completion_tokens": 6}, 6)],
)  # fmt: skip
def test_either_name_of_the_token_limit_is_read(given: dict[str, int], limit: int) -> None:
    assert request(**given).token_limit == limit


@pytest.mark.parametrize(
    ("given", "strings"), [("END", ("END",)), (["a", "b"], ("a", "b")), ([], ()), (None, ())]
)
def test_stop_is_a_text_or_a_list(given: Any, strings: tuple[str, ...]) -> None:
    assert request(stop=given).stop_strings == strings


@pytest.mark.parametrize(
    "harmless",
    [
        {"n": 1, "tools": [], "logprobs": False, "response_format": {"type": "text"}},
        {"user": "ada", "seed": 7, "frequency_penalty": 0.5, "metadata": {"a": "b"}},
        {"store": None, "tool_choice": "none", "modalities": ["text"], "a_new_parameter": [1]},
        {"stream_options": None, "temperature": None, "max_tokens": None},
    ],
)
def test_parameters_that_change_no_answer_are_ignored(harmless: dict[str, Any]) -> None:
    assert request(**harmless).conversation == request().conversation


@pytest.mark.parametrize(
    ("refused", "line"),
    [
        ({"n": 2}, "n is not supported: one answer"),
        ({"tools": [{"type": "function"}]}, "tools is not supported"),
        ({"functions": [{}]}, "functions is not supported"),
        ({"logprobs": True}, "logprobs is not supported"),
        ({"modalities": ["text", "audio"]}, "modalities is not supported"),
        ({"response_format": {"type": "json_object"}}, "response_format is not supported: JSON"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "role 'tool' is not supported; known: "),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "'image_url' is not"),
        ({"messages": [HELLO, {"role": "assistant", "content": "a"}]}, "must be the user's"),
        ({"messages": [{"role": "user", "content": ""}]}, "the last of messages is empty"),
        ({"messages": [{"role": "user", "content": "a" * 100_001}] * 2}, "over 200000 characters"),
        ({"messages": []}, "at least 1"),
        ({"max_tokens": 0}, "greater than or equal to 1"),
        ({"stop": [""]}, "at least 1 character"),
    ],
)  # fmt: skip
def test_what_would_be_another_answer_than_was_asked_for_is_refused(
    refused: dict[str, Any], line: str
) -> None:
    with pytest.raises(ValidationError, match=line) as error:
        request(**refused)
    assert all("\n" not in wrong["msg"] for wrong in error.value.errors())


def test_a_whole_answer_is_what_openais_client_reads() -> None:
    whole = completion(HEAD, "Good day.", finish_reason="stop", usage=usage_of(3, 2))

    read = ChatCompletion.model_validate(whole)
    assert read.choices[0].message.content == "Good day."
    assert read.choices[0].finish_reason == "stop"
    assert read.usage is not None
    assert read.usage.total_tokens == 5
    assert whole["trace_id"] == "t1"


@given(st.lists(st.text(min_size=1), max_size=5), st.sampled_from(["stop", "length"]))
def test_the_pieces_of_an_answer_join_to_it(pieces: list[str], reason: Any) -> None:
    sent = [
        chunk(HEAD, "", first=True),
        *(chunk(HEAD, piece) for piece in pieces),
        chunk(HEAD, finish_reason=reason),
        usage_chunk(HEAD, usage_of(3, len(pieces))),
    ]

    read = [ChatCompletionChunk.model_validate(one) for one in sent]
    assert len({(one.id, one.created, one.model) for one in read}) == 1
    assert read[0].choices[0].delta.role == "assistant"
    assert "".join(c.delta.content or "" for one in read for c in one.choices) == "".join(pieces)
    assert [c.finish_reason for one in read for c in one.choices if c.finish_reason] == [reason]
    assert read[-1].choices == []
    assert read[-1].usage is not None


def test_models_are_listed_as_openais_client_reads_them() -> None:
    listed = models_list(["a/b", "c"])

    assert [Model.model_validate(one).id for one in listed["data"]] == ["a/b", "c"]
    assert listed["object"] == "list"
