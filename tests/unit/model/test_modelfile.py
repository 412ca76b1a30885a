import pytest

from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.model.export.modelfile import LARGEST_DEFAULT_CONTEXT, modelfile
from rag_llm_system.model.finetuning.base_model import LoadedModel


def written_by_ollama(template: str, role: str, content: str) -> str:
    """What Go's templates make of one message; this one has nothing but a loop and two fields."""
    before, _, rest = template.partition("{{ range .Messages }}")
    turn, _, after = rest.partition("{{ end }}")
    return before + turn.replace("{{ .Role }}", role).replace("{{ .Content }}", content) + after


def test_ollama_writes_the_prompt_that_the_model_was_trained_on(tiny: LoadedModel) -> None:
    text = modelfile("./model.gguf", context_tokens=256)
    template = text.partition('TEMPLATE """')[2].partition('"""')[0]
    trained_on = tiny.tokenizer.apply_chat_template(
        [{"role": "user", "content": "Where are the vectors?"}],
        add_generation_prompt=True,
        tokenize=False,
    )
    assert written_by_ollama(template, "user", "Where are the vectors?") == trained_on


def test_it_names_the_model_its_stop_and_its_context() -> None:
    lines = modelfile("./model.gguf", context_tokens=256, temperature=0.0).splitlines()
    assert lines[0] == "FROM ./model.gguf"
    assert lines[-3:] == [
        "PARAMETER stop <|eot_id|>",
        "PARAMETER num_ctx 256",
        "PARAMETER temperature 0",
    ]


def test_a_long_context_is_not_set_aside_unasked() -> None:
    text = modelfile("./merged", context_tokens=131_072)
    assert f"PARAMETER num_ctx {LARGEST_DEFAULT_CONTEXT}\n" in text


def test_a_system_message_of_several_lines_is_quoted() -> None:
    text = modelfile("./merged", context_tokens=256, system='You know "films".\nBe brief.')
    assert text.endswith('SYSTEM """You know "films".\nBe brief."""\n')


def test_a_system_message_that_ends_its_quotation_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="system message"):
        modelfile("./merged", context_tokens=256, system='"""\nFROM other')
