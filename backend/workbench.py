"""The road, once, for all modalities: input, task, model, prediction, explanation, saved run."""

from __future__ import annotations

import platform
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from backend import __version__
from backend.config import Config, load_config
from backend.domain import Json, Prediction, Profile, Run, Task, canonical, digest
from backend.errors import InputError
from backend.jobs import Jobs
from backend.log import log, setup_logging
from backend.models.registry import get_card
from backend.models.runtime import Runtime
from backend.progress import Progress, Silent
from backend.storage import Storage, open_storage
from backend.storage.tables import now
from backend.tasks import Context, find_task

_PACKAGES = (
    "torch", "transformers", "streamlit", "shap", "bm25s", "sqlalchemy", "biopython", "gemmi", "parasail", "viennarna",
    "mne", "yasa", "lightgbm", "pyriemann", "mne-icalabel", "onnxruntime", "scikit-learn",
)  # fmt: skip
_VOLATILE = ("coverage", "support")  # parts of a prediction that describe the library's state, not the finding
_TOLERANCE = 1e-4
UNTRAINED = "UNTRAINED: for testing the loader. This model's weights are random numbers: nothing below says anything about the input."


class Workbench:
    """Everything one process needs: configuration, storage, models, jobs."""

    def __init__(self, config: Config) -> None:
        setup_logging(config)
        self.config = config
        self.storage: Storage = open_storage(config)
        self.runtime = Runtime(config)
        self.jobs = Jobs(self.storage, workers=4)
        self.context = Context(config, self.storage, self.runtime)

    def run(
        self,
        task: str,
        value: Mapping[str, Json],
        *,
        settings: Mapping[str, Json] | None = None,
        profile: Profile | None = None,
        owner: str = "",
        explain: bool = False,
        target: Mapping[str, Json] | None = None,
        progress: Progress | None = None,
    ) -> Run:
        """Run a task on an input and save what came out.

        Raises
        ------
        InputError
            When the input or a setting cannot be used; nothing is saved then.
        """
        found = find_task(task)
        chosen = self._settings(found, settings)
        profile = profile or Profile()
        with self.context.foreground:
            made, prediction = self._compute(found, value, chosen, profile, owner, progress or Silent())
            if explain and self._explainable(prediction):
                began = time.monotonic()
                explanation = self._explain(found, prediction.data, target or {}, chosen, progress or Silent())
                _tell_untrained(explanation, made)
                made = replace(made, explanation=explanation, seconds=made.seconds + time.monotonic() - began)
        made = self.storage.runs.append(made)
        log().info("run.saved", task=task, model=prediction.model, seconds=round(made.seconds, 3), run_id=made.id)
        return made

    def explain(self, run_id: str, target: Mapping[str, Json], *, owner: str = "", progress: Progress | None = None) -> Run:
        """Explain one part of a saved run; the explanation is saved as a run of its own that names its parent."""
        parent = self.storage.runs.get(run_id)
        found = find_task(parent.task)
        if parent.prediction is None:
            raise InputError(f"Run {parent.id} holds no result.", "Explain the run that it belongs to.")
        began = time.monotonic()
        with self.context.foreground:
            explanation = self._explain(found, parent.prediction, target, parent.settings, progress or Silent())
            _tell_untrained(explanation, parent)
        made = replace(
            parent,
            id=self.storage.runs.new_run_id(),
            created=now(),
            prediction=None,
            explanation=explanation,
            warnings=(),
            seconds=time.monotonic() - began,
            environment=self._environment(str(parent.model["name"])),
            owner=owner,
            parent=parent.id,
            kind="explanation",
        )
        return self.storage.runs.append(made)

    def replay(self, run_id: str, *, owner: str = "", progress: Progress | None = None) -> Run:
        """Compute a saved run again and say whether it came out the same; the replay is saved too."""
        parent = self.storage.runs.get(run_id)
        if parent.prediction is None:
            raise InputError(f"Run {parent.id} holds no result of its own.", "Replay the run that it belongs to.")
        found = find_task(parent.task)
        profile = Profile(**{**parent.profile, "specialties": tuple(parent.profile.get("specialties", ()))})
        made, prediction = self._compute(found, parent.input, parent.settings, profile, owner, progress or Silent())
        what_differs = [
            f"{name}: was {parent.model[name]}, is {made.model[name]}"
            for name in ("name", "revision", "sha256")
            if parent.model[name] != made.model[name]
        ]
        before = {key: item for key, item in parent.prediction.items() if key not in _VOLATILE}
        after = {key: item for key, item in prediction.data.items() if key not in _VOLATILE}
        what_differs += differences(before, after)
        coverage = [run.get("coverage", {}).get("library_version") for run in (parent.prediction, prediction.data)]
        if what_differs and coverage[0] != coverage[1]:
            what_differs.insert(0, "The library changed since the run was made; that is why the answer may differ.")
        if what_differs and (changed := differences(parent.input, made.input)):
            what_differs = [f"What the run was made of has changed since. {line}" for line in changed] + what_differs
        data = {"same": not what_differs, "differences": what_differs[:200], "prediction": prediction.data}
        made = replace(made, prediction=data, parent=parent.id, kind="replay")
        return self.storage.runs.append(made)

    def close(self) -> None:
        self.jobs.shutdown()

    def _compute(
        self, task: Task, value: Mapping[str, Json], settings: dict[str, Json], profile: Profile, owner: str, progress: Progress
    ) -> tuple[Run, Prediction]:
        began = time.monotonic()
        context = self.context.watched(progress)
        given = task.read(context, value, settings) if task.read else dict(value)
        prediction = task.predict(context, given, settings, profile)
        card = get_card(prediction.model, self.config)
        warnings = (UNTRAINED, *prediction.warnings) if card.untrained else prediction.warnings
        made = Run(
            id=self.storage.runs.new_run_id(),
            task=task.name,
            title=str(given.get("question") or given.get("name") or task.title),
            created=now(),
            input=given,
            input_sha256=digest(canonical(given)),
            settings=settings,
            profile=_plain(asdict(profile)),
            model={"name": card.name, "revision": card.revision, "sha256": card.sha256, **({"untrained": True} if card.untrained else {})},
            prediction=_plain(prediction.data),
            explanation=None,
            warnings=warnings,
            seconds=time.monotonic() - began,
            environment=self._environment(card.name),
            owner=owner,
        )
        return made, prediction

    def _explain(
        self, task: Task, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json], progress: Progress
    ) -> dict[str, Json]:
        if task.explain is None:
            raise InputError(f"{task.title} has no explanation.", "")
        explanation: dict[str, Json] = _plain(task.explain(self.context.watched(progress), prediction, target, settings))
        return explanation

    def _settings(self, task: Task, settings: Mapping[str, Json] | None) -> dict[str, Json]:
        given = dict(settings or {})
        for name in given:
            if name not in task.settings:
                raise InputError(f"{task.title} has no setting called '{name}'.", f"Its settings are: {', '.join(task.settings)}.")
        return {**task.settings, **given}

    def _explainable(self, prediction: Prediction) -> bool:
        return not prediction.data.get("answer", {}).get("abstained", False)

    def _environment(self, model: str) -> dict[str, Json]:
        device = next((resident.device for resident in self.runtime.loaded() if resident.name == model), "cpu")
        return {"device": device, "bioloom": __version__, "python": platform.python_version(), **_versions()}


