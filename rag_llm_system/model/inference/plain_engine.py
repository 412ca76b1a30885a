"""Runs a model for one request at a time, as a laptop with one user needs it and any model can be run."""

import queue
import threading
from collections.abc import Sequence
from typing import Any

import torch
from transformers import (
    GenerationConfig,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
)

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.errors import BackendError
from rag_llm_system.domain.from_context import FromContext
from rag_llm_system.model.finetuning.base_model import LoadedModel
from rag_llm_system.model.inference.generation import (
    EngineFull,
    EngineStats,
    Generation,
    Listener,
    Writing,
)
from rag_llm_system.model.inference.grounded_decoding import GroundedDecoding
from rag_llm_system.model.inference.prompts import Prompts, context_of
from rag_llm_system.model.inference.threads import set_threads


class PlainEngine:
    """Owns a loaded model and the one thread that uses it. ``max_waiting`` requests wait at most."""

    def __init__(
        self,
        loaded: LoadedModel,
        model_id: str,
        *,
        max_waiting: int = 32,
        threads: int | None = None,
    ) -> None:
        self._model = loaded.model
        self._tokenizer = loaded.tokenizer
        self._prompts = Prompts(loaded, context_of(loaded))
        # a model's own sampling defaults would mix with what a request asks for
        self._model.generation_config = GenerationConfig()
        self._waiting: queue.Queue[Generation | None] = queue.Queue(max_waiting)
        self._threads = threads
        self._current: Generation | None = None
        self._closed = threading.Event()
        self.model_id = model_id
        self.device = str(loaded.model.device)
        self._thread = threading.Thread(target=self._work, name="generation", daemon=True)
        self._thread.start()

    def start(
        self,
        messages: Sequence[Message],
        listener: Listener,
        *,
        max_new_tokens: int,
        temperature: float,
        top_p: float,
        stop: Sequence[str] = (),
        from_context: Sequence[FromContext] = (),
    ) -> Generation:
        """Queues a request and returns at once; the listener hears the rest.

        In the fields of ``from_context`` nothing but their values is written. Raises DataError when prompt and answer
        do not fit the model's context or the fields do not go together, and EngineFull.
        """
        generation = self._prompts.generation(
            messages,
            listener,
            max_new_tokens=max_new_tokens,
            temperature=temperature,
            top_p=top_p,
            stop=stop,
            from_context=from_context,
        )
        if self._closed.is_set() or not self._thread.is_alive():
            raise BackendError("the engine has stopped; restart the server")
        try:
            self._waiting.put_nowait(generation)
        except queue.Full:
            raise EngineFull(
                f"{self._waiting.maxsize} requests are waiting already; try again later"
            ) from None
        return generation

    def stats(self) -> EngineStats:
        return EngineStats(
            running=int(self._current is not None),
            waiting=self._waiting.qsize(),
            max_waiting=self._waiting.maxsize,
        )

    def close(self) -> None:
        """Cancels what runs and what waits, and ends the thread."""
        self._closed.set()
        if current := self._current:
            current.cancel()
        while self._thread.is_alive():
            try:
                self._waiting.put(None, timeout=0.1)
                break
            except queue.Full:
                continue
        self._thread.join()

    def _work(self) -> None:
        set_threads(self._model, self._threads)
        while (generation := self._waiting.get()) is not None:
            self._current = generation
            if self._closed.is_set():
                generation.cancel()
            try:
                self._generate(generation)
            except (RuntimeError, ValueError, IndexError) as error:
                # what torch raises: out of memory, a probability that is not a number, a bad shape
                generation.listener.failed(
                    BackendError(f"the model failed on a prompt ({type(error).__name__}: {error})")
                )
            self._current = None

    def _generate(self, generation: Generation) -> None:
        writing = Writing(self._tokenizer, generation, self._prompts.stop_ids)
        if not writing.has_ended:
            prompt = torch.tensor([list(generation.prompt_ids)], device=self._model.device)
            masks = [GroundedDecoding([generation.grounding])] if generation.grounding else []
            with torch.inference_mode():
                self._model.generate(
                    prompt,
                    attention_mask=torch.ones_like(prompt),
                    generation_config=self._sampling(generation),
                    logits_processor=LogitsProcessorList(masks),
                    stopping_criteria=StoppingCriteriaList([_Ended(writing)]),
                    streamer=_Streamer(writing),
                )
        writing.end()

    def _sampling(self, generation: Generation) -> Any:
        own = {"temperature": generation.temperature, "top_p": generation.top_p, "top_k": 0}
        stop_ids = sorted(self._prompts.stop_ids)
        return GenerationConfig(
            max_new_tokens=generation.max_new_tokens,
            do_sample=not generation.is_greedy,
            eos_token_id=stop_ids or None,
            pad_token_id=stop_ids[0] if stop_ids else 0,  # one row needs no padding
            **({} if generation.is_greedy else own),
        )


class _Streamer:
    """What ``generate`` hands its tokens to: first the prompt, which nobody is sent, then one at a time."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing
        self._prompt_seen = False

    def put(self, value: Any) -> None:
        if not self._prompt_seen:
            self._prompt_seen = True
            return
        for token_id in value.reshape(-1).tolist():
            self._writing.add(token_id)

    def end(self) -> None:
        """The writing ends when ``generate`` has returned."""


class _Ended(StoppingCriteria):  # type: ignore[misc] # the library's base class has no types
    """Ends a generation that was cancelled or has written a stop string."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing

    def __call__(self, input_ids: Any, _scores: Any, **_: Any) -> Any:
        ended = self._writing.has_ended
        return torch.full((input_ids.shape[0],), ended, dtype=torch.bool, device=input_ids.device)
