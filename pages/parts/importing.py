"""Bringing files into the library, and the record of what became of each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import streamlit as st

from backend.progress import Progress
from pages.parts import jobs
from pages.parts.bench import bench, owner, shelf
from pages.parts.errors import told
from pages.parts.markup import moment, plain, some
from pages.parts.uploads import keep, local


def show_import() -> None:
    """Files or a path, and the collection they go to."""
    from backend.literature.formats import FORMATS

    with st.form("import", clear_on_submit=True):
        files = st.file_uploader("Files", accept_multiple_files=True, help="Several at once; up to 400 MB each.")
        path = st.text_input("Or the path of a file on this computer, for large ones", placeholder="/home/me/pubmed-export.xml.gz")
        collection = st.text_input("Collection, if they belong together", placeholder="none", max_chars=120)
        sent = st.form_submit_button("Import", type="primary")
    st.caption("Reads " + ", ".join(form.title for form in FORMATS.values()) + ". A paper that is already there is completed, not doubled.")
    if sent:
        with told():
            taken = [(keep(file), file.name, True) for file in files] + ([(local(path), "", False)] if path.strip() else [])
            if not taken:
                st.warning("Choose a file first, or give a path.", icon=":material/upload_file:")
                return
            for place, name, ours in taken:
                start_import(place, name or place.name, collection.strip() or None, ours)
            st.rerun()
    _outcomes()


def _outcomes() -> None:
    """What became of every file of the last hour: one that failed is never hidden by one that went in."""
    since = datetime.now(UTC) - timedelta(hours=1)
    for job in jobs.mine(active=False):
        if job.kind != "library.import" or job.active or job.created < since:
            continue
        if job.result:
            _imported(job.result)
        else:
            st.markdown(f"**{plain(job.title)}: nothing was taken in**")
            jobs.show_failure(job)


def _imported(result: Mapping[str, Any]) -> None:
    parts = [f"{result['added']:,} added"]
    parts += [f"{result['merged']:,} were already there"] if result["merged"] else []
    parts += [f"{some(result['skipped'], 'note')}, see 'What was imported'"] if result["skipped"] else []
    words = f"{plain(result['name'])}: {'; '.join(parts)}."
    (st.warning if result["skipped"] else st.success)(words, icon=":material/inventory_2:")


def start_import(path: Path, name: str, collection: str | None, ours: bool) -> None:
    """Import in the background; a file of our own keeping is deleted once the library holds what was in it."""
    opened, library = bench(), shelf()
    asker = owner()

    def work(progress: Progress) -> dict[str, Any]:
        report = library.import_file(path, name, collection, progress)
        if ours:
            path.unlink(missing_ok=True)
        library.start_vectors(opened.jobs, asker)
        return {"name": report.name, "added": report.added, "merged": report.merged, "skipped": len(report.skipped)}

    opened.jobs.submit(asker, "library.import", f"Importing {name}", work)


def show_imports() -> None:
    """Every import, newest first, with the records that could not be read and why."""
    found = shelf().imports()
    if not found:
        st.caption("Nothing was imported yet.")
        return
    st.dataframe(
        [
            {
                "File": item.name,
                "Form": item.format,
                "When": moment(item.created),
                "Added": item.added,
                "Already there": item.merged,
                "Skipped": len(item.skipped),
            }
            for item in found
        ],
        hide_index=True,
    )
    for item in (item for item in found if item.skipped):
        with st.expander(f"{some(len(item.skipped), 'note')} on {plain(item.name)}"):
            st.dataframe([{"Where": skipped.place, "Why": skipped.reason} for skipped in item.skipped], hide_index=True)
