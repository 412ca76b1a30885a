"""One prompt to Ollama, with a callback that hears each token."""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from rag_llm_system.infrastructure.llms.model_server import ModelServer
from rag_llm_system.infrastructure.llms.ollama import BASE_URL, MODEL_ID, WORDS, asked
from rag_llm_system.infrastructure.llms.timeouts import Timeouts

_PREFERENCES = 3
"""So many of a user's preferences are told to the model: the nearest to the request."""

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

    async def generate_recommendations(
        self,
        user_query: str,
        similar_preferences: Sequence[Mapping[str, Any]],
        limit: int = 4,
        streaming_callback: StreamingCallback | None = None,
    ) -> str:
        """Films that the model knows of, by what the user asks for and told before.

        ``similar_preferences``: hits of a vector search, best first: ``{"score": 0.68, "payload": {"content": ...}}``.
        What it writes is checked against nothing; the movie assistant recommends films that exist.
        """
        context = self._prepare_context(user_query, similar_preferences)
        prompt = self._create_recommendation_prompt(context, limit)
        return await self.generate(prompt, streaming_callback)

    def _prepare_context(
        self, user_query: str, similar_preferences: Sequence[Mapping[str, Any]]
    ) -> str:
        """The request and the nearest preferences with their similarity."""
        parts = [
            f"User is asking for: '{user_query}'",
            "",
            "Based on their preference history:",
        ]
        for n, preference in enumerate(similar_preferences[:_PREFERENCES], start=1):
            content = preference.get("payload", {}).get("content", "Unknown preference")
            parts.append(f'{n}. "{content}" (similarity: {preference.get("score", 0.0):.3f})')
        return "\n".join(parts)

    def _create_recommendation_prompt(self, context: str, limit: int) -> str:
        """What the model is to write about each film."""
        return (
            "You are a sophisticated movie recommendation expert. Based on the user's current request and their"
            f" preference history, recommend {limit} specific movies or TV shows.\n\n{context}\n\n"
            f"Please recommend {limit} specific titles that match their preferences. For each recommendation,"
            " provide:\n"
            "1. Title and year\n"
            "2. Brief description (1-2 sentences)\n"
            "3. Why it matches their preferences (reference their history)\n"
            "4. Confidence score (0.0-1.0)\n\n"
            "Format your response as a numbered list with clear structure."
        )

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
