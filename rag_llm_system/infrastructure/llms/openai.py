"""OpenAI's chat protocol through LangChain: OpenAI, vLLM and Ollama are one adapter at three addresses."""

from collections.abc import Iterator, Sequence
from typing import Any

import openai
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.errors import BackendError, ConfigurationError
from rag_llm_system.domain.from_context import FromContext
from rag_llm_system.infrastructure.llms.field_regex import field_regex

_CONNECT_S, _READ_S = 3.0, 60.0
"""Between two pieces of a stream, not for the whole answer: a long answer is no error."""

_STRUCTURED = "structured_outputs"
"""vLLM's parameter; others do not know it, and say so by its name or ignore it."""


class OpenAIChat:
    """``base_url`` ends in ``/v1``. Servers on this machine need no key."""

    def __init__(self, model_id: str, base_url: str, api_key: SecretStr) -> None:
        if not api_key.get_secret_value() and "api.openai.com" in base_url:
            raise ConfigurationError(
                "LLM_BACKEND=openai needs OPENAI_API_KEY, or OPENAI_BASE_URL of a server of your own"
            )
        self.model_id = model_id
        self._base_url = base_url
        self._api_key = api_key
        self._takes_regex = True

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float
    ) -> Iterator[str]:
        return self._translated(self._pieces(messages, max_tokens, temperature))

    def stream_from_context(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float,
        from_context: Sequence[FromContext],
    ) -> Iterator[str]:
        """vLLM's structured outputs hold the answer to a regular expression.

        A server that refuses is asked without it, and from then on if it does not know the parameter. Others may
        ignore it.
        """
        asked = (messages, max_tokens, temperature)
        if not from_context or not self._takes_regex:
            return self._translated(self._pieces(*asked))
        return self._translated(self._held_to(field_regex(from_context), *asked))

    def _held_to(
        self, regex: str, messages: Sequence[Message], max_tokens: int, temperature: float
    ) -> Iterator[str]:
        asked = (messages, max_tokens, temperature)
        try:
            yield from self._pieces(*asked, {_STRUCTURED: {"regex": regex}})
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            # they come before the first piece; if the question itself is at fault, the second answer is the same error
            self._takes_regex = _STRUCTURED not in str(error)
            yield from self._pieces(*asked)

    def _pieces(
        self,
        messages: Sequence[Message],
        max_tokens: int,
        temperature: float,
        extra_body: dict[str, Any] | None = None,
    ) -> Iterator[str]:
        chat = ChatOpenAI(
            model=self.model_id,
            base_url=self._base_url,
            api_key=SecretStr(self._api_key.get_secret_value() or "none"),
            temperature=temperature,
            max_completion_tokens=max_tokens,
            timeout=openai.Timeout(_READ_S, connect=_CONNECT_S),
            max_retries=1,
            extra_body=extra_body,
        )
        for piece in chat.stream([(m.role, m.content) for m in messages]):
            if text := piece.text:
                yield text

    def _translated(self, pieces: Iterator[str]) -> Iterator[str]:
        try:
            yield from pieces
        except openai.AuthenticationError as error:
            raise ConfigurationError(
                f"{self._base_url} refused the key; set OPENAI_API_KEY"
            ) from error
        except openai.NotFoundError as error:
            raise ConfigurationError(
                f"{self._base_url} has no model {self.model_id!r}; set OPENAI_MODEL_ID"
            ) from error
        except openai.OpenAIError as error:
            raise BackendError(
                f"model server {self._base_url} failed ({type(error).__name__}); check OPENAI_BASE_URL"
            ) from error
