"""A structure in three dimensions: 3Dmol.js from our own assets, the file as data, one residue selected.

py3Dmol is not used here: it writes HTML with the structure inside a script, and cannot tell the page what was clicked. The library that
it drives is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from backend.config import ASSETS

if TYPE_CHECKING:
    from backend.figures.structure_colours import Colouring
    from backend.sequences.structures.drawing import Drawing


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


# A function of its own around the library: in a module, its own search for a place to put itself would find none.
_LIBRARY = f"if (!window.$3Dmol) (function (exports, module, define) {{\n{_asset('vendor/3dmol/3Dmol-min.js')}\n}}).call(window);\n"

_FILE = st.components.v2.component("bioloom_structure_file", js=_LIBRARY + _asset("components/structure_file.js"))
_VIEW = st.components.v2.component(
    "bioloom_structure",
    html=_asset("components/structure.html"),
    css=_asset("components/structure.css"),
    js=_asset("components/structure.js"),
)


def load_structure(drawing: Drawing) -> None:
    """Hand the library and the atoms to the browser; outside the fragment that redraws at every click."""
    trace = all(not residue.backbone for chain in drawing.structure.chains for residue in chain.residues)
    data = {"id": drawing.id, "text": drawing.text, "starts": drawing.starts, "labels": drawing.labels, "trace": trace}
    _FILE(key=f"structure-file-{drawing.id[:16]}", data=data, height=1)


def show_structure(
    drawing: Drawing,
    colouring: Colouring,
    key: str,
    *,
    picked: Sequence[int] = (),
    places: Sequence[int | None] | None = None,
    focus: bool = False,
    words: str = "",
    height: int = 460,
    on_pick: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any] | None:
    """Draw a structure that `load_structure` handed over.

    Parameters
    ----------
    colouring : Colouring
        One code a residue, over all chains in order.
    key : str
        Names the widget; the camera is kept under it, over reruns and over leaving the page.
    picked : sequence of int
        Residues to mark, counted over all chains.
    places : sequence of (int or None), optional
        Index of each residue's letter in the sequence that stands beside it.
    focus : bool
        Bring the marked residue to the middle when the mark comes from elsewhere.
    on_pick : callable
        Called before the page runs again with ``{"residue", "index"}`` of what was clicked; -1 when the mark was taken away.

    Returns
    -------
    dict or None
        A distance that was just measured: ``{"residues", "atoms", "distance"}`` in ångströms.
    """

    def told() -> None:
        found = st.session_state[key].picked
        if found and on_pick is not None:
            on_pick(dict(found))

    result = _VIEW(
        key=key,
        data={
            "structure": drawing.id,
            "name": key,
            "group": key.removesuffix("-structure"),
            "colouring": colouring.json(),
            "picked": list(picked),
            "places": list(places) if places is not None else list(range(len(drawing.labels))),
            "focus": focus,
            "words": words,
            "height": height,
        },
        on_picked_change=told,
        on_measured_change=lambda: None,
    )
    return dict(result.measured) if result.measured else None
