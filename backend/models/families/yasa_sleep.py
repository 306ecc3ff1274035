"""YASA's sleep stage classifiers: boosted trees that give each 30 s of a night five probabilities from named measures of its channels."""

from __future__ import annotations

import threading
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import ModelCard, Quality
from backend.errors import ModelError
from backend.models.registry import family

Floats = NDArray[np.float64]

CLASSES = ("N1", "N2", "N3", "R", "W")
"""Order of the classifiers' columns."""

_BEGIN, _END = b"tree\nversion=", b"end of parameters"
_ELIFE = "Vallat and Walker 2021, doi:10.7554/eLife.70092, figure 1"
_ADOLESCENTS = "independent validation: doi:10.1016/j.sleh.2023.07.019 (abstract)"
_THEIRS = "327 nights of 151 healthy adolescents (NCANDA), against manual scoring"

CARD = ModelCard(
    name="yasa-sleep",
    title="YASA sleep staging",
    family="yasa_sleep",
    modality="eeg",
    tasks=("eeg.sleep",),
    source="wheel",
    licence="BSD-3-Clause",
    summary="Sleep stages of a night from one central EEG channel, with eye and chin channels where they are there.",
    revision="0.8.1",
    package="yasa",
    package_sha256="72b45abde6c78f25b523eddda1dc9875f755fd665ed270934a95f8986ba74cc7",
    folder="yasa/classifiers",
    files={
        "clf_eeg_lgb_0.5.0.joblib": "330c1afdc86396e0b6d9f1294d4c4796beb5f7e7cd38be424c10feae98867e31",
        "clf_eeg+demo_lgb_0.5.0.joblib": "686fd99ad834d657833d7d7c2b3256f9689c023cf13aee16381b2b2cd6f0e86b",
        "clf_eeg+emg_lgb_0.5.0.joblib": "9771995bcf7d1c90456986fbf9f991a5b5e8fe68cf0a8c410ec38ad3615a3c78",
        "clf_eeg+emg+demo_lgb_0.5.0.joblib": "035191c5ffbb84ef9f4b09864bf54f01bd302a94188c34a9d6535460e74f4b49",
        "clf_eeg+eog_lgb_0.5.0.joblib": "86d726a3e6aa6195197ffbc9765f5e194c74358295ef331998c21f8badcebcc3",
        "clf_eeg+eog+demo_lgb_0.5.0.joblib": "e4762d95dddce707ee8da922dbc505dea4be6a5a5070cbc9a06e0a88f2fc2b43",
        "clf_eeg+eog+emg_lgb_0.5.0.joblib": "3d27d440c94c61d8013c81c91693ad88810af2ddae85b62f4bc797f6e2464beb",
        "clf_eeg+eog+emg+demo_lgb_0.5.0.joblib": "d915de033ecbce0833600151d73a5b271b8f305d63bbc774400ee64bdb9df8ff",
    },
    download_bytes=27_415_271,
    disk_bytes=27_241_907,
    peak_bytes=207_519_744,  # python -m backend.models.measure yasa-sleep (libraries included; a night of 1,000 epochs, one thread)
    peak_is_measured=True,
    paper="Vallat and Walker 2021, An open-source, high-performance tool for automated sleep staging, eLife 10:e70092, "
    "doi:10.7554/eLife.70092",
    quality=(
        Quality("median accuracy of a night", 0.875, "585 test nights of the US National Sleep Research Resource", _ELIFE),
        Quality("sensitivity, wakefulness", 0.9304, _THEIRS, _ADOLESCENTS),
        Quality("sensitivity, N1", 0.4039, _THEIRS, _ADOLESCENTS),
        Quality("sensitivity, N2", 0.8767, _THEIRS, _ADOLESCENTS),
        Quality("sensitivity, N3", 0.8446, _THEIRS, _ADOLESCENTS),
        Quality("sensitivity, REM sleep", 0.8602, _THEIRS, _ADOLESCENTS),
    ),
    limits=(
        "Learned from whole nights only: naps, daytime recordings and pieces of a night are unlike what it knows.",
        "N1 is its weakest stage, as it is the stage on which human scorers agree least.",
        "Expects a central EEG channel against the opposite mastoid or Fpz, in microvolts and unfiltered. Other leads cost accuracy.",
        "A waking person's 14.5 min (PhysioNet EEGMMI, S001) were called sleep for 31% of epochs from C4-Fpz alone, and for 3% with Fp1 as "
        "the eyes (tests/benchmarks/eeg_sleep.py): without eyes, and in short recordings, wakefulness is mistaken for sleep.",
        "Measures are set against the same night's others, so one long artefact can move the stages of the whole night.",
        "Its probabilities were not checked for calibration here; a trained scorer should look at the night, uncertain epochs first.",
    ),
)

