import pytest

from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.model.finetuning.base_model import LoadedModel
from rag_llm_system.model.finetuning.chat_template import (
    END_OF_TURN,
    TRAINING_TEMPLATE,
    prepare_tokenizer,
    serving_template,
)

CONVERSATION = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Why?"},
    {"role": "assistant", "content": " Because. "},
]
RENDERED = (
    "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\nWhy?<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\nBecause.<|eot_id|>"
)


@pytest.mark.parametrize("template", [TRAINING_TEMPLATE, serving_template(TRAINING_TEMPLATE)])
def test_training_and_serving_write_the_same_llama_3_prompt(tiny: LoadedModel, template: str):
    text = tiny.tokenizer.apply_chat_template(CONVERSATION, chat_template=template, tokenize=False)

    assert text == RENDERED


def test_only_the_answer_and_its_end_are_learned(tiny: LoadedModel):
    encoded = tiny.tokenizer.apply_chat_template(
        CONVERSATION, return_dict=True, return_assistant_tokens_mask=True
    )
    learned = [
        token
        for token, mask in zip(encoded["input_ids"], encoded["assistant_masks"], strict=True)
        if mask
    ]

    assert tiny.tokenizer.decode(learned) == "Because.<|eot_id|>"


def test_the_template_for_serving_has_no_generation_tag():
    assert "generation %}" in TRAINING_TEMPLATE
    assert "generation %}" not in serving_template(TRAINING_TEMPLATE)
    assert serving_template("{%- generation -%}a{%-endgeneration-%}") == "a"


class OtherTokenizer:
    def get_vocab(self) -> dict[str, int]:
        return {"<|im_start|>": 0, END_OF_TURN: 1}


def test_a_tokenizer_of_another_family_is_refused():
    with pytest.raises(ConfigurationError, match=r"base 'other'.*<\|start_header_id\|>"):
        prepare_tokenizer(OtherTokenizer(), "other")
