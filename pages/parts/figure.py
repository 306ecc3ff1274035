"""A figure with its text alternative and its downloads: SVG and PNG made in the browser, and the numbers as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import streamlit as st

from pages.parts.markup import escape

_SPREADSHEET = ("=", "+", "-", "@", "\t", "\r")  # a cell that begins so would be run as a formula


def show_figure(figure: Any, words: str, key: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Draw a Plotly figure; `words` says what it shows, `rows` are its numbers."""
    from backend.figures.style import CONFIG

    # a saved picture is read on paper and slides as well: it takes the page's own ground with it
    ground = st.get_option(f"theme.{st.context.theme.type or 'light'}.backgroundColor")
    figure.update_layout(paper_bgcolor=ground, plot_bgcolor=ground)
    st.plotly_chart(figure, config=CONFIG, alt=words, key=key)
    show_saves(key, rows)


def show_saves(key: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """The downloads of the figure drawn last; `rows` are its numbers."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        buttons = "".join(  # assets/page.js answers these with Plotly's own export
            f"<button class='bl-save' type='button' data-save='{form}' data-name='bioloom-{escape(key)}'>{form.upper()}</button>"
            for form in ("svg", "png")
        )
        st.html(f"<div class='bl'><span class='bl-soft'>Save as</span> {buttons}</div>", width="content")
        st.download_button(
            "CSV", to_csv(rows), f"bioloom-{key}.csv", "text/csv", key=f"csv-{key}", on_click="ignore", type="tertiary", width="content"
        )


def to_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as CSV with the first row's names as its head; a text that a spreadsheet would run gets an apostrophe before it."""
    rows = list(rows)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    if rows:
        writer.writerow(rows[0])
    for row in rows:
        writer.writerow([f"'{cell}" if isinstance(cell, str) and cell.startswith(_SPREADSHEET) else cell for cell in row.values()])
    return out.getvalue()
