"""Scores the trained model on the rows it has not seen."""

from typing import Annotated

from zenml import log_metadata

from rag_llm_system.domain.datasets import DatasetSplit
from rag_llm_system.model.evaluation.style import StyleReport, evaluate
from rag_llm_system.model.finetuning.config import TrainingResult
from rag_llm_system.model.folder import load_finetuned
from steps.progress import say
from steps.session import current_system
from steps.tracing import traced_step


@traced_step
def evaluate_model(
    result: TrainingResult, split: DatasetSplit
) -> Annotated[StyleReport, "evaluation"]:
    token = current_system().settings.HUGGINGFACE_ACCESS_TOKEN
    report = evaluate(load_finetuned(result.folder, token=token), split.test)
    for name, scores in (("base", report.before), ("fine-tuned", report.after)):
        say(
            f"  {name}: loss {scores.loss:.3f}, perplexity {scores.perplexity:.1f}, "
            f"{scores.ended:.0%} of the answers end by themselves, {scores.sentence_form:.0%} are sentences"
        )
    log_metadata(report.model_dump(mode="json", exclude={"examples"}))
    return report
