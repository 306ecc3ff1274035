"""What quality and cleaning take and give: `python -m tests.benchmarks.eeg_cleaning [quality] [components]`; prints JSON.

quality: a made night of 8 h, 20 channels, 256 Hz: seconds and memory to judge it. components: the developers' 64- and 32-channel
recordings: CPU-seconds, what is suggested, and by how much the suggested components' removal lowers the variance of each channel with
and without what the recording's reference picked up.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from backend.config import load_config
from backend.domain import Profile
from backend.eeg import cleaning
from backend.eeg.importing import import_recording, import_source
from backend.eeg.prepared import prepare
from backend.eeg.quality.channels import predict as judge
from backend.eeg.recording import Channel, Inspection, Segment
from backend.eeg.trials_file import ArraySource
from backend.progress import Silent
from backend.workbench import Workbench
from tests.conftest import SHARED
from tests.eeg.heads import NAMES, patterns
from tests.prepare import models_folder

HOURS, RATE = 8, 256


def quality(bench: Workbench, visit: str) -> dict[str, Any]:
    """The night is sixteen made sources, the same minute again and again: time does not depend on what it holds."""
    rng = np.random.default_rng(0)
    names = (*NAMES, "Fpz")
    sources = np.fft.irfft(np.fft.rfft(rng.normal(size=(16, 60 * RATE))) / np.maximum(np.arange(30 * RATE + 1), 60), 60 * RATE)
    centres = rng.normal(size=(16, 3)) * [1, 1, 0.5] + [0, 0, 0.5]
    mixed = patterns(centres, 0.7) @ (sources / sources.std(axis=1, keepdims=True))
    minute = (10 * np.vstack([mixed, mixed[:2].mean(axis=0)]) + rng.normal(size=(len(names), 60 * RATE))).astype(np.float32)
    values = np.tile(minute, HOURS * 60)
    channels = tuple(Channel(name, name, "eeg", "uV", float(RATE), electrode=name, reference="Ref") for name in names)
    inspection = Inspection("made", HOURS * 3600.0, "", channels, (Segment(0.0, HOURS * 3600.0),), (), ())
    source = ArraySource(values, float(RATE), inspection)
    recording = import_source(bench.config, bench.storage, visit, source, "Night", "0" * 64, Silent()).id
    del values, source
    before = resource.getrusage(resource.RUSAGE_SELF)
    began = time.perf_counter()
    made = judge(bench.context, {"recording": recording}, {}, Profile())
    after = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "hours": HOURS,
        "channels": len(names),
        "rate": RATE,
        "seconds": round(time.perf_counter() - began, 2),
        "cpu_seconds": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2),
        "piece_s": made.data["piece_s"],
        "suggested": made.data["suggested"],
        "json_bytes": len(json.dumps(made.data)),
    }


def components(bench: Workbench, visit: str) -> list[dict[str, Any]]:
    found = []
    for name in ("eegmmi_s001/S001R01.edf", "eegmmi_s001/S001R03.edf", "eeglab/eeglab_data.set"):
        recording = import_recording(bench.config, bench.storage, visit, SHARED / "eeg" / name).id
        before = resource.getrusage(resource.RUSAGE_SELF)
        run = bench.run("eeg.ica", {"recording": recording})
        after = resource.getrusage(resource.RUSAGE_SELF)
        assert run.prediction is not None
        held = cleaning.read(bench.context, recording, run.prediction["file"])
        signals = prepare(bench.context, recording, names=[str(one) for one in held.names], high_pass=1.0, clean=False).values
        rows = [number - 1 for number in run.prediction["suggested"]]
        sources = held.unmixing[rows] @ signals
        whole, bare = (held.mixing[:, rows] + held.common[rows]) @ sources, held.mixing[:, rows] @ sources
        variance = signals.var(axis=1)
        found.append(
            {
                "file": name,
                "channels": len(held.names),
                "seconds_used": run.prediction["seconds"],
                "cpu_seconds": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2),
                "suggested": [run.prediction["components"][row]["label"] for row in rows],
                "variance_left": round(float((signals - whole).var(axis=1).sum() / variance.sum()), 3),
                "channels_raised": int(((signals - whole).var(axis=1) > variance * 1.001).sum()),
                "channels_raised_without_reference_part": int(((signals - bare).var(axis=1) > variance * 1.001).sum()),
            }
        )
    return found


def main() -> None:
    wanted = sys.argv[1:] or ["quality", "components"]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "models").symlink_to(models_folder(), target_is_directory=True)
        bench = Workbench(load_config({"BIOLOOM_DATA": folder, "BIOLOOM_DEVICE": "cpu"}))
        visit = bench.storage.patients.add_visit(bench.storage.patients.add("P-01").id, "first").id
        print(json.dumps({name: {"quality": quality, "components": components}[name](bench, visit) for name in wanted}, indent=1))
        bench.close()


if __name__ == "__main__":
    main()
