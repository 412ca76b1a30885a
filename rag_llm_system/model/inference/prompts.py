"""Makes requests of conversations: the prompt in tokens, checked before anything waits for it."""

import threading
from collections.abc import Sequence
from functools import cached_property

from jinja2 import TemplateError

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.errors import DataError
from rag_llm_system.domain.from_context import FromContext
from rag_llm_system.model.finetuning.base_model import LoadedModel
from rag_llm_system.model.finetuning.chat_template import END_OF_TURN
from rag_llm_system.model.inference.generation import Generation, Listener
from rag_llm_system.model.inference.grounded_decoding import Grounding
from rag_llm_system.model.inference.token_texts import TokenTexts, token_texts

PLAIN_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] | capitalize }}: {{ message['content'] | trim }}\n\n"
    "{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
)
"""For models that come without a chat template, which were never taught to answer: roles as plain words."""

_UNKNOWN_CONTEXT = 2048
"""For the few models that do not say how much they can read."""


class Prompts:
    """``context``: tokens of prompt and answer together that a request may have."""

    def __init__(self, loaded: LoadedModel, context: int) -> None:
        self._tokenizer = loaded.tokenizer
        self._context = context
        self._lock = threading.Lock()
        """The tokenizer is one object, and requests come from several threads."""
        # some files ask for both; to switch them off at the first prompt would fail while others are decoded
        self._tokenizer.backend_tokenizer.no_truncation()
        self._tokenizer.backend_tokenizer.no_padding()
        self.stop_ids = stop_ids(loaded)

    def generation(
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
        """Raises DataError when prompt and answer do not fit, the fields do not go together, or the model's template
        does not take the messages."""
        ids = self._ids(messages)
        if len(ids) + max_new_tokens > self._context:
            raise DataError(
                f"the prompt has {len(ids)} tokens, with max_new_tokens {max_new_tokens} that is over the"
                f" {self._context} the model can read: shorten the prompt or ask for fewer"
            )
        return Generation(
            ids,
            max_new_tokens,
            temperature,
            top_p,
            tuple(stop),
            listener,
            grounding=Grounding(from_context, self._token_texts) if from_context else None,
        )

    def _ids(self, messages: Sequence[Message]) -> list[int]:
        conversation = [{"role": m.role, "content": m.content} for m in messages]
        template = None if self._tokenizer.chat_template else PLAIN_TEMPLATE
        try:
            with self._lock:
                encoded = self._tokenizer.apply_chat_template(
                    conversation,
                    chat_template=template,
                    add_generation_prompt=True,
                    return_dict=True,
                )
        except TemplateError as error:
            raise DataError(
                f"the model's chat template does not take these messages ({error}); send other roles or another order"
            ) from error
        return list(encoded["input_ids"])

    @cached_property
    def _token_texts(self) -> TokenTexts:
        """Made for the first request that needs it."""
        return token_texts(self._tokenizer)


def context_of(loaded: LoadedModel) -> int:
    """How many tokens the model can read."""
    stated = getattr(loaded.model.config, "max_position_embeddings", None)
    longest = int(stated or loaded.tokenizer.model_max_length)
    # a tokenizer that knows no limit says 10^30
    return longest if longest < 10**9 else _UNKNOWN_CONTEXT


def stop_ids(loaded: LoadedModel) -> frozenset[int]:
    """The tokens that end an answer: the tokenizer's, the model's, and Llama 3's end of a turn where it is known."""
    tokenizer = loaded.tokenizer
    of_model = loaded.model.generation_config.eos_token_id
    ids = set(of_model if isinstance(of_model, list | tuple) else [of_model])
    ids.add(tokenizer.eos_token_id)
    ids.add(tokenizer.get_vocab().get(END_OF_TURN))
    return frozenset(int(token_id) for token_id in ids if token_id is not None)
