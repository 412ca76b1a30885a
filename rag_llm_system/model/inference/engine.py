"""Runs a model: requests wait in a bounded queue, one is generated at a time, text comes in pieces."""

import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import torch
from pydantic import SecretStr
from transformers import (
    GenerationConfig,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
)

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.errors import BackendError, DataError, RagSystemError
from rag_llm_system.domain.from_context import FromContext
from rag_llm_system.model.finetuning.base_model import LoadedModel
from rag_llm_system.model.finetuning.chat_template import END_OF_TURN
from rag_llm_system.model.folder import load_finetuned
from rag_llm_system.model.inference.grounded_decoding import GroundedDecoding, Grounding
from rag_llm_system.model.inference.text_pieces import TextPieces
from rag_llm_system.model.inference.token_texts import TokenTexts, token_texts

GREEDY_BELOW = 1e-3
"""A temperature under this divides by almost nothing; the likeliest token is taken instead."""


class EngineFull(BackendError, queue.Full):
    """The queue takes no more requests; a server that does not know this module catches ``queue.Full``."""


class Listener(Protocol):
    """Is told of one generation, from the engine's thread: pieces of text, then ``done`` or ``failed``."""

    def text(self, piece: str) -> None: ...

    def done(self, reason: str, prompt_tokens: int, completion_tokens: int) -> None:
        """``reason`` is "stop", "length" or "cancelled"."""

    def failed(self, error: RagSystemError) -> None: ...


@dataclass(frozen=True, eq=False)
class Generation:
    """A request that was taken; ``cancel`` ends it after the token in work, or before it starts."""

    prompt_ids: Any
    max_new_tokens: int
    temperature: float
    top_p: float
    stop: tuple[str, ...]
    listener: Listener
    grounding: Grounding | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)

    def cancel(self) -> None:
        self.cancelled.set()


class GenerationEngine:
    """Owns a loaded model and the one thread that uses it. ``max_waiting`` requests wait at most."""

    def __init__(self, loaded: LoadedModel, model_id: str, *, max_waiting: int = 8) -> None:
        self._model = loaded.model
        self._tokenizer = loaded.tokenizer
        self._context = int(loaded.model.config.max_position_embeddings)
        self._stop_ids = sorted(
            {loaded.tokenizer.eos_token_id, loaded.tokenizer.convert_tokens_to_ids(END_OF_TURN)}
            | set(_as_list(loaded.model.generation_config.eos_token_id))
        )
        # a model's own sampling defaults would mix with what a request asks for
        self._model.generation_config = GenerationConfig()
        self._waiting: queue.Queue[Generation | None] = queue.Queue(max_waiting)
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
        ids = self._tokenizer.apply_chat_template(
            [{"role": m.role, "content": m.content} for m in messages],
            add_generation_prompt=True,
            return_dict=True,
            return_tensors="pt",
        )["input_ids"]
        length = ids.shape[1]
        if length + max_new_tokens > self._context:
            raise DataError(
                f"the prompt has {length} tokens, with max_new_tokens {max_new_tokens} that is over the"
                f" {self._context} the model can read: shorten the prompt or ask for fewer"
            )
        generation = Generation(
            ids,
            max_new_tokens,
            temperature,
            top_p,
            tuple(stop),
            listener,
            grounding=Grounding(from_context, self._token_texts) if from_context else None,
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

    @cached_property
    def _token_texts(self) -> TokenTexts:
        """Made for the first request that needs it."""
        return token_texts(self._tokenizer)

    def close(self) -> None:
        """Cancels what runs and what waits, and ends the thread."""
        self._closed.set()
        if self._current:
            self._current.cancel()
        while self._thread.is_alive():
            try:
                self._waiting.put(None, timeout=0.1)
                break
            except queue.Full:
                continue
        self._thread.join()

    def _work(self) -> None:
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
        length = generation.prompt_ids.shape[1]
        if generation.cancelled.is_set():
            generation.listener.done("cancelled", length, 0)
            return
        streamer = _Streamer(self._tokenizer, generation, frozenset(self._stop_ids))
        with torch.inference_mode():
            self._model.generate(
                generation.prompt_ids.to(self._model.device),
                attention_mask=torch.ones_like(generation.prompt_ids).to(self._model.device),
                generation_config=self._sampling(generation),
                logits_processor=LogitsProcessorList(
                    [GroundedDecoding([generation.grounding])] if generation.grounding else []
                ),
                stopping_criteria=StoppingCriteriaList([_Ended(streamer, generation)]),
                streamer=streamer,
            )
        generation.listener.done(streamer.reason, length, streamer.tokens)

    def _sampling(self, generation: Generation) -> Any:
        sampled = generation.temperature >= GREEDY_BELOW
        own = {"temperature": generation.temperature, "top_p": generation.top_p, "top_k": 0}
        return GenerationConfig(
            max_new_tokens=generation.max_new_tokens,
            do_sample=sampled,
            eos_token_id=self._stop_ids,
            pad_token_id=self._tokenizer.pad_token_id,
            **(own if sampled else {}),
        )


def open_engine(
    folder: Path, *, max_waiting: int = 8, token: SecretStr | None = None
) -> GenerationEngine:
    """The engine of a fine-tuned model; ``folder`` is what a training left and its name is the model's."""
    loaded = load_finetuned(folder, merged=True, token=token)
    return GenerationEngine(loaded, folder.resolve().name, max_waiting=max_waiting)


def _as_list(token_ids: Any) -> list[int]:
    if token_ids is None:
        return []
    return list(token_ids) if isinstance(token_ids, list | tuple) else [int(token_ids)]


class _Streamer:
    """What ``generate`` hands its tokens to: first the prompt, which nobody is sent, then one at a time."""

    def __init__(self, tokenizer: Any, generation: Generation, stop_ids: frozenset[int]) -> None:
        self._pieces = TextPieces(tokenizer, generation.stop)
        self._generation = generation
        self._stop_ids = stop_ids
        self._prompt_seen = False
        self.tokens = 0
        self.reason = "length"

    @property
    def stopped(self) -> bool:
        return self._pieces.stopped

    def put(self, value: Any) -> None:
        if not self._prompt_seen:
            self._prompt_seen = True
            return
        for token_id in value.reshape(-1).tolist():
            self.tokens += 1
            if token_id in self._stop_ids:
                self.reason = "stop"
            else:
                self._send(self._pieces.add(token_id))

    def end(self) -> None:
        if self.stopped:
            self.reason = "stop"
        elif self._generation.cancelled.is_set():
            self.reason = "cancelled"
        self._send(self._pieces.rest())

    def _send(self, piece: str) -> None:
        if piece and not self._generation.cancelled.is_set():
            self._generation.listener.text(piece)


class _Ended(StoppingCriteria):  # type: ignore[misc] # the library's base class has no types
    """Ends a generation that was cancelled or has written a stop string."""

    def __init__(self, streamer: _Streamer, generation: Generation) -> None:
        self._streamer = streamer
        self._generation = generation

    def __call__(self, input_ids: Any, _scores: Any, **_: Any) -> Any:
        ended = self._streamer.stopped or self._generation.cancelled.is_set()
        return torch.full((input_ids.shape[0],), ended, dtype=torch.bool, device=input_ids.device)
