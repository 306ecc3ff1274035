"""The task `protein.design`: sequences for a protein backbone by ProteinMPNN, with their scores and what they share with the native."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json, Prediction, Profile
from backend.errors import InputError
from backend.metrics import bootstrap
from backend.models.families.proteinmpnn import LETTERS, NOISES, Backbone, Network, numbers
from backend.sequences.design_backbone import Problem, pose
from backend.sequences.design_why import explain_choice
from backend.sequences.export import to_csv, to_fasta
from backend.sequences.inputs import choose, open_input, read_input
from backend.sequences.structures import Structure, read_structure
from backend.storage.files import Files
from backend.tasks import Context, task

MOST_DESIGNS = 64
_MOST_CHAINS = 500
_NATIVE_ORDERS = 8  # random orders of reading that the native's score is the mean of
_AMINO = LETTERS[:20]
_DRAW, _NATIVE = 0, 1  # streams of random numbers


@dataclass(frozen=True)
class _Wish:
    designs: int
    temperature: float
    seed: int
    omit: str
    noise: str


def read(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    """A kept PDB or mmCIF file, and settings that can be used."""
    given = read_input(context, value, settings)
    if open_input(context, given).format not in ("pdb", "mmcif"):
        raise InputError(f"{given['name']} holds sequences, not a structure.", "Design needs a backbone: give a PDB or mmCIF file.")
    _wish(settings)
    return given


def _csv(prediction: Mapping[str, Json]) -> str:
    return to_csv(
        {
            "design": design["number"],
            "score": design["score"],
            "recovery": design["recovery"],
            "seed": prediction["settings"]["seed"],
            "temperature": prediction["settings"]["temperature"],
            **{f"chain {name}": letters for name, letters in design["chains"].items()},
        }
        for design in prediction["designs"]
    )


def _fasta(prediction: Mapping[str, Json]) -> str:
    asked = prediction["settings"]
    rows = [(f"native_{found['record']} score={prediction['native']['score']}", found["sequence"]) for found in prediction["results"]]
    for design in prediction["designs"]:
        told = f"score={design['score']} recovery={design['recovery']} T={asked['temperature']} seed={asked['seed']}"
        rows += [(f"design{design['number']}_{name} {told}", letters) for name, letters in design["chains"].items()]
    return to_fasta(rows)


def _explain(context: Context, prediction: Mapping[str, Json], target: Mapping[str, Json], settings: Mapping[str, Json]) -> dict[str, Json]:
    problem = _problem(context, prediction["file"], prediction["chains"], str(settings["fixed"]))
    return explain_choice(context, prediction, problem, target, str(settings["noise"]))


@task(
    "protein.design",
    title="Design",
    modality="sequences",
    models=("proteinmpnn",),
    settings={"chains": "", "fixed": "", "designs": 4, "temperature": 0.1, "seed": 0, "omit": "", "noise": "020"},
    read=read,
    explain=_explain,
    exports={"fasta": _fasta, "csv": _csv},
)
def design(context: Context, value: Mapping[str, Json], settings: Mapping[str, Json], profile: Profile) -> Prediction:
    """Propose sequences for a backbone.

    Settings
    --------
    chains : str
        Chains to design, ``A B``; empty for those of the records chosen. Other protein chains keep their sequence and are seen.
    fixed : str
        Residues that keep their letter, by the author's numbers: ``A:1-10 A:25``.
    designs, seed : int
        How many sequences, and where chance begins: design 3 is the same whether 3 or 30 are asked for.
    temperature : float
        0.1 keeps to the likeliest letters, 1 draws as the network believes.
    omit : str
        Letters that are never chosen, ``CM``.
    noise : str
        Noise in training, hundredths of an ångström: ``002``, ``010``, ``020``, ``030``. More suits backbones that are less exact.
    """
    wish = _wish(settings)
    chosen = choose(context, value, kinds=("protein",), most=_MOST_CHAINS)
    named = re.split(r"[\s,;]+", str(settings["chains"]).strip()) if str(settings["chains"]).strip() else []
    chains = named or [record.entry.name for record in chosen.records]
    structure = _structure(context, chosen.preflight["file"])
    problem = pose(structure, chains, str(settings["fixed"]))
    with context.runtime.use("proteinmpnn") as designer:
        network = designer.networks[wish.noise]
        backbone = network.encode(problem.coordinates, problem.numbers, problem.chains)
        alone = network.alone(backbone)
        native = score_native(network, backbone, problem)
        letters, told = draw(context, network, backbone, problem, wish)
    designs = [_design(problem, at, row, each) for at, (row, each) in enumerate(zip(letters, told, strict=True))]
    seen = np.exp(np.nanmean(told, axis=0).astype(np.float64))  # geometric mean over designs
    data: dict[str, Json] = {
        **chosen.preflight,
        "chains": chains,
        "settings": {"seed": wish.seed, "temperature": wish.temperature, "omit": wish.omit, "noise": wish.noise},
        "native": native,
        "designs": designs,
        "recovery": _recovery(designs),
        "results": _results(structure, problem, chains, alone, seen),
    }
    data["text"] = _text(data, problem)
    warnings = [*chosen.warnings, *structure.notes, *problem.warnings]
    same = len({tuple(row) for row in letters.tolist()})
    if same < len(designs):
        warnings.append(f"Only {same} of the {len(designs)} designs differ; a higher temperature gives more variety.")
    return Prediction(data, "proteinmpnn", tuple(dict.fromkeys(warnings)))


def draw(
    context: Context, network: Network, backbone: Backbone, problem: Problem, wish: Any
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Designs, shape (designs, n), and log-probabilities (designs, n, 21); each design has random numbers of its own."""
    n = len(problem.sites)
    native, bias = numbers(problem.sequence), np.zeros((n, len(LETTERS)), np.float32)
    bias[:, [LETTERS.index(letter) for letter in wish.omit]] = -1e9
    made = []
    for at in range(wish.designs):
        context.progress.check()
        rng = np.random.default_rng([wish.seed, _DRAW, at])
        order, chance = _order(rng, problem.designed), rng.gumbel(size=(n, len(LETTERS))).astype(np.float32)
        given = np.where(problem.designed, -1, native)
        made.append(
            network.decode(backbone, order[None], given[None], temperature=wish.temperature, bias=bias, chance=chance[None])
        )  # one at a time: no sum is rounded otherwise because of its neighbours in a batch
        context.progress.update(at + 1, wish.designs, "Designing sequences")
    return np.concatenate([letters for letters, _ in made]), np.concatenate([told for _, told in made])


