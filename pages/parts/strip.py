"""The sequence strip: letters in blocks of ten under the user's numbering, painted by a track; one letter selected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from backend.config import ASSETS

if TYPE_CHECKING:
    from backend.figures.structure_colours import Colouring

MOST = 6_000  # letters drawn at once; of longer sequences the stretch around the selection
_FOLDER = ASSETS / "components"
_STRIP = st.components.v2.component(
    "bioloom_strip",
    html=(_FOLDER / "strip.html").read_text(encoding="utf-8"),
    css=(_FOLDER / "strip.css").read_text(encoding="utf-8"),
    js=(_FOLDER / "strip.js").read_text(encoding="utf-8"),
)


def show_strip(
    sequence: str,
    places: Sequence[int] | None,
    colouring: Colouring,
    key: str,
    *,
    picked: int | None = None,
    on_pick: Callable[[int], None] | None = None,
) -> None:
    """Draw the strip.

    Parameters
    ----------
    places : sequence of int, optional
        The user's number of each letter; letter i is i + 1 where not given.
    picked : int, optional
        Index of the selected letter.
    on_pick : callable
        Called before the page runs again with the index of the letter that was chosen, -1 when the choice was taken away.
    """

    def told() -> None:
        found = st.session_state[key].picked
        if found and on_pick is not None:
            on_pick(int(found["index"]))

    start = _window(sequence, picked, key)
    stop = min(len(sequence), start + MOST)
    part = colouring.at(range(start, stop)) if stop - start < len(sequence) else colouring
    numbers = [*range(start + 1, stop + 1)] if places is None else list(places[start:stop])
    _STRIP(
        key=key,
        data={
            "letters": sequence[start:stop],
            "places": None if places is None else numbers,
            "start": start,
            "group": key.removesuffix("-strip"),
            "colouring": part.json(),
            "picked": -1 if picked is None else picked,
            "words": f"Sequence of {len(sequence):,} letters, coloured by {colouring.name}; letters {numbers[0]:,} to {numbers[-1]:,}",
        },
        on_picked_change=told,
    )


def _window(sequence: str, picked: int | None, key: str) -> int:
    """First letter to draw; a page of a long sequence can be chosen, and follows the selection."""
    if len(sequence) <= MOST:
        return 0
    pages = -(-len(sequence) // MOST)
    name, seen = f"{key}-part", f"{key}-part-of"
    if picked is not None and st.session_state.get(seen) != picked:
        st.session_state[name] = picked // MOST + 1
    st.session_state[seen] = picked
    at = st.pagination(pages, key=name)
    st.caption(f"Letters {(at - 1) * MOST + 1:,} to {min(at * MOST, len(sequence)):,} of {len(sequence):,}, counted from 1.")
    return (int(at) - 1) * MOST
