"""The living view: sequence strip, structure and panels that share one selected residue, so that a click in one lights the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.parts.bench import bench
from pages.parts.errors import told
from pages.parts.markup import plain
from pages.parts.strip import show_strip
from pages.parts.structure import load_structure, show_structure

if TYPE_CHECKING:
    from backend.figures.track import Track
    from backend.sequences.structures.drawing import Drawing
    from backend.sequences.structures.mapping import Fit

Panel = Callable[[int | None], int | None]
"""Draws itself for the selected index and returns an index that was just clicked in it, or None."""

_KEPT = "living-structures"  # structure files that this session attached: digest -> name
_EXAMPLE = "ubiquitin-1ubi.pdb"
_EXAMPLE_SEQUENCE = "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG"


def show_living(
    run_id: str,
    sequence: str,
    places: Sequence[int] | None,
    tracks: Sequence[Track],
    panels: Sequence[Panel] = (),
    *,
    structure: tuple[str, str] | None = None,
    kind: str = "protein",
) -> None:
    """Draw the view.

    Parameters
    ----------
    run_id : str
        Names the widgets; with several records of one run, add the record's id.
    sequence : str
        What tracks and the selection count letters of, from 0.
    places : sequence of int, optional
        The user's number of each letter.
    tracks : sequence of Track
        Values along `sequence`, the first is shown first; kind of residue and hydropathy are added.
    panels : sequence of callable
        Called with the selected index (or None); each returns an index newly clicked in it, or None.
    structure : (str, str), optional
        Digest and name of a kept structure file to begin with.
    """
    key = f"living-{run_id}"
    with told():
        drawing, fit = _attached(key, sequence, kind, structure)
        if drawing is not None:
            load_structure(drawing)
        _draw(key, sequence, places, list(tracks), list(panels), drawing, fit, kind)


@st.fragment
def _draw(
    key: str,
    sequence: str,
    places: Sequence[int] | None,
    tracks: list[Track],
    panels: list[Panel],
    drawing: Drawing | None,
    fit: Fit | None,
    kind: str,
) -> None:
    from backend.figures.structure_colours import paint, residue_tracks

    chosen = f"{key}-selected"
    paints = {track.name: ("letters", track) for track in [*tracks, *residue_tracks(sequence, kind)]}
    if drawing is not None:
        from backend.figures.structure import structure_tracks

        paints |= {track.name: ("residues", track) for track in structure_tracks(drawing.structure) if track.name not in paints}
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    with left:
        name = st.selectbox("Colour by", list(paints), key=f"{key}-track")
    along, track = paints[name]
    with right:
        st.caption(plain(f"{track.source[:1].upper()}{track.source[1:]}.") if track.source else "")
    colouring = paint(track)
    strip_colours = structure_colours = colouring
    if drawing is not None and fit is not None:
        if along == "letters":
            structure_colours = colouring.at(fit.places)
        else:
            back: dict[int, int] = {}
            for at, place in enumerate(fit.places):
                if place is not None:
                    back.setdefault(place, at)
            strip_colours = colouring.at([back.get(at) for at in range(len(sequence))])
    picked: int | None = st.session_state.get(chosen)

    def choose(index: int) -> None:
        st.session_state[chosen] = index if 0 <= index < len(sequence) else None
        st.session_state.pop(f"{chosen}-residue", None)

    show_strip(sequence, places, strip_colours, f"{key}-strip", picked=picked, on_pick=choose)
    if drawing is not None and fit is not None:
        marked = fit.residues(picked) if picked is not None else []
        if picked is None and f"{chosen}-residue" in st.session_state:
            marked = [st.session_state[f"{chosen}-residue"]]

        def clicked(found: dict[str, Any]) -> None:
            choose(int(found["index"]))
            if found["index"] < 0 <= found["residue"]:
                st.session_state[f"{chosen}-residue"] = int(found["residue"])

        show_structure(
            drawing,
            structure_colours,
            f"{key}-structure",
            picked=marked,
            places=fit.places,
            focus=True,
            words=_words(drawing, name),
            on_pick=clicked,
        )
        if picked is not None and not marked:
            st.caption("The selected residue has no coordinates in this structure.")
        elif picked is None and marked:
            st.caption(plain(f"{drawing.labels[marked[0]]} belongs to another molecule than the sequence above."))
    for number, panel in enumerate(panels):
        with told():
            found = panel(picked)
            seen = f"{key}-panel-{number}"
            # a chart keeps what was clicked in it over reruns: only a new click moves the selection
            if found is not None and found != st.session_state.get(seen):
                st.session_state[seen] = found
                if found != picked:
                    choose(found)
                    st.rerun(scope="fragment")
            elif found is None:
                st.session_state.pop(seen, None)


def _words(drawing: Drawing, name: str) -> str:
    """The picture for whoever does not see it."""
    structure = drawing.structure
    chains = ", ".join(f"chain {chain.name} of {len(chain.residues)} residues" for chain in structure.chains[:8])
    more = f" and {len(structure.chains) - 8} chains more" if len(structure.chains) > 8 else ""
    return f"Structure {structure.title or structure.name}: {chains}{more}; coloured by {name}."


def _attached(key: str, sequence: str, kind: str, given: tuple[str, str] | None) -> tuple[Drawing | None, Fit | None]:
    """The structure that goes with the sequence, and how the two fit; asks for one where there is none."""
    from backend.domain import digest
    from backend.sequences.structures.mapping import fit_structure
    from backend.sequences.view import open_drawing

    context = bench().context
    slot = f"{key}-file"
    if given is not None:
        st.session_state.setdefault(slot, given)
    file: tuple[str, str] | None = st.session_state.get(slot)
    drawing: Drawing | None = None
    fit: Fit | None = None
    if file is not None:
        with told():
            drawing = open_drawing(context, *file)
            opened = drawing
            fit = context.recent(f"fit:{opened.id}:{digest(sequence)}", lambda: fit_structure(opened.structure, sequence))
    if given is None:
        with st.expander(f"Structure: {plain(file[1])}" if file else "Show it on a structure", expanded=False), told():
            _choose(slot, sequence)
    if drawing is not None and fit is not None and given is None:
        _tell(drawing, fit, sequence)
    for note in drawing.notes if drawing is not None else ():
        st.caption(plain(note))
    return drawing, fit


def _choose(slot: str, sequence: str) -> None:
    from backend.sequences.view import keep_structure

    uploaded = st.file_uploader("PDB or mmCIF of this molecule, also packed as .gz", key=f"{slot}-upload")
    if uploaded is not None and st.session_state.get(f"{slot}-seen") != uploaded.file_id:
        st.session_state[f"{slot}-seen"] = uploaded.file_id
        sha256, _ = keep_structure(bench().context, uploaded.getbuffer(), uploaded.name)
        _attach(slot, sha256, uploaded.name)
    kept: dict[str, str] = st.session_state.get(_KEPT, {})
    for sha256, name in kept.items():
        if st.session_state.get(slot) != (sha256, name) and st.button(f"Use {plain(name)}", key=f"{slot}-{sha256[:12]}", type="tertiary"):
            _attach(slot, sha256, name)
    if _EXAMPLE_SEQUENCE in sequence or (sequence in _EXAMPLE_SEQUENCE and len(sequence) >= 20):
        from backend.config import ASSETS

        if st.button("Use the example structure of ubiquitin (1UBI)", key=f"{slot}-example", type="tertiary"):
            sha256, _ = keep_structure(bench().context, ASSETS / "examples" / _EXAMPLE, _EXAMPLE)
            _attach(slot, sha256, _EXAMPLE)
    if st.session_state.get(slot) and st.button("Take the structure away", key=f"{slot}-away", type="tertiary"):
        st.session_state.pop(slot)
        st.rerun()


def _attach(slot: str, sha256: str, name: str) -> None:
    st.session_state[slot] = (sha256, name)
    st.session_state[_KEPT] = {**st.session_state.get(_KEPT, {}), sha256: name}
    st.rerun()


def _tell(drawing: Drawing, fit: Fit, sequence: str) -> None:
    """How well the sequence and the structure agree."""
    best = fit.best
    chains = ", ".join(match.chain for match in fit.chains)
    share = f"{best.identity:.0%} of them the same letter."
    words = f"Chain {chains}: {best.aligned:,} residues stand against the {len(sequence):,} letters, {share}"
    if best.fits:
        st.caption(plain(words))
    else:
        st.warning(plain(f"{words} This is likely another molecule: colours on the structure may mislead."), icon=":material/warning:")