def score_native(network: Network, backbone: Backbone, problem: Problem) -> dict[str, Json]:
    """How well the native sequence suits its backbone: mean negative log-likelihood over the designed residues, by random orders."""
    native = numbers(problem.sequence)
    counted = problem.designed & (native < 20)
    if not counted.any():
        return {"score": None, "low": None, "high": None, "orders": 0, "residues": 0}
    orders = np.array([_order(np.random.default_rng([0, _NATIVE, at]), problem.designed) for at in range(_NATIVE_ORDERS)])
    _, told = network.decode(backbone, orders, np.tile(native, (_NATIVE_ORDERS, 1)))
    scores = -told[:, counted, native[counted]].mean(axis=1)
    return {
        "score": round(float(scores.mean()), 4),
        "low": round(float(scores.min()), 4),
        "high": round(float(scores.max()), 4),
        "orders": _NATIVE_ORDERS,
        "residues": int(counted.sum()),
    }


def _order(rng: np.random.Generator, designed: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Residues that keep their letter first, then the others, each in random order."""
    return np.argsort(rng.random(len(designed)) + designed, kind="stable")


def _design(problem: Problem, at: int, letters: NDArray[np.int64], told: NDArray[np.float32]) -> dict[str, Json]:
    native, designed = numbers(problem.sequence), problem.designed
    known = designed & (native < 20)
    sure = told[np.arange(len(letters)), letters]
    spelled = [LETTERS[letter] for letter in letters]
    names = dict.fromkeys(site.chain for site in problem.sites)
    return {
        "number": at + 1,
        "sequence": "".join(spelled),
        "chains": {name: "".join(a for a, site in zip(spelled, problem.sites, strict=True) if site.chain == name) for name in names},
        "score": round(float(-sure[designed].mean()), 4),
        "score_all": round(float(-sure.mean()), 4),
        "recovery": round(float((letters == native)[known].mean()), 4) if known.any() else None,
        "sure": [round(float(np.exp(each)), 3) for each in sure],
    }


def _recovery(designs: Sequence[Mapping[str, Json]]) -> dict[str, Json] | None:
    """Mean over designs with its interval: of this backbone's designs, not of backbones."""
    values = [each["recovery"] for each in designs if each["recovery"] is not None]
    if not values:
        return None
    found = bootstrap(values)
    return {"value": round(found.value, 4), "low": round(found.low, 4), "high": round(found.high, 4), "n": len(values)}


def _results(
    structure: Structure, problem: Problem, chains: Sequence[str], alone: NDArray[np.float32], seen: NDArray[np.float64]
) -> list[dict[str, Json]]:
    """One entry a protein chain: its residues, what the backbone alone asks for, how open each place is among the designs."""
    open_ = entropy(seen)
    made = []
    for name in dict.fromkeys(site.chain for site in problem.sites):
        rows = [at for at, site in enumerate(problem.sites) if site.chain == name]
        made.append(
            {
                "record": name,
                "sequence": "".join(problem.sites[at].letter for at in rows),
                "labels": [problem.sites[at].label for at in rows],
                "places": [structure.chain(name).residues[problem.sites[at].index].number for at in rows],
                "offset": rows[0],
                "designed": [bool(problem.designed[at]) for at in rows],
                "asked": name in chains,
                "alone": np.exp(alone[rows, :20]).round(3).tolist(),
                "entropy": [round(float(open_[at]), 3) for at in rows],
            }
        )
    return made


def entropy(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bits of each row's distribution over the twenty: 0 where one letter is sure, 4.32 where all are alike."""
    rows = shares[:, :20] / shares[:, :20].sum(axis=1, keepdims=True)
    return np.asarray(-(rows * np.log2(np.maximum(rows, 1e-12))).sum(axis=1))


def _structure(context: Context, file: Mapping[str, Json]) -> Structure:
    sha, name = str(file["sha256"]), str(file["name"])
    return context.recent(f"design:{sha}", lambda: read_structure(Files(context.config).path(sha), name))


def _problem(context: Context, file: Mapping[str, Json], chains: Sequence[str], fixed: str) -> Problem:
    return pose(_structure(context, file), chains, fixed)


def _wish(settings: Mapping[str, Json]) -> _Wish:
    def number(name: str, low: float, high: float) -> float:
        try:
            found = float(settings[name])
        except (TypeError, ValueError):
            found = np.nan
        if not low <= found <= high:
            raise InputError(f"'{settings[name]}' is not a usable {name}.", f"Give a number from {low:g} to {high:g}.")
        return found

    omit = "".join(dict.fromkeys(re.sub(r"[\s,;]", "", str(settings["omit"])).upper()))
    if set(omit) - set(_AMINO) or len(omit) >= len(_AMINO):
        raise InputError(f"'{settings['omit']}' cannot be left out.", f"Name some, not all, of {_AMINO}.")
    noise = str(settings["noise"]).replace("0.", "0").zfill(3)
    if noise not in NOISES:
        raise InputError(f"There is no network of noise '{settings['noise']}'.", f"Choose {', '.join(NOISES)}.")
    return _Wish(int(number("designs", 1, MOST_DESIGNS)), number("temperature", 0.001, 5), int(number("seed", 0, 2**31)), omit, noise)


def _text(data: Mapping[str, Json], problem: Problem) -> list[str]:
    native, mean = data["native"], data["recovery"]
    lines = [f"{int(problem.designed.sum())} of {len(problem.sites)} residues designed, chain {', '.join(data['chains'])}."]
    if native["score"] is not None:
        lines.append(f"Native: score {native['score']:.3f} (negative log-likelihood a residue; lower suits the backbone better).")
    if mean:
        lines.append(f"Native recovery {mean['value']:.1%} ({mean['low']:.1%} to {mean['high']:.1%} over {mean['n']} designs).")
    for each in data["designs"]:
        recovered = "" if each["recovery"] is None else f", recovery {each['recovery']:.1%}"
        lines.append(f"Design {each['number']}: score {each['score']:.3f}{recovered}: {'/'.join(each['chains'].values())}")
    return lines
