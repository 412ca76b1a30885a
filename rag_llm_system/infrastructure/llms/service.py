"""One prompt to Ollama, with a callback that hears each token."""

import inspect
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from rag_llm_system.infrastructure.llms.model_server import ModelServer
from rag_llm_system.infrastructure.llms.ollama import BASE_URL, MODEL_ID, WORDS, asked
from rag_llm_system.infrastructure.llms.timeouts import Timeouts

StreamingCallback = Callable[[str], Awaitable[None] | None]


class LLMService:
    """``temperature``, ``top_p`` and ``num_predict`` go with each prompt."""

    def __init__(
        self,
        base_url: str = BASE_URL,
        model: str = MODEL_ID,
        *,
        temperature: float = 0.7,
        top_p: float = 0.9,
        num_predict: int = 800,
        timeouts: Timeouts = Timeouts(),  # noqa: B008 - frozen
    ) -> None:
        self.base_url, self.model = base_url, model
        self._options = {"temperature": temperature, "top_p": top_p, "num_predict": num_predict}
        self._server = ModelServer(base_url, WORDS, timeouts=timeouts)

    def close(self) -> None:
        self._server.close()

    async def generate(
        self, prompt: str, streaming_callback: StreamingCallback | None = None
    ) -> str:
        """The whole answer, without white space around it; what the callback raises ends the generation."""
        return await self._call_ollama_chat(prompt, streaming_callback)

    async def _call_ollama_chat(
        self, prompt: str, streaming_callback: StreamingCallback | None = None
    ) -> str:
        body = {
            "model": self.model,
            "prompt": prompt,
            "stream": True,
            "options": self._options,
        }
        answer: list[str] = []
        async with aclosing(asked(self._server, "/api/generate", body)) as tokens:
            async for token in tokens:
                answer.append(token)
                if streaming_callback:
                    heard = streaming_callback(token)
                    if inspect.isawaitable(heard):
                        await heard
        return "".join(answer).strip()
