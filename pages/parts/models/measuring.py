"""What a model was found to take on this machine, by length and batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.parts.bench import bench
from pages.parts.markup import size, span

if TYPE_CHECKING:
    from backend.domain import ModelCard


def show_measured(card: ModelCard) -> None:
    """Peaks as they were measured here; nothing where they were not."""
    from backend.models.measured import read_measured

    found = read_measured(bench().config, card)
    if found is None:
        return
    with st.expander(f"Measured on this machine on {found.date[:10]}: {size(found.peak_bytes)} at most"):
        rows = [
            {
                "Length": point.length if point.length else "its heaviest work",
                "At once": point.batch or 1,
                "Memory at most": size(point.bytes),
                "Took": span(point.seconds),
            }
            for point in found.points
        ]
        st.dataframe(rows, hide_index=True)
        before = f"It loads in {span(found.load_seconds)}, and takes {size(found.loaded_bytes)} before anything is asked of it."
        more = " Memory ran out at the next larger size." if found.ran_out else ""
        where = found.machine.get("device", "this machine")
        st.caption(f"On {where}. {before} Length counts tokens or letters, as its window does.{more}")