# Probabilities that the trees give when every measure is 0, in the order of `CLASSES`.
_GOLDEN: dict[str, tuple[float, ...]] = {
    "clf_eeg_lgb_0.5.0.joblib": (0.050254492, 0.016341478, 0.000075496, 0.000000942, 0.933327592),
    "clf_eeg+demo_lgb_0.5.0.joblib": (0.005879289, 0.003930826, 0.000024323, 0.000021162, 0.990144400),
    "clf_eeg+emg_lgb_0.5.0.joblib": (0.107624749, 0.122008816, 0.000796755, 0.121205257, 0.648364423),
    "clf_eeg+emg+demo_lgb_0.5.0.joblib": (0.005986494, 0.016979459, 0.000006871, 0.000149334, 0.976877842),
    "clf_eeg+eog_lgb_0.5.0.joblib": (0.103480746, 0.198595401, 0.000010878, 0.001973858, 0.695939118),
    "clf_eeg+eog+demo_lgb_0.5.0.joblib": (0.028351107, 0.038469164, 0.000017176, 0.003348976, 0.929813577),
    "clf_eeg+eog+emg_lgb_0.5.0.joblib": (0.041206020, 0.023835570, 0.000000508, 0.006854526, 0.928103377),
    "clf_eeg+eog+emg+demo_lgb_0.5.0.joblib": (0.001795141, 0.016080624, 0.000154386, 0.000052322, 0.981917526),
}


