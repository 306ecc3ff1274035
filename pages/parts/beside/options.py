"""The settings of a task for both models, as plain fields: every one but the model, beginning with its default."""

from __future__ import annotations

from typing import Any

import streamlit as st


def show_options(task: str) -> dict[str, Any]:
    """What differs from the defaults; a setting that is neither a word, a number nor a switch keeps its default."""
    from backend.tasks import find_task

    known = {name: default for name, default in find_task(task).settings.items() if name != "model"}
    shown = {name: default for name, default in known.items() if isinstance(default, (str, int, float))}
    if not shown:
        return {}
    with st.expander("Settings, the same for both"):
        given = {name: _field(task, name, default) for name, default in shown.items()}
    return {name: value for name, value in given.items() if value != known[name]}


def _field(task: str, name: str, default: Any) -> Any:
    label, key = name.replace("_", " ").capitalize(), f"beside-{task}-{name}"
    if isinstance(default, bool):
        return st.checkbox(label, default, key=key)
    if isinstance(default, (int, float)):
        return st.number_input(label, value=default, key=key)
    if "\n" in default:
        return st.text_area(label, default, key=key)
    return st.text_input(label, default, key=key)
