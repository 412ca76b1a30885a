"""The folder of a training that is not complete: what a killed run left, and how the next one goes on from it.

It lies beside the folder of the model, ``.<name>.partial``, and takes its place in the end. In it: ``plan.json``
(settings, rows and libraries, by which a run recognises its own work), ``data/`` (the rows as tokens),
``checkpoints/<phase>/`` and, of each phase that is complete, its weights in ``done/<phase>/`` and its result in
``done/<phase>.json``.
"""

import fcntl
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag_llm_system.domain.errors import ConfigurationError, DataError
from rag_llm_system.model.finetuning.config import Phase, PhaseResult
from rag_llm_system.model.finetuning.processes import processes
from rag_llm_system.model.folder import RECORD_FILE

_PLAN, _LOCK, _STATE = "plan.json", "lock", "trainer_state.json"

Plan = Mapping[str, Any]
"""Everything that decides what the training gives: two runs of the same plan have the same losses."""


@dataclass(frozen=True)
class Unfinished:
    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def weights(self, phase: Phase) -> Path:
        return self.folder / "done" / phase

    def checkpoints(self, phase: Phase) -> Path:
        return self.folder / "checkpoints" / phase

    def result(self, phase: Phase) -> PhaseResult | None:
        """What the phase gave, when it is complete."""
        path = self.folder / "done" / f"{phase}.json"
        return PhaseResult.model_validate_json(path.read_bytes()) if path.is_file() else None

    def finish(self, result: PhaseResult) -> None:
        """To be called when the weights are there; the phase's checkpoints go."""
        write_whole(self.folder / "done" / f"{result.phase}.json", result.model_dump_json(indent=2))
        shutil.rmtree(self.checkpoints(result.phase), ignore_errors=True)

    def newest_checkpoint(self, phase: Phase) -> Path | None:
        """The last one that was written to its end; incomplete ones are removed."""
        complete: dict[int, Path] = {}
        for path in self.checkpoints(phase).glob("checkpoint-*"):
            if read_state(path) is None:
                shutil.rmtree(path)
            else:
                complete[int(path.name.rpartition("-")[2])] = path
        return complete[max(complete)] if complete else None

    def holds_work(self) -> bool:
        return any(self.folder.glob("done/*.json")) or any(
            read_state(path) for path in self.folder.glob("checkpoints/*/checkpoint-*")
        )

    def discard(self) -> None:
        """Nobody will go on from here: other settings or rows are needed."""
        for name in ("checkpoints", "done"):
            shutil.rmtree(self.folder / name, ignore_errors=True)


def read_state(checkpoint: Path) -> dict[str, Any] | None:
    """The trainer's own record, the last file of a checkpoint that it writes; None when it is not whole."""
    try:
        state = json.loads((checkpoint / _STATE).read_bytes())
    except (OSError, ValueError):
        return None
    return state if isinstance(state, dict) else None


def write_whole(path: Path, text: str) -> None:
    """A reader finds the whole text or none of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.write_text(text + "\n", encoding="utf-8")
    unfinished.replace(path)


@contextmanager
def unfinished(output_dir: Path, plan: Plan) -> Iterator[tuple[Unfinished, str]]:
    """The folder to work in, and what is to be said about it; it becomes ``output_dir`` when the block ends well.

    A model that is already in ``output_dir`` stays until then. After an error the folder stays where there is
    something to go on from. Of several processes the main one does all of this.

    Raises ConfigurationError when ``output_dir`` holds something else, or another run is at work on it.
    """
    state = processes()
    place = Unfinished(output_dir.with_name(f".{output_dir.name}.partial"))
    if not state.is_main_process:
        state.wait_for_everyone()
        yield place, ""
        state.wait_for_everyone()
        return
    _check_output(output_dir)
    _adopt(place.folder, plan)
    with _lock(place.folder):
        note = _begin(place, plan)
        state.wait_for_everyone()
        try:
            yield place, note
        except BaseException as error:
            if isinstance(error, ConfigurationError | DataError):
                place.discard()
            if not place.holds_work():
                shutil.rmtree(place.folder)
            raise
        state.wait_for_everyone()
        _replace(output_dir, place.folder)


def _check_output(output_dir: Path) -> None:
    old = _set_aside(output_dir)
    if not output_dir.exists() and (old / RECORD_FILE).is_file():
        old.rename(output_dir)  # a run was killed between the two renames of _replace
    free = not output_dir.exists() or (output_dir.is_dir() and not any(output_dir.iterdir()))
    if not free and not (output_dir / RECORD_FILE).is_file():
        raise ConfigurationError(
            f"output_dir {output_dir} holds something else than a trained model; name another folder"
        )


def _begin(place: Unfinished, plan: Plan) -> str:
    path = place.folder / _PLAN
    wanted = json.loads(json.dumps(plan))
    found = _plan_of(place.folder)
    if found == wanted:
        return "goes on from what an interrupted run left" if place.holds_work() else ""
    note = ""
    if found is not None and place.holds_work():
        differing = ", ".join(k for k in wanted if found.get(k) != wanted[k])
        note = f"begins anew: an interrupted run had other {differing}"
    for entry in place.folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
    write_whole(path, json.dumps(wanted, indent=2))
    return note


def _plan_of(folder: Path) -> Any:
    path = folder / _PLAN
    return json.loads(path.read_bytes()) if path.is_file() else None


def _adopt(folder: Path, plan: Plan) -> None:
    """What a run of the same plan left beside, under another name, is ours when nobody is at work on it."""
    wanted = json.loads(json.dumps(plan))
    for other in sorted(folder.parent.glob(".*.partial")):
        if not folder.exists() and _plan_of(other) == wanted:
            with suppress(ConfigurationError), _lock(other):
                other.rename(folder)


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """The kernel frees it however the process ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError(
                f"another training is at work in {folder}; wait for it, or name another output_dir"
            ) from None
        yield


def _replace(output_dir: Path, folder: Path) -> None:
    for name in (_PLAN, _LOCK):
        (folder / name).unlink(missing_ok=True)
    for name in ("data", "checkpoints", "done"):
        shutil.rmtree(folder / name, ignore_errors=True)
    old = _set_aside(output_dir)
    shutil.rmtree(old, ignore_errors=True)
    if output_dir.exists():
        output_dir.rename(old)
    folder.rename(output_dir)
    shutil.rmtree(old, ignore_errors=True)


def _set_aside(output_dir: Path) -> Path:
    return output_dir.with_name(f".{output_dir.name}.old")
