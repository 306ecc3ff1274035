"""EEGLAB files are rehearsed in a process of their own: a damaged MATLAB file can crash SciPy's reader, and must not take Bioloom along."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from backend.config import ROOT
from backend.eeg.diagnosis import Refused

_PATIENCE_S = 300
_AGAIN = "Save it again in EEGLAB, then choose the new file."


def rehearse(path: Path) -> dict[str, str]:
    """Load the file in another process; gives what it says of the subject, and 'missing' where its signals are not beside it.

    Raises
    ------
    Refused
        When the file cannot be loaded.
    """
    command = [sys.executable, "-m", __name__, str(path.resolve())]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=_PATIENCE_S, check=True)
        found: dict[str, str] = json.loads(done.stdout)
    except (subprocess.SubprocessError, OSError, ValueError) as error:
        raise Refused("unreadable", "file", "The MATLAB file is damaged and cannot be read.", _AGAIN) from error
    return found


def fields(path: Path) -> dict[str, str]:
    """What `rehearse` gives, computed here."""
    from scipy.io import loadmat

    data = loadmat(path, squeeze_me=True, struct_as_record=False)
    record = data.get("EEG")
    values = {name: getattr(record, name, None) if record is not None else data.get(name) for name in ("subject", "session", "data")}
    found = {name: value for name, value in values.items() if isinstance(value, str) and name != "data"}
    if isinstance(values["data"], str):
        near = [path.parent / Path(values["data"].replace("\\", "/")).name, path.with_suffix(".fdt"), path.with_suffix(".dat")]
        if not any(candidate.is_file() for candidate in near):
            found["missing"] = ".fdt"
    return found


if __name__ == "__main__":
    print(json.dumps(fields(Path(sys.argv[1]))))
