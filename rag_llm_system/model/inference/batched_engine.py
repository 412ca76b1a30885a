"""Runs a model for many at once: each pass writes one token for every request that is running."""

import threading
from collections import deque
from collections.abc import Sequence

import torch

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import BackendError
from rag_llm_system.domain.from_context import FromContext
from rag_llm_system.model.finetuning.base_model import LoadedModel
from rag_llm_system.model.inference.batch import Batch
from rag_llm_system.model.inference.generation import EngineFull, EngineStats, Generation, Listener
from rag_llm_system.model.inference.passes import Passes
from rag_llm_system.model.inference.prompts import Prompts, context_of
from rag_llm_system.model.inference.threads import set_threads

_STOPPED = "the engine has stopped; restart the server"


class BatchLimits(Value):
    """``max_rows`` requests run together at most, in at most ``cache_bytes`` of keys and values; between two tokens of
    theirs at most ``prefill_tokens`` of newcomers' prompts are read."""

    max_rows: int = 16
    cache_bytes: int = 1 << 30
    prefill_tokens: int = 512


_GPU_LIMITS = BatchLimits(max_rows=32, cache_bytes=8 << 30, prefill_tokens=2048)


class BatchedEngine:
    """Owns a loaded model and the one thread that uses it. ``max_waiting`` requests wait at most.

    A request joins between two passes of the model and leaves when it ends. A pass that fails fails the requests in
    it, and the engine goes on.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        model_id: str,
        *,
        max_waiting: int = 32,
        threads: int | None = None,
        limits: BatchLimits | None = None,
    ) -> None:
        """Raises ConfigurationError for a model that cannot be run so."""
        self.model_id = model_id
        self.device = str(loaded.model.device)
        on_gpu = loaded.model.device.type == "cuda"
        self._limits = limits or (_GPU_LIMITS if on_gpu else BatchLimits())
        self._max_waiting, self._threads = max_waiting, threads
        self._model = loaded.model
        self._passes = Passes(loaded, self._limits.cache_bytes)
        self._prompts = Prompts(loaded, min(context_of(loaded), self._passes.most_tokens))
        self._batch = Batch(
            self._passes, loaded.tokenizer, self._prompts.stop_ids, self._limits.max_rows
        )
        self._waiting: deque[Generation] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="generation", daemon=True)
        self._thread.start()

    @property
    def passes(self) -> int:
        """How often the model was run; tokens by passes tell how well requests are batched."""
        return self._passes.count

    @property
    def cache_tokens(self) -> int:
        """For how many tokens there is memory now; none while nothing runs."""
        return self._passes.cache.size_tokens

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
        with self._changed:
            if self._closed or not self._thread.is_alive():
                raise BackendError(_STOPPED)
            # who arrives together has the free rows before anyone waits
            free = max(0, self._limits.max_rows - self._batch.size)
            if len(self._waiting) >= self._max_waiting + free:
                raise EngineFull(
                    f"{self._max_waiting} requests are waiting already; try again later"
                )
            self._waiting.append(generation)
            self._changed.notify()
        return generation

    def stats(self) -> EngineStats:
        with self._changed:
            return EngineStats(
                running=self._batch.size, waiting=len(self._waiting), max_waiting=self._max_waiting
            )

    def close(self) -> None:
        """Cancels what runs and what waits, and ends the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        set_threads(self._model, self._threads)
        try:
            with torch.inference_mode():
                while self._has_work():
                    self._read_prompts()
                    self._batch.write()
        finally:
            # when the loop ended by what nobody foresaw, who waits is told all the same
            self._end_all()

    def _has_work(self) -> bool:
        """Waits until there is some; False when the engine closes."""
        with self._changed:
            while not (self._closed or self._batch.size or self._waiting):
                self._passes.cache.release()
                self._changed.wait()
            left = [g for g in self._waiting if g.cancelled.is_set()]
            for generation in left:
                self._waiting.remove(generation)
        for generation in left:
            self._batch.refuse(generation)
        return not self._closed

    def _read_prompts(self) -> None:
        left = self._limits.prefill_tokens
        while left > 0 and (self._batch.has_newcomer or self._admit()):
            left -= self._batch.read(left)

    def _admit(self) -> bool:
        """Lets the first that waits in, if there is room for the whole of its answer."""
        with self._changed:
            if not self._waiting or not self._batch.has_room(self._waiting[0]):
                return False
            self._batch.admit(self._waiting.popleft())
        return True

    def _end_all(self) -> None:
        with self._changed:
            was_closed, self._closed = self._closed, True
            waiting = list(self._waiting)
            self._waiting.clear()
        error = None if was_closed else BackendError(_STOPPED)
        self._batch.end_all(error)
        for generation in waiting:
            self._batch.refuse(generation, error)
