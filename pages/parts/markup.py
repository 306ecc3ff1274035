"""Text of other people made safe: for HTML, and for the Markdown that widget labels and messages are read as."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from html import escape as _escape
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from backend.domain import digest

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:])")


def escape(value: object) -> str:
    """A value as HTML text or attribute."""
    return _escape(str(value), quote=True)


def plain(value: object) -> str:
    """A value as Markdown that shows exactly it: no image, link, formula or colour can hide in a title."""
    return _MARKDOWN.sub(r"\\\1", " ".join(str(value).split()))


def html(body: str, name: str = "div", css: str = "bl") -> None:
    """Draw HTML that was made with `escape`; Streamlit sanitises it once more."""
    st.html(f'<{name} class="{css}">{body}</{name}>')


def kicker(text: str) -> None:
    """The small heading over a part of a report. Our own words only."""
    html(escape(text), css="bl-kicker")


def strip(items: Iterable[tuple[str, str]]) -> None:
    """One line of facts: name and value."""
    html("".join(f"<span>{escape(name)} <b>{escape(value)}</b></span>" for name, value in items), css="bl bl-strip")


def facts(items: Iterable[tuple[str, str]]) -> None:
    """Names and values, one a row."""
    html("<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in items) + "</dl>")


def moment(value: datetime) -> str:
    """A moment in the reader's time zone: 2026-11-23 21:45."""
    try:
        zone = ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    return value.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def span(seconds: float) -> str:
    """A duration as people say it."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 90:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def selection_key(name: str, ids: Iterable[object]) -> str:
    """A table's key that follows its rows: a selection is kept by position, and must never pass to another row that takes the place."""
    return f"{name}-{digest(' '.join(map(str, ids)))[:16]}"


def size(count: float) -> str:
    """Bytes as people say them."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if count >= 10 or unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return ""


def some(count: int, one: str, many: str | None = None) -> str:
    """'1 paper', '33,050 papers'."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
