"""The candidates for a patient's decoder, by name: one file each, all fitted and asked in the same way.

What "explain" may rely on
--------------------------
``decoder.predict_proba(x)`` is a pure function of each trial: (n, channels, samples) in microvolts to (n, classes), rows summing to one.
``decoder.adapted(x)`` is the decoder recentred on a session's unlabelled trials (itself, where that changes nothing).
Linear decoders (``decoder.linear``) are softmax(features @ weights + intercept):

- ``decoder.features(x)`` -> (n, d) float64, standardised as the linear stage sees them
- ``decoder.weights()`` -> (d, classes): log-odds; for two classes the second column is minus the first
- ``decoder.places()`` -> d dicts ``{"channels": [names], "band": [low, high] | None, "window": [start_s, stop_s] | None}``

so that Haufe's patterns are ``np.cov(features.T) @ weights``. For others ``weights()`` is None and ``features`` raises.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from backend.domain import Json
from backend.eeg.decoding.candidates import bandpower, combined, csp, eegnet, slow, tangent
from backend.eeg.decoding.candidates.base import Candidate, Decoder
from backend.errors import StorageError

_IN_ORDER = (tangent, slow, combined, csp, bandpower, eegnet)  # of equals, the first is chosen
CANDIDATES: dict[str, Candidate] = {part.NAME: part.CANDIDATE for part in _IN_ORDER}


def restore(arrays: Mapping[str, np.ndarray], meta: Mapping[str, Json]) -> Decoder:
    """A decoder from what `Decoder.arrays` and `Decoder.meta` gave.

    Raises
    ------
    StorageError
        When it was made by a candidate that this version does not know.
    """
    return CANDIDATES[_known(str(meta.get("candidate")))].restore(arrays, meta)


def material_of(decoder: Decoder, x: np.ndarray) -> np.ndarray:
    """What a decoder needs of trials (n, channels, samples) in microvolts: `Candidate.material` of its candidate."""
    return CANDIDATES[_known(decoder.candidate)].material(x, decoder.rate)


def _known(name: str) -> str:
    name = tangent.NAME if name == "pooled" else name  # the same decoder, fitted to more
    if name not in CANDIDATES:
        raise StorageError(f"This calibration was made by '{name}', which this version does not know.", "Calibrate again.")
    return name


__all__ = ["CANDIDATES", "Candidate", "Decoder", "material_of", "restore"]
