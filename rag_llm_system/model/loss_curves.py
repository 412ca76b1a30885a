"""The losses of a training as a picture: one panel for each phase, training and test rows in it."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rag_llm_system.domain.errors import DataError
from rag_llm_system.model.finetuning.config import Phase, PhaseResult

_TITLES: dict[Phase, str] = {
    "base": "Base, from scratch",
    "sft": "Supervised fine-tuning (SFT)",
    "dpo": "Preferences (DPO)",
}
# Okabe and Ito's palette: told apart with any colour vision, and line and marker differ too
_TRAIN = {"color": "#0072B2", "linestyle": "-", "linewidth": 1.5}
_TEST = {"color": "#D55E00", "linestyle": "--", "linewidth": 1.2, "marker": "o", "markersize": 4}
_BEST = {"color": "#009E73", "linestyle": ":", "linewidth": 1.5}
_PANEL_INCHES = 5.0, 3.6
_DOTS_PER_INCH = 120


def loss_curves(phases: Sequence[PhaseResult]) -> bytes:
    """A PNG. The scales of the panels differ: the loss of DPO is not that of the others. Needs no display."""
    shown = [phase for phase in phases if phase.losses or phase.test_losses]
    if not shown:
        raise DataError("no losses were logged, so there is no curve; lower logging_steps")
    width, height = _PANEL_INCHES
    figure = Figure(figsize=(width * len(shown), height), layout="constrained")
    FigureCanvasAgg(figure)
    for at, phase in enumerate(shown, start=1):
        _draw(figure.add_subplot(1, len(shown), at), phase)
    picture = BytesIO()
    # without the library's version, so that the same losses are the same bytes
    figure.savefig(picture, format="png", dpi=_DOTS_PER_INCH, metadata={"Software": None})
    return picture.getvalue()


def _draw(axes: Any, phase: PhaseResult) -> None:
    if phase.losses:
        axes.plot(*zip(*phase.losses, strict=True), label="training rows", **_TRAIN)
    if test := _test_losses(phase):
        axes.plot(*zip(*test, strict=True), label="test rows", **_TEST)
    if phase.best_step is not None:
        axes.axvline(phase.best_step, label=f"taken: step {phase.best_step}", **_BEST)
    axes.set_title(_TITLES[phase.phase], fontsize="medium")
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(visible=True, alpha=0.3)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(frameon=False, fontsize="small")


def _test_losses(phase: PhaseResult) -> list[tuple[int, float]]:
    """As logged, with the ones before the first step and after the last."""
    losses = dict(phase.test_losses)
    if phase.test_loss_before is not None:
        losses.setdefault(0, phase.test_loss_before)
    if phase.test_loss_after is not None and not phase.stopped_early and phase.best_step is None:
        losses.setdefault(phase.steps, phase.test_loss_after)
    return sorted(losses.items())
