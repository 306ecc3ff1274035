"""Saved runs: find one, open it by its link, compare two, replay, export, delete, verify the chain."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.parts.bench import bench, owner
from pages.parts.compare import show_comparison
from pages.parts.errors import told
from pages.parts.frame import open_page
from pages.parts.keys import Keys
from pages.parts.markup import moment, plain, selection_key, some
from pages.parts.run_view import find_run, patient_of, show_run

if TYPE_CHECKING:
    from backend.storage import RunSummary

_PAGE = 50
_ANYBODY = "*"
_KINDS = {"run": "Results", "explanation": "Explanations", "replay": "Replays"}


def main() -> None:
    open_page("Saved runs", "Everything that was computed, as it was computed. A run is never edited.")
    if "run" in st.query_params:
        _one(st.query_params["run"])
        return
    with told():
        rows = _list()
        _act(rows)
    with told():
        _verify()


def _one(run_id: str) -> None:
    if st.button("All runs", icon=":material/arrow_back:", type="tertiary"):
        st.query_params.clear()
        st.rerun()
    found = find_run(run_id)
    if found is None:
        return
    if named := patient_of(found):
        st.page_link("pages/eeg.py", label=plain(named), icon=":material/person:", query_params={"run": found.id, "show": "decode"})
    show_run(found)
    with st.popover("Delete this run", icon=":material/delete:"):
        st.caption("Its question, result and explanations are erased. Its place in the chain stays, so that the deletion can be seen.")
        if st.button("Delete", type="primary", key="delete-run"):
            with told():
                bench().storage.runs.delete(found.id, owner())
                st.query_params.clear()
                st.session_state[Keys.NOTE] = f"Run {found.id} was deleted."
                st.rerun()


def _list() -> list[RunSummary]:
    from backend.models.registry import cards
    from backend.tasks import tasks

    people, titles = _people(), {name: found.title for name, found in tasks().items()}
    first, second, third = st.columns([5, 3, 3], vertical_alignment="bottom")
    text = first.text_input("Words of the question or file name, or an id", key="runs-text")
    asker = second.selectbox("Asked by", [owner(), _ANYBODY, *(one for one in people if one != owner())], format_func=people.__getitem__)
    dates: Any = third.date_input("Between", value=(), key="runs-dates", format="YYYY-MM-DD")
    first, second, third = st.columns([5, 3, 3], vertical_alignment="bottom")
    task = first.selectbox("Task", list(titles), index=None, format_func=titles.__getitem__, placeholder="any", key="runs-task")
    model = second.selectbox("Model", list(cards(bench().config)), index=None, placeholder="any", key="runs-model")
    kind = third.selectbox("Kind", list(_KINDS), format_func=_KINDS.__getitem__, key="runs-kind")
    since = datetime.combine(dates[0], time.min, UTC) if len(dates) > 0 else None
    until = datetime.combine(dates[1], time.min, UTC) + timedelta(days=1) if len(dates) > 1 else None
    whose = None if asker == _ANYBODY else asker
    wanted: dict[str, Any] = {"text": text.strip() or None, "task": task, "model": model, "owner": whose}
    wanted |= {"since": since, "until": until, "kinds": (kind,)}
    store = bench().storage.runs
    count = store.count(**wanted)
    pages = max(1, -(-count // _PAGE))
    at = st.pagination(pages, key="runs-page") if pages > 1 else 1
    rows = store.list(**wanted, limit=_PAGE, offset=(at - 1) * _PAGE)
    if not rows:
        narrowed = text or dates or task or model or kind != "run"
        st.caption(
            "No run matches."
            if narrowed
            else "No run yet. Ask a question on the Literature page or analyse a file on the Sequences page; the result is kept here."
        )
    else:
        st.caption(f"{some(count, 'run')}. Choose one to open it, two to compare them.")
    return rows


def _people() -> dict[str, str]:
    """Whoever may have asked, by id."""
    return {found.id: found.name for found in bench().storage.profiles.list()} | {_ANYBODY: "Everybody", "": "Command line"}


def _act(rows: list[RunSummary]) -> None:
    from backend.tasks import tasks

    picked: list[str] = [st.query_params["compare"]] if "compare" in st.query_params else []
    if picked:
        st.info(f"Choose a run to compare with {plain(picked[0])}.", icon=":material/compare_arrows:")
    if rows:
        names, titles = _people(), {name: found.title for name, found in tasks().items()}
        table = [
            {
                "Run": row.id,
                "Question or file": row.title if not row.task.startswith("eeg.") else _with_patient(row),
                "When": moment(row.created),
                "Task": titles.get(row.task, row.task),
                "Model": row.model,
                "Asked by": names.get(row.owner, row.owner),
            }
            for row in rows
        ]
        chosen: Any = st.dataframe(
            table,
            hide_index=True,
            on_select="rerun",
            selection_mode="multi-row",
            key=selection_key("runs", (row.id for row in rows)),
            column_config={"Question or file": st.column_config.TextColumn(width="large")},
        )
        picked += [rows[at].id for at in chosen.selection.rows if rows[at].id not in picked]
    if len(picked) == 1 and "compare" not in st.query_params and st.button(f"Open {picked[0]}", type="primary"):
        st.query_params["run"] = picked[0]
        st.rerun()
    if len(picked) >= 2:
        show_comparison(picked[0], picked[1])


def _with_patient(row: RunSummary) -> str:
    named = patient_of(bench().storage.runs.get(row.id))
    return f"{named}: {row.title}" if named else row.title


def _verify() -> None:
    with st.expander("Is every saved run as it was written?"):
        st.caption("Each run carries a hash of itself and of the run before it. The check reads all of them.")
        if st.button("Check the whole chain", key="verify"):
            found = bench().storage.runs.verify()
            if found.ok:
                st.success(f"{some(found.checked, 'link')} checked, {found.deleted} of them deleted runs. Nothing was altered.")
            else:
                st.error(f"{some(len(found.problems), 'thing')} do not add up among {found.checked:,} links.")
                st.dataframe([{"Place": p.seq, "Run": p.id, "What": p.message} for p in found.problems], hide_index=True)
            st.caption("Hash of the last link; keep a copy elsewhere to prove later that nothing was rewritten.")
            st.code(found.head, language=None, wrap_lines=True)


main()
