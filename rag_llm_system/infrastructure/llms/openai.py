"""OpenAI's chat protocol through LangChain: OpenAI, vLLM and Ollama are one adapter at three addresses."""

from collections.abc import Iterator, Sequence

import openai
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.errors import BackendError, ConfigurationError

_CONNECT_S, _READ_S = 3.0, 60.0
"""Between two pieces of a stream, not for the whole answer: a long answer is no error."""


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

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float
    ) -> Iterator[str]:
        chat = ChatOpenAI(
            model=self.model_id,
            base_url=self._base_url,
            api_key=SecretStr(self._api_key.get_secret_value() or "none"),
            temperature=temperature,
            max_completion_tokens=max_tokens,
            timeout=openai.Timeout(_READ_S, connect=_CONNECT_S),
            max_retries=1,
        )
        try:
            for piece in chat.stream([(m.role, m.content) for m in messages]):
                if text := piece.text:
                    yield text
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
