"""What a person reads about a trained model, in its folder: the model card and the curves of the losses."""

from collections.abc import Mapping
from pathlib import Path

from rag_llm_system.model.finetuning.config import PhaseResult
from rag_llm_system.model.folder import read_record
from rag_llm_system.model.loss_curves import loss_curves
from rag_llm_system.model.model_card import Report, model_card

CARD_FILE = "README.md"
CURVES_FILE = "loss.png"


def describe(
    folder: Path, report: Report | None = None, *, checks: Mapping[str, str] | None = None
) -> bytes:
    """Writes both, replacing what was there; the picture. ``checks``: what was checked of the rows, what came out."""
    record = read_record(folder)
    picture = loss_curves([PhaseResult.model_validate(phase) for phase in record["phases"]])
    card = model_card(record, report, name=folder.name, checks=checks)
    for name, content in ((CURVES_FILE, picture), (CARD_FILE, card.encode("utf-8"))):
        unfinished = folder / f".{name}.part"
        unfinished.write_bytes(content)
        unfinished.replace(folder / name)
    return picture
