"""When two texts of a training set count as the same."""

import re

from rag_llm_system.domain.datasets import TrainingRow


def normalised(text: str) -> str:
    """The words of a text, case and punctuation aside; a text without words is itself."""
    return " ".join(re.findall(r"\w+", text.casefold())) or text.strip()


def texts_of(row: TrainingRow) -> frozenset[str]:
    """The normalised questions and answers of a row; the system message is the same in many."""
    return frozenset(
        f"{m.role}:{normalised(m.content)}" for m in row.messages if m.role != "system"
    )
