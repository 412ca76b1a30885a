"""The versions of the fine-tuned model: ZenML's Model Control Plane, and the pointer that servers read.

What is in production is decided by ZenML's stage; the pointer follows it. A process that dies between the two leaves
a pointer to the model that served before: ``difference`` says so, and whatever writes next moves it.
"""

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from zenml import log_metadata
from zenml.client import Client
from zenml.enums import ModelStages
from zenml.models import ModelVersionResponse
from zenml.utils.pagination_utils import depaginate

from rag_llm_system.application.evaluation.answers.report import BASE, PRODUCTION, EvaluationReport
from rag_llm_system.application.evaluation.promotion import PromotionDecision, decide
from rag_llm_system.domain.errors import ConfigurationError, DataError, MissingFile
from rag_llm_system.model.registry import Pointer, promote, read_pointer, registry_lock
from steps.registry_facts import How, ModelFacts, ModelVersion, Promotion, read_version

MODEL_NAME = "twin"
MODEL_ARTIFACT = "finetuned_model"
"""The output of a training that holds the whole folder."""

_LONGEST_HISTORY = 100
"""How many production versions a rollback can go back; ZenML limits the length of metadata."""
_KEPT_PROMOTIONS = 20
"""Of one version, with their reasons."""


class ModelRegistry:
    """The versions of one model, and the folder where the trained ones lie."""

    def __init__(self, models: Path, name: str = MODEL_NAME) -> None:
        self._models = models
        self._name = name

    def versions(self) -> list[ModelVersion]:
        """Newest first, those whose training did not end included."""
        found = depaginate(Client().list_model_versions, model=self._name, hydrate=True)
        return sorted(map(read_version, found), key=lambda v: v.number, reverse=True)

    def version(self, number: int) -> ModelVersion:
        """Raises ConfigurationError listing the known ones; DataError when its training did not end."""
        versions = self.versions()
        found = next((v for v in versions if v.number == number), None)
        if found is None:
            if not versions:
                raise MissingFile("no model versions yet; make one with: poe run-training")
            known = ", ".join(str(v.number) for v in reversed(versions))
            raise ConfigurationError(f"unknown model version {number}; known: {known}")
        if found.facts is None:
            raise DataError(
                f"model version {number} holds no model: its training did not end; poe model-list shows the others"
            )
        return found

    def serving(self, versions: Sequence[ModelVersion]) -> ModelVersion | None:
        """The version in production; where none is, the one whose folder the pointer names."""
        in_production = next((v for v in versions if v.stage == ModelStages.PRODUCTION), None)
        return in_production or self.pointed_at(versions)

    def pointed_at(self, versions: Sequence[ModelVersion]) -> ModelVersion | None:
        """The version that a server started now would load."""
        pointer = self._pointer()
        if pointer is None:
            return None
        return next((v for v in versions if v.facts and v.facts.folder == pointer.folder), None)

    def difference(self, versions: Sequence[ModelVersion]) -> str:
        """How pointer and stage differ, in one line; empty when they agree."""
        production = next((v for v in versions if v.stage == ModelStages.PRODUCTION), None)
        pointer = self._pointer()
        if production is None and pointer is not None:
            return (
                f"servers load {pointer.folder}, which is not in production; "
                "settle it with: poe model-promote -- VERSION"
            )
        if production and production.facts:
            folder = production.facts.folder
            if pointer is None or pointer.folder != folder:
                loaded = f"load {pointer.folder}" if pointer else "find no model"
                return (
                    f"version {production.number} is in production and servers {loaded}; "
                    f"settle it with: poe model-promote -- {production.number}"
                )
        return ""

    def register(self, number: int, facts: ModelFacts) -> PromotionDecision:
        """Records what is known of a new version, and puts it into production when the gate lets it."""
        with registry_lock(self._models):
            self._log(number, facts.as_metadata())
            return self._promote(number, force="")

    def record_evaluation(self, number: int, report: EvaluationReport) -> None:
        """A later evaluation of a version, against its base and the one that servers load, replaces the former."""
        with registry_lock(self._models):
            facts = self._facts(self.version(number))
            # evaluations read the pointer, as servers do
            beside = self.pointed_at(self.versions())
            against = beside.number if beside and beside.number != number else 0
            update = {"evaluation": report, "compared_with": against}
            self._log(number, facts.model_copy(update=update).as_metadata())

    def promote(self, number: int, *, force: str = "") -> PromotionDecision:
        """Puts a version into production when the gate lets it, or whatever it says with the reason ``force``.

        What a crash left is mended first; the folder is restored when it was removed.
        """
        with registry_lock(self._models):
            return self._promote(number, force=force)

    def rollback(self, number: int | None = None) -> tuple[ModelVersion, ModelVersion]:
        """Back to the version that was in production before, or to ``number``: (from, to).

        Raises ConfigurationError when there is none, or it never was in production.
        """
        with registry_lock(self._models):
            self._mend()
            versions = self.versions()
            serving = self.serving(versions)
            if serving is None:
                raise ConfigurationError(
                    "no model version is in production; choose one with: poe model-promote -- VERSION"
                )
            if number is None:
                target, before = _previous(serving, versions)
            else:
                target = self.version(number)
                before = _history_of(target, serving)
            self._put_into_production(target, "rollback", f"from version {serving.number}", before)
            return serving, target

    def folder(self, version: ModelVersion) -> Path:
        """Where the version's model lies; see ``folder_of``."""
        return self.folder_of(version.number, self._facts(version).folder)

    def folder_of(self, number: int, name: str) -> Path:
        """A trained folder by its name; restored from the run's artifact when this machine does not have it.

        Raises MissingFile when the artifact is gone as well.
        """
        folder = self._models / name
        if not folder.is_dir():
            self._restore(number, folder)
        return folder

    def _promote(self, number: int, *, force: str) -> PromotionDecision:
        self._mend()
        version = self.version(number)
        serving = self.serving(self.versions())
        if version.stage == ModelStages.PRODUCTION:
            promote(self._models, self.folder(version), number)
            return PromotionDecision(
                promoted=True, against=PRODUCTION, reasons=("it is in production already",)
            )
        decision = self._judge(version, serving)
        if not decision.promoted and not force:
            return decision
        before: list[int] = []
        if serving and serving.number != number:
            before = [serving.number, *(serving.promotion.before if serving.promotion else ())]
        how: How = "gate" if decision.promoted else "forced"
        reason = "; ".join(decision.reasons) if decision.promoted else force
        self._put_into_production(version, how, reason, before)
        if decision.promoted:
            return decision
        return decision.model_copy(
            update={
                "promoted": True,
                "reasons": (f"forced: {force}",),
                "notes": (*decision.reasons, *decision.notes),
            }
        )

    def _judge(self, version: ModelVersion, serving: ModelVersion | None) -> PromotionDecision:
        facts = self._facts(version)
        if facts.evaluation is None:
            reason = "it was not evaluated"
            return PromotionDecision(promoted=False, against=BASE, reasons=(reason,))
        if serving is None or serving.number == version.number:
            # a pointer to a folder that is no version: the evaluation knows it as production all the same
            against = BASE if serving or self._pointer() is None else None
            return decide(facts.evaluation, facts.policy, against=against)
        if facts.compared_with != serving.number:
            other = f"version {facts.compared_with}" if facts.compared_with else "its base alone"
            reason = (
                f"it was compared with {other}, and version {serving.number} serves now; compare the two with: "
                f"poe run-evaluation-pipeline -- --set model={version.number}"
            )
            return PromotionDecision(promoted=False, against=PRODUCTION, reasons=(reason,))
        return decide(facts.evaluation, facts.policy, against=PRODUCTION)

    def _put_into_production(
        self, version: ModelVersion, how: How, reason: str, before: Sequence[int]
    ) -> None:
        """The order matters: each step can be the last one, and what follows mends it."""
        folder = self.folder(version)
        promotion = Promotion(
            how=how, reason=reason, at=datetime.now(UTC), before=tuple(before)[:_LONGEST_HISTORY]
        )
        promotions = (*version.promotions, promotion)[-_KEPT_PROMOTIONS:]
        kept = [each.model_dump(mode="json") for each in promotions]
        self._log(version.number, {"promotions": kept})
        self._kept(version.number).set_stage(ModelStages.PRODUCTION, force=True)
        promote(self._models, folder, version.number)

    def _mend(self) -> None:
        """Moves the pointer to the version in production, where a crash left it behind."""
        versions = self.versions()
        production = next((v for v in versions if v.stage == ModelStages.PRODUCTION), None)
        if production is None or production.facts is None or not self.difference(versions):
            return
        folder = self._models / production.facts.folder
        # a folder that is gone is restored when that version is asked for, and stands in no other's way
        if folder.is_dir():
            promote(self._models, folder, production.number)

    def _pointer(self) -> Pointer | None:
        """None when it is damaged, too: to whoever decides what serves, that is one that names nothing."""
        try:
            return read_pointer(self._models)
        except DataError:
            return None

    def _restore(self, number: int, folder: Path) -> None:
        gone = f"{folder} is not there, nor its copy among ZenML's artifacts; train again with: poe run-training"
        artifact = self._kept(number).get_artifact(MODEL_ARTIFACT)
        if artifact is None:
            raise MissingFile(gone)
        try:
            unpacked = Path(artifact.load())
        except FileNotFoundError as error:
            raise MissingFile(gone) from error
        partial = folder.with_name(f".{folder.name}.restored")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.move(unpacked, partial)
        partial.rename(folder)

    def _facts(self, version: ModelVersion) -> ModelFacts:
        if version.facts is None:
            raise DataError(f"model version {version.number} holds no model")
        return version.facts

    def _log(self, number: int, metadata: dict[str, object]) -> None:
        log_metadata(metadata=metadata, model_name=self._name, model_version=number)

    def _kept(self, number: int) -> ModelVersionResponse:
        return Client().get_model_version(self._name, number)


def _previous(
    serving: ModelVersion, versions: Sequence[ModelVersion]
) -> tuple[ModelVersion, Sequence[int]]:
    """The version that served before, skipping deleted ones, and what served before that one."""
    history = serving.promotion.before if serving.promotion else ()
    known = {v.number: v for v in versions if v.facts}
    for place, number in enumerate(history):
        if number in known:
            return known[number], history[place + 1 :]
    raise ConfigurationError(
        f"version {serving.number} is the first in production; there is none to go back to"
    )


def _history_of(target: ModelVersion, serving: ModelVersion) -> Sequence[int]:
    if target.number == serving.number:
        raise ConfigurationError(f"version {target.number} is in production already")
    if target.promotion is None:
        raise ConfigurationError(
            f"version {target.number} never was in production; let the gate decide with: "
            f"poe model-promote -- {target.number}"
        )
    return target.promotion.before
