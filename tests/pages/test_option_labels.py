"""Options of lists are shown as they stand: Streamlit reads no Markdown in them, so what is escaped for Markdown shows its backslashes."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "pages"
UNREAD = {"selectbox", "multiselect"}  # radio, segmented_control, pills, select_slider and metric read Markdown


def names(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


@pytest.mark.parametrize("file", sorted(PAGES.rglob("*.py")), ids=lambda file: str(file.relative_to(PAGES)))
def test_options_of_lists_are_not_escaped(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    escaping = {"plain"} | {each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef) and _returns_escaped(each)}
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in UNREAD:
            options = [*call.args[1:], *(each.value for each in call.keywords if each.arg in ("options", "format_func"))]
            assert not any(names(each) & escaping for each in options), f"line {call.lineno}: escaped for Markdown, shown as it stands"


def _returns_escaped(function: ast.FunctionDef) -> bool:
    return any(isinstance(each, ast.Return) and each.value is not None and "plain" in names(each.value) for each in ast.walk(function))
