"""Reversible cleaning: what a person took out of a recording, applied each time it is read; the stored signal stays as it is."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from backend.domain import Json
from backend.eeg.signal import open_recording, recordings_folder
from backend.errors import InputError, StorageError
from backend.storage.tables import now
from backend.tasks import Context

FACT = "cleaning"
_MOST_HISTORY = 100
_GONE = "The independent components of this recording are not there any more."
_REMEDY = "Switch the cleaning off, or compute the components again."


@dataclass(frozen=True)
class Decomposition:
    """Independent components of one recording. Components are counted from 1; rows and columns here from 0.

    A source is ``unmixing @ (x - level)`` of signals x as recorded: the common average is part of `unmixing`. What component k adds to
    the signals as recorded is ``(mixing[:, k] + common[k]) * source k``. `mixing` is its map in the average reference; `common`, the
    regression of the channels' mean on the source, is what it adds to all of them alike because the recording's reference picks it up
    too. In the average reference the two are the usual back-projection (Jung et al. 2000, doi:10.1111/1469-8986.3720163).

    Attributes
    ----------
    names, electrodes : ndarray of str, shape (channels,)
    unmixing : ndarray, shape (components, channels)
        To sources of unit variance; each row sums to zero.
    mixing : ndarray, shape (channels, components)
        Microvolts for one standard deviation of the source; each column sums to zero.
    common : ndarray, shape (components,)
        Microvolts.
    level : ndarray, shape (channels,)
        Mean of each channel as recorded, microvolts.
    maps, spectra, lags : ndarray, shapes (components, 32, 32), (components, 100), (components, 100)
        What the labelling network saw; see `backend.models.families.iclabel`.
    frequencies, power : ndarray, shapes (bins,), (components, bins)
        Hz; power of the source in dB, 0 dB being its variance spread over 1 Hz.
    """

    names: np.ndarray
    electrodes: np.ndarray
    unmixing: np.ndarray
    mixing: np.ndarray
    common: np.ndarray
    level: np.ndarray
    maps: np.ndarray
    spectra: np.ndarray
    lags: np.ndarray
    frequencies: np.ndarray
    power: np.ndarray

    @property
    def count(self) -> int:
        return len(self.unmixing)

    def sources(self, values: np.ndarray) -> np.ndarray:
        """Sources (components, samples) of values (channels, samples) as recorded; NaN where a channel has none."""
        made: np.ndarray = self.unmixing.astype(np.float32) @ (values - self.level[:, None]).astype(np.float32)
        return made

    def part(self, values: np.ndarray, numbers: Sequence[int]) -> np.ndarray:
        """What the components `numbers` (from 1) add to the values, shape (channels, samples)."""
        rows = [number - 1 for number in numbers]
        weights = (self.mixing[:, rows] + self.common[rows]) @ self.unmixing[rows]
        made: np.ndarray = weights.astype(np.float32) @ (values - self.level[:, None]).astype(np.float32)
        return made


def apply(context: Context, recording: str, names: Sequence[str], values: np.ndarray, start_s: float) -> np.ndarray:
    """The values of channels after cleaning; the same array where nothing was taken out.

    Parameters
    ----------
    names : sequence of str
        Channels of one rate; others that the cleaning needs are read from the recording.
    values : ndarray of float32, shape (len(names), samples)
        As recorded, before any filter, in microvolts; NaN in gaps.
    start_s : float
        Seconds from the recording's beginning to the first sample.

    Raises
    ------
    StorageError
        When cleaning is on and its components are gone.
    """
    fact = state(context, recording)
    if not fact or not fact["on"] or not fact["exclude"] or not values.shape[1]:
        return values
    found = read(context, recording, str(fact["file"]))
    known = [str(name) for name in found.names]
    at = {name: row for row, name in enumerate(names)}
    touched = [name for name in known if name in at]
    if not touched:
        return values
    every = np.empty((len(known), values.shape[1]), np.float32)
    for row, name in enumerate(known):
        if name in at:
            every[row] = values[at[name]]
    if missing := [name for name in known if name not in at]:
        signal = open_recording(context.config, recording)
        rate = signal.channel(known[0]).rate
        first = round(start_s * rate)
        every[[known.index(name) for name in missing]] = signal.read(missing, first / rate, (first + values.shape[1]) / rate)
    taken = found.part(every, fact["exclude"])
    cleaned = np.array(values, np.float32)
    cleaned[[at[name] for name in touched]] -= taken[[known.index(name) for name in touched]]
    return cleaned


# --- what the person decided ------------------------------------------------------------------------------------


def state(context: Context, recording: str) -> dict[str, Json] | None:
    """What is decided: ``on``, ``run``, ``file``, ``exclude`` (numbers from 1), ``labels``, ``history``; None where nothing ever was."""
    found: dict[str, Json] | None = context.storage.recordings.fact(recording, FACT)
    return found


def choose(
    context: Context, recording: str, run: str, file: str, exclude: Sequence[int], labels: Mapping[int, str] | None = None
) -> dict[str, Json]:
    """Take these components out from now on, wherever the recording is read; an empty choice takes none out.

    Parameters
    ----------
    run, file : str
        The run that made the components, and their file.
    exclude : sequence of int
        Components, counted from 1.
    labels : mapping of int to str, optional
        What they were called, for the history.

    Raises
    ------
    InputError
        When there is no such component.
    StorageError
        When the components are gone.
    """
    found = read(context, recording, file)
    chosen = sorted(set(exclude))
    if strange := [number for number in chosen if not 1 <= number <= found.count]:
        raise InputError(f"There is no component {strange[0]}.", f"Components are 1 to {found.count}.")
    if len(chosen) == found.count:
        raise InputError("Without any component no signal is left.", "Keep those that may be brain.")
    told = {str(number): (labels or {}).get(number, "") for number in chosen}
    return _write(context, recording, {"on": bool(chosen), "run": run, "file": file, "exclude": chosen, "labels": told})


def switch(context: Context, recording: str, on: bool) -> dict[str, Json]:
    """Apply the cleaning that was chosen, or leave it off; the choice itself is kept."""
    fact = state(context, recording)
    if fact is None or not fact["exclude"]:
        raise InputError("Nothing was chosen to be taken out of this recording.", "Compute its components and choose some first.")
    if on:
        read(context, recording, str(fact["file"]))
    return _write(context, recording, {**{key: fact[key] for key in ("run", "file", "exclude", "labels")}, "on": on})


def _write(context: Context, recording: str, fact: dict[str, Json]) -> dict[str, Json]:
    before = state(context, recording) or {}
    step = {"at": now().isoformat(timespec="seconds"), **{key: fact[key] for key in ("on", "run", "exclude", "labels")}}
    made = {**fact, "history": [*before.get("history", []), step][-_MOST_HISTORY:]}
    context.storage.recordings.set_fact(recording, FACT, made)
    return made


def words(fact: Mapping[str, Json]) -> str:
    """What is taken out: '2 components: 1 eye, 7 muscle'."""
    listed = ", ".join(f"{number} {fact['labels'].get(str(number), '')}".strip() for number in fact["exclude"])
    return f"{len(fact['exclude'])} component{'' if len(fact['exclude']) == 1 else 's'}: {listed}" if listed else "nothing"


# --- the file of a decomposition ----------------------------------------------------------------------------------


def write(context: Context, recording: str, found: Decomposition) -> str:
    """Keep a decomposition beside the recording's signals; gives the name of its file, which follows from its content."""
    arrays = {field.name: getattr(found, field.name) for field in fields(found)}
    mark = hashlib.sha256()
    for name, array in arrays.items():
        mark.update(name.encode() + (array if array.dtype.kind == "U" else np.round(array, 6).astype(np.float64) + 0.0).tobytes())
    file = f"extra-ica-{mark.hexdigest()[:12]}.npz"
    path = _path(context, recording, file)
    if not path.exists():
        draft = path.with_name(f".{file}.{os.getpid()}.tmp")
        try:
            with draft.open("wb") as out:
                np.savez_compressed(out, **arrays)
            os.replace(draft, path)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise StorageError(f"The components could not be kept: {error.strerror}.", "Free some space, then try again.") from error
    return file


def read(context: Context, recording: str, file: str) -> Decomposition:
    """The decomposition kept in that file.

    Raises
    ------
    StorageError
        When it is gone or damaged.
    """
    path = _path(context, recording, file)

    def opened() -> Decomposition:
        try:
            with np.load(path, allow_pickle=False) as held:
                return Decomposition(**{field.name: held[field.name] for field in fields(Decomposition)})
        except FileNotFoundError as error:
            raise StorageError(_GONE, _REMEDY) from error
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise StorageError("The independent components of this recording are damaged.", _REMEDY) from error

    if not path.exists():  # erased meanwhile: what is still in memory does not count
        raise StorageError(_GONE, _REMEDY)
    return context.recent(f"ica:{recording}:{file}", opened)


def _path(context: Context, recording: str, file: str) -> Path:
    if not (recording.isalnum() and recording.isascii()) or not file.startswith("extra-ica-") or Path(file).name != file:
        raise InputError(f"'{file}' holds no components.", "Compute the components again.")
    return recordings_folder(context.config) / recording / file
