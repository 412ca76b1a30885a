from io import BytesIO
from typing import Any

import matplotlib.image
import numpy as np
import pytest

from rag_llm_system.domain.errors import DataError
from rag_llm_system.model.finetuning.config import Phase, PhaseResult
from rag_llm_system.model.loss_curves import loss_curves

BLUE, VERMILION, GREEN = (0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00), (0x00, 0x9E, 0x73)


def phase(name: Phase = "sft", **changed: Any) -> PhaseResult:
    losses = ((10, 2.0), (20, 1.0), (30, 0.5))
    values = {
        "phase": name,
        "steps": 30,
        "tokens": 9,
        "seconds": 1.0,
        "losses": losses,
        "arguments": {},
    }
    return PhaseResult.model_validate(values | changed)


def pixels(picture: bytes) -> Any:
    return np.round(matplotlib.image.imread(BytesIO(picture))[..., :3] * 255).astype(int)


def count(picture: bytes, colour: tuple[int, int, int]) -> int:
    return int((pixels(picture) == colour).all(axis=-1).sum())


def test_each_phase_has_a_panel_of_the_same_size() -> None:
    one, three = (
        pixels(loss_curves([phase()])),
        pixels(loss_curves([phase("base"), phase(), phase("dpo")])),
    )
    assert three.shape[0] == one.shape[0]
    assert three.shape[1] == 3 * one.shape[1]


def test_training_and_test_losses_are_drawn_in_their_own_colour() -> None:
    without = loss_curves([phase()])
    assert count(without, BLUE) > 100
    assert count(without, VERMILION) == 0
    assert count(loss_curves([phase(test_losses=((10, 2.1), (30, 0.9)))]), VERMILION) > 100


def test_the_losses_before_and_after_are_points_of_the_test_curve() -> None:
    measured = phase(test_loss_before=2.4, test_loss_after=0.8)
    logged = phase(test_losses=((0, 2.4), (30, 0.8)))
    assert loss_curves([measured]) == loss_curves([logged])


def test_the_step_that_was_taken_is_marked() -> None:
    assert count(loss_curves([phase(best_step=20)]), GREEN) > 50


def test_the_same_losses_are_the_same_bytes() -> None:
    assert loss_curves([phase()]) == loss_curves([phase()])


def test_a_training_that_logged_nothing_is_refused() -> None:
    with pytest.raises(DataError, match="logging_steps"):
        loss_curves([phase(losses=())])
