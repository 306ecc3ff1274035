"""Confidence or B-factor along a chain, and the tracks that a structure brings with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from backend.domain import Json
from backend.figures.structure_colours import PLDDT, residue_tracks
from backend.figures.style import BLUE, finish
from backend.figures.track import Track

if TYPE_CHECKING:
    from backend.sequences.structures.model import Structure


def structure_tracks(structure: Structure) -> list[Track]:
    """What can be shown on every residue of all chains: confidence or B-factor, chain, kind, hydropathy, place in the chain."""
    residues = [residue for chain in structure.chains for residue in chain.residues]
    values = [residue.b for residue in residues]
    if structure.is_prediction:
        made = [Track("Confidence (pLDDT)", values, "", "plddt", "the file's B-factor column")]
    else:
        made = [Track("B-factor", values, "Å²", "sequential", "the file")] if len(set(values)) > 1 else []
    chains = tuple(f"chain {chain.name}" for chain in structure.chains)
    own = Track(
        "Chain", [float(at) for at, chain in enumerate(structure.chains) for _ in chain.residues], "", "category", "the file", chains
    )
    along = Track(
        "Place in the chain",
        [at / max(len(chain.residues) - 1, 1) for chain in structure.chains for at in range(len(chain.residues))],
        "of the length",
        source="first residue 0, last 1",
    )
    kinds = {chain.kind for chain in structure.chains}
    letters = residue_tracks("".join(residue.letter for residue in residues), "protein") if kinds == {"protein"} else []
    return [*made, *([own] if len(structure.chains) > 1 else []), *letters, along]


def plot_profile(result: Mapping[str, Json], column: str) -> Any:
    """The B-factor column along one chain; AlphaFold's bands behind it where it is confidence.

    Parameters
    ----------
    result : mapping
        One of the results of `structure.view`.
    column : str
        What the column is: ``pLDDT`` or the B-factor with its unit.
    """
    import numpy as np
    import plotly.graph_objects as go

    places = np.array(_places(result))
    values = np.array(result["b"], dtype=float)
    gaps = [int(gap["after"]) for gap in result["missing"] if 0 <= gap["after"] < len(values) - 1]
    labels = np.array(result["labels"], dtype=object)
    figure = go.Figure()
    if column == "pLDDT":
        for low, high, colour in zip((0, 50, 70, 90), (50, 70, 90, 100), PLDDT, strict=True):
            figure.add_hrect(y0=low, y1=high, fillcolor=colour, opacity=0.22, line_width=0)
        figure.update_yaxes(range=[0, 100], tickvals=[0, 50, 70, 90, 100])
    ends = [*(at + 1 for at in sorted(gaps)), len(values)]
    begin = 0
    for end in ends:  # a line of its own between gaps: nothing is drawn where nothing was observed
        figure.add_scatter(
            x=places[begin:end],
            y=values[begin:end],
            customdata=labels[begin:end],
            mode="lines" if end - begin > 1 else "markers",
            line={"color": BLUE, "width": 1.6},
            hovertemplate="residue %{customdata}: %{y:.1f}<extra></extra>",
            showlegend=False,
        )
        begin = end
    finish(figure, _title(result, column), 240)
    figure.update_xaxes(title="residue, numbered as in the file" if result["places"] or _plain(result) else "residue, counted from 1")
    figure.update_yaxes(title=column)
    return figure


def describe_profile(result: Mapping[str, Json], column: str) -> str:
    """The figure in words."""
    values, labels = result["b"], result["labels"]
    least = min(range(len(values)), key=values.__getitem__)
    most = max(range(len(values)), key=values.__getitem__)
    return (
        f"{_title(result, column)}. {column} from {values[least]:.1f} (residue {labels[least]}) to {values[most]:.1f} "
        f"(residue {labels[most]}), mean {result['mean']:.1f} over {len(values)} residues."
    )


def _title(result: Mapping[str, Json], column: str) -> str:
    values: Sequence[float] = result["b"]
    if column == "pLDDT":
        share = sum(value >= 70 for value in values) / len(values)
        return f"Chain {result['record']}: {share:.0%} of residues are placed with confidence of 70 or more"
    return f"Chain {result['record']}: how far each residue's atoms are smeared out"


def _places(result: Mapping[str, Json]) -> list[int]:
    return result["places"] or list(range(1, len(result["b"]) + 1))


def _plain(result: Mapping[str, Json]) -> bool:
    return list(result["labels"]) == [str(at + 1) for at in range(len(result["labels"]))]
