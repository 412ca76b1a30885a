"""The Llama 3 chat template, once for training and once for serving."""

import re
from typing import Any

from rag_llm_system.domain.errors import ConfigurationError

BEGIN_OF_TEXT, END_OF_TEXT = "<|begin_of_text|>", "<|end_of_text|>"
START_HEADER, END_HEADER = "<|start_header_id|>", "<|end_header_id|>"
END_OF_TURN, PAD = "<|eot_id|>", "<|finetune_right_pad_id|>"
SPECIAL_TOKENS = (BEGIN_OF_TEXT, END_OF_TEXT, START_HEADER, END_HEADER, END_OF_TURN, PAD)

TRAINING_TEMPLATE = (
    "{{ bos_token }}"
    "{% for message in messages %}"
    "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' }}"
    "{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ message['content'] | trim + '<|eot_id|>' }}{% endgeneration %}"
    "{% else %}{{ message['content'] | trim + '<|eot_id|>' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
"""What is between the generation marks is learned. Llama 3.1 and 3.2 are trained and served with this
template instead of their own, which put a date into the system message and cannot be marked by TRL."""

_GENERATION_MARK = re.compile(r"\{%-?\s*(?:end)?generation\s*-?%\}")


def serving_template(template: str) -> str:
    """The template without the generation marks, a tag that only TRL and transformers know."""
    return _GENERATION_MARK.sub("", template)


def prepare_tokenizer(tokenizer: Any, base: str) -> None:
    """Sets the training template, the stop token and a padding token of a Llama 3 tokenizer.

    Raises ConfigurationError when the tokenizer does not know the tokens of the template.
    """
    vocabulary = tokenizer.get_vocab()
    absent = [t for t in (START_HEADER, END_HEADER, END_OF_TURN) if t not in vocabulary]
    if absent:
        raise ConfigurationError(
            f"base {base!r}: its tokenizer lacks {', '.join(absent)}; use a Llama 3 model, or base: scratch"
        )
    tokenizer.chat_template = TRAINING_TEMPLATE
    tokenizer.eos_token = END_OF_TURN
    if tokenizer.pad_token is None:
        tokenizer.pad_token = PAD if PAD in vocabulary else END_OF_TEXT