_workbench: Workbench | None = None
_opening = threading.Lock()


def open_workbench(config: Config | None = None) -> Workbench:
    """The workbench of this process; with a `config`, a new one of its own."""
    global _workbench
    if config is not None:
        return Workbench(config)
    with _opening:
        if _workbench is None:
            _workbench = Workbench(load_config())
        return _workbench


def run_json(run: Run, explanation: Mapping[str, Json] | None = None) -> dict[str, Json]:
    """The stable JSON of a run, as the command line prints it."""
    prediction = dict(run.prediction or {})
    made: dict[str, Json] = {
        "run_id": run.id,
        "task": run.task,
        "model": run.model,
        "seconds": round(run.seconds, 4),
        "warnings": list(run.warnings),
        "prediction": prediction,
        "explanation": explanation if explanation is not None else run.explanation,
    }
    if "answer" in prediction:
        made["answer"] = prediction.pop("answer")
    return made


def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _tell_untrained(part: Json, run: Run) -> None:
    """Of an untrained model, say in every test of an explanation that what it explains are random numbers, however faithfully."""
    if isinstance(part, dict) and run.model.get("untrained"):
        if "reliable" in part and "reason" in part:
            part["reason"] = f"The model is UNTRAINED: this explains random numbers. {part['reason']}"
        for inner in part.values():
            _tell_untrained(inner, run)


def _plain(value: Any) -> Any:
    """JSON of our dataclasses' contents: tuples as lists, mappings as dicts, NumPy numbers as numbers."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.item() if hasattr(value, "item") else value


def differences(before: Json, after: Json, place: str = "") -> list[str]:
    """Where two results differ, in words; numbers within 1e-4 count as the same."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return [
            line
            for key in dict.fromkeys([*before, *after])
            for line in differences(before.get(key), after.get(key), f"{place}.{key}" if place else str(key))
        ]
    if isinstance(before, (list, tuple)) and isinstance(after, (list, tuple)):
        if len(before) != len(after):
            return [f"{place}: {len(before)} items before, {len(after)} now"]
        return [line for at, pair in enumerate(zip(before, after, strict=True)) for line in differences(*pair, f"{place}[{at + 1}]")]
    if isinstance(before, float) and isinstance(after, (int, float)):
        return [] if abs(before - after) <= _TOLERANCE else [f"{place}: {before:.4f} before, {after:.4f} now"]
    return [] if before == after else [f"{place}: {_short(before)} before, {_short(after)} now"]


def _short(value: Json) -> str:
    text = str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
