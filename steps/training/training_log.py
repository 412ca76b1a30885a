"""What is said while a training goes on."""

from rag_llm_system.model.finetuning.config import TrainingLog
from steps.progress import say

_SHOWN = ("loss", "eval_loss")


def show_log(log: TrainingLog) -> None:
    """One line of progress, where there is something to say."""
    if log.note:
        say(f"  {log.note}")
    shown = [f"{name} {log.values[name]:.3f}" for name in _SHOWN if name in log.values]
    if shown:
        say(f"  {log.phase} {log.step}/{log.total_steps}: {', '.join(shown)}")