class SleepClassifiers:
    """The eight classifiers, each read when it is first asked for. Safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, Classifier] = {}
        self._turn = threading.Lock()

    def get(self, *, eog: bool, emg: bool, demographics: bool) -> Classifier:
        """The classifier for an EEG channel with or without eyes, chin, age and sex."""
        name = f"clf_eeg{'+eog' if eog else ''}{'+emg' if emg else ''}{'+demo' if demographics else ''}_lgb_0.5.0.joblib"
        with self._turn:
            if name not in self._read:
                self._read[name] = Classifier(name, *_trees(self._folder / name))
            return self._read[name]

    def exercise(self) -> None:
        """Read the largest classifier and explain a night with it, so that memory can be measured."""
        largest = self.get(eog=True, emg=True, demographics=True)
        largest.contributions(np.zeros((1000, len(largest.features)), np.float32), np.arange(1000) % len(CLASSES))


class Classifier:
    """One set of boosted trees: measures to probabilities, log-odds and their exact shares.

    Attributes
    ----------
    name : str
        Its file.
    features : tuple of str
        Measures, in the order of its columns.
    """

    def __init__(self, name: str, booster: Any, text: str) -> None:
        self.name = name
        self.features: tuple[str, ...] = tuple(booster.feature_name())
        self._booster = booster
        self._text = text
        self._single: dict[int, Any] = {}
        self._turn = threading.Lock()

    def probabilities(self, measures: NDArray[np.floating]) -> Floats:
        """Probabilities (epochs, 5) of measures (epochs, features), columns as `CLASSES`; NaN counts as missing."""
        return self._ask(measures)

    def scores(self, measures: NDArray[np.floating]) -> Floats:
        """Log-odds (epochs, 5): probabilities are their softmax."""
        return self._ask(measures, raw_score=True)

    def score_of(self, measures: NDArray[np.floating], place: int) -> Floats:
        """Log-odds (epochs,) of one class, by its place in `CLASSES`: a fifth of the work of `scores`."""
        return self._ask(measures, self._of_class(place), raw_score=True)

    def contributions(self, measures: NDArray[np.floating], classes: NDArray[np.integer]) -> tuple[Floats, Floats]:
        """Exact SHAP values of the trees (Lundberg et al. 2020, doi:10.1038/s42256-019-0138-9) for one class of each epoch.

        Parameters
        ----------
        classes : array of int, shape (epochs,)
            Places in `CLASSES`.

        Returns
        -------
        array of shape (epochs, features), array of shape (epochs,)
            Shares of each measure in the log-odds of the epoch's class, and the log-odds when nothing is known: the mean over the nights
            that the trees were grown on. Base and shares add up to the score.
        """
        made = np.zeros((len(measures), len(self.features) + 1))
        for place in np.unique(classes):
            rows = np.flatnonzero(classes == place)
            made[rows] = self._ask(measures[rows], self._of_class(int(place)), pred_contrib=True)
        return made[:, :-1], made[:, -1]

    def _of_class(self, place: int) -> Any:
        """The trees of one class alone; each class has its own, and they do not touch."""
        with self._turn:
            if place not in self._single:
                self._single[place] = _single(self._text, place)
            return self._single[place]

    def _ask(self, measures: NDArray[np.floating], booster: Any = None, **how: bool) -> Floats:
        if measures.ndim != 2 or measures.shape[1] != len(self.features):
            raise ModelError(f"{self.name} reads {len(self.features)} measures, not {measures.shape[-1]}.", "This is a fault of Bioloom.")
        trees = self._booster if booster is None else booster
        made: Floats = np.asarray(trees.predict(np.asarray(measures, np.float32), num_threads=1, **how), dtype=np.float64)
        return made


def _trees(file: Path) -> tuple[Any, str]:
    """The trees of a published file and their text, which stands inside a compressed pickle. That is never opened: it could run code."""
    import lightgbm

    try:
        content = zlib.decompress(file.read_bytes())
    except (OSError, zlib.error) as error:
        raise ModelError(f"{file.name} cannot be read.", "Remove the model and fetch it again.") from error
    begin, end = content.find(_BEGIN), content.find(_END)
    if begin < 0 or end < begin:
        raise ModelError(f"{file.name} holds no trees.", "Remove the model and fetch it again.")
    text = content[begin : end + len(_END)].decode("ascii") + "\n\npandas_categorical:null\n"
    booster = lightgbm.Booster(model_str=text)
    if booster.num_model_per_iteration() != len(CLASSES):
        raise ModelError(f"{file.name} does not tell five stages apart.", "Remove the model and fetch it again.")
    known = booster.predict(np.zeros((1, booster.num_feature()), np.float32), num_threads=1)[0]
    if np.abs(known - _GOLDEN[file.name]).max() > 1e-6:
        raise ModelError(f"{file.name} gives other numbers for known measures than published.", "Remove the model and fetch it again.")
    return booster, text


def _single(text: str, place: int) -> Any:
    """Trees of one class: of every five, in turn, one belongs to each."""
    import lightgbm

    body, _, rest = text.partition("end of trees")
    head, *trees = body.split("\nTree=")
    lines = [line for line in head.split("\n") if not line.startswith("tree_sizes=")]
    said = {"num_class=": "num_class=1", "num_tree_per_iteration=": "num_tree_per_iteration=1", "objective=": "objective=regression"}
    lines = [next((new for old, new in said.items() if line.startswith(old)), line) for line in lines]
    own = [f"Tree={number}\n{tree.partition(chr(10))[2]}" for number, tree in enumerate(trees[place :: len(CLASSES)])]
    return lightgbm.Booster(model_str="\n".join([*lines, *own]) + "end of trees" + rest)


@family("yasa_sleep", cards=(CARD,))
def load(folder: Path | None, card: ModelCard, device: str) -> SleepClassifiers:
    """The classifiers of the published package; each is compared with its golden numbers when it is first read."""
    assert folder is not None
    return SleepClassifiers(folder)
