"""What containers for language models on SageMaker take and answer: text-generation-inference and DJL."""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, TypeAdapter

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.errors import BackendError
from rag_llm_system.infrastructure.llms.refusals import reason_of

Form = Literal["messages", "inputs"]
"""``messages`` lets the server apply the model's chat template; older containers know ``inputs`` only."""

_LIKELIEST_BELOW = 1e-3
"""Text-generation-inference refuses a temperature of 0; without sampling it takes the likeliest token."""


def request_body(
    form: Form,
    messages: Sequence[Message],
    *,
    max_tokens: int,
    temperature: float,
    top_p: float,
    streaming: bool,
) -> dict[str, Any]:
    # 1 is what both do without it, and more than text-generation-inference takes
    nucleus = {"top_p": top_p} if top_p < 1 else {}
    if form == "messages":
        return {
            "messages": [{"role": m.role, "content": m.content} for m in messages],
            "max_tokens": max_tokens,
            "temperature": temperature,
            **nucleus,
            "stream": streaming,
        }
    sampling = {"do_sample": True, "temperature": temperature, **nucleus}
    return {
        "inputs": "\n\n".join(m.content for m in messages),
        "parameters": {
            "max_new_tokens": max_tokens,
            "return_full_text": False,
            **(sampling if temperature >= _LIKELIEST_BELOW else {"do_sample": False}),
        },
        "stream": streaming,
    }


class _Said(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    delta: _Said = _Said()
    message: _Said = _Said()
    finish_reason: str | None = None


class _Token(BaseModel):
    text: str = ""
    special: bool = False


class _Part(BaseModel):
    choices: list[_Choice] = []
    token: _Token | None = None
    generated_text: str | None = None
    error: Any = None


_PARTS: TypeAdapter[_Part | list[_Part]] = TypeAdapter(_Part | list[_Part])


class PartReader:
    """Lines of JSON, as events or bare; what was not asked to stream, or cannot, is one line."""

    def __init__(self) -> None:
        self._has_text = False
        self.ended = False

    def read(self, line: bytes) -> str:
        """The text that the line adds. Raises ValueError for what is not of the protocol, BackendError for an error."""
        data = line.removeprefix(b"data:").strip()
        if not data or data.startswith(b":"):
            return ""
        if data == b"[DONE]":
            self.ended = True
            return ""
        parsed = _PARTS.validate_json(data)
        text = "".join(map(self._text, parsed if isinstance(parsed, list) else [parsed]))
        self._has_text = self._has_text or bool(text)
        return text

    def _text(self, part: _Part) -> str:
        if part.error:
            raise BackendError(reason_of({"error": part.error}))
        if part.choices:
            choice = part.choices[0]
            self.ended = choice.finish_reason is not None
            return choice.delta.content or choice.message.content or ""
        self.ended = part.generated_text is not None
        if part.token and not part.token.special:
            return part.token.text
        # at the end of a stream it repeats what came
        return "" if self._has_text else part.generated_text or ""
