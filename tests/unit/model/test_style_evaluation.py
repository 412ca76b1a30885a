import pytest
from peft import LoraConfig, get_peft_model

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.datasets import TrainingRow
from rag_llm_system.domain.errors import DataError
from rag_llm_system.model.evaluation.style import evaluate, has_sentence_form
from rag_llm_system.model.finetuning.base_model import LoadedModel
from rag_llm_system.model.quiet import quiet

ROWS = [
    TrainingRow(
        messages=(
            Message(role="user", content=f"Where is number {n}?"),
            Message(role="assistant", content="In the store."),
        )
    )
    for n in range(3)
]


@pytest.fixture
def adapted(tiny: LoadedModel) -> LoadedModel:
    config = LoraConfig(task_type="CAUSAL_LM", r=2, target_modules="all-linear")
    with quiet():
        model = get_peft_model(tiny.model, config)
    return LoadedModel(model=model.eval(), tokenizer=tiny.tokenizer)


def test_an_adapter_that_does_nothing_changes_no_score(adapted: LoadedModel):
    # LoRA starts with zeros: before training, base and adapter are the same model
    report = evaluate(adapted, ROWS, generate=2, max_new_tokens=4, examples=1)

    assert report.before == report.after
    assert report.before.loss == pytest.approx(6, abs=0.5)  # about ln 400: it knows nothing
    assert report.before.perplexity > 100
    assert (report.rows, report.generated, len(report.examples)) == (3, 2, 1)
    assert report.examples[0].reference == "In the store."


def test_only_the_tokens_of_the_answers_count(adapted: LoadedModel):
    answer = adapted.tokenizer("In the store.<|eot_id|>", add_special_tokens=False)["input_ids"]

    assert evaluate(adapted, ROWS, generate=0).answer_tokens == 3 * len(answer)


def test_no_rows_are_an_error(adapted: LoadedModel):
    with pytest.raises(DataError, match="no rows to evaluate"):
        evaluate(adapted, [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A sentence.", True),
        ('He said "yes."', True),
        ("日本語です. ", True),
        ("no capital.", False),
        ("No end", False),
        ("", False),
        (" \n", False),
    ],
)
def test_sentence_form(text: str, expected: bool):
    assert has_sentence_form(text) is expected
