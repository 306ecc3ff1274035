"""A checkpoint folder of the person's own: looked at, recognised, added, and used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from backend.progress import Progress
from pages.parts.bench import bench
from pages.parts.choosing import untrained_notice
from pages.parts.errors import show_error, told
from pages.parts.keys import Keys
from pages.parts.markup import escape, facts, html, kicker, plain, size, some
from pages.parts.models.acts import submit
from pages.parts.models.listing import parameters, task_titles

if TYPE_CHECKING:
    from backend.errors import ModelError
    from backend.models.registry import Family, Found

_SURE = {2: "its own vocabulary or name is in the folder", 1: "the architecture fits; other families may have the same"}
_FILES_SHOWN = 12
_JOB = "models-add-job"  # the adding that this session started


def show_adding(family: str) -> None:
    """Path, what was found there, and the button that adds it."""
    if st.button("All models", icon=":material/arrow_back:", type="tertiary", key="models-back"):
        st.query_params.clear()
        st.rerun()
    _follow()
    html("<h3>Add a folder of yours</h3>")
    _wanted(family)
    with st.form("add-folder", border=False):
        left, right = st.columns([8, 1], vertical_alignment="bottom")
        left.text_input(
            "Folder on this computer",
            key="add-path",
            placeholder="/home/me/models/my-encoder",
            help="It holds the settings (config.json), the vocabulary and the weights (safetensors or .bin), as they were published.",
        )
        right.form_submit_button("Look", type="primary", width="stretch")
    text = str(st.session_state.get("add-path") or "").strip().strip("'\"")
    if not text:
        st.caption("Nothing in the folder is run. It is used where it lies, never copied, and nothing leaves this computer.")
        return
    with told():
        _look(Path(text).expanduser(), family)


def _wanted(family: str) -> None:
    """What the family that was come from is, and what its folder must hold."""
    from backend.models.registry import families

    if not family or (found := families().get(family)) is None:
        return
    st.markdown(f"**{plain(found.title)}.** {plain(found.about)}")
    own = [card for card in found.cards if card.template]
    said = [line for card in own for line in (card.summary, *card.limits) if "folder" in line]  # what the folder must hold
    for line in dict.fromkeys(said):
        st.caption(plain(line))


def _look(folder: Path, family: str) -> None:
    from backend.models.licence import CONSENT
    from backend.models.registry import families, is_untrained, read_local, recognise, refusals, unusable

    if not folder.is_dir():
        remedy = "Give the folder that the file lies in." if folder.is_file() else "Give the whole path, as the file manager shows it."
        show_error(f"There is no folder at {folder}.", remedy)
        return
    with st.spinner("Looking at the folder ..."):
        candidates = recognise(folder)
    if candidates:
        kicker("What it seems to be")
        names = [found.name for found, _ in candidates]
        chosen = st.radio(
            "Family",
            range(len(candidates)),
            index=names.index(family) if family in names else 0,
            format_func=lambda at: f"**{plain(candidates[at][0].title)}**",
            captions=[f"{_SURE[found.certainty].capitalize()}." for _, found in candidates],
            key=f"add-family-{'-'.join(names)}",
        )
        name, found = candidates[chosen][0].name, candidates[chosen][1]
        kicker("What was found")
        _found(folder, candidates[chosen][0], found)
    else:
        refused = refusals(folder)
        if wrong := unusable(folder, [error for _, error in refused]):
            show_error(wrong.message, wrong.hint)
            return
        st.warning(
            f"No family takes this folder for one of its own. It holds {_listing(folder)}. "
            "If you know what it is, choose its family: it is added only if its files are complete.",
            icon=":material/help:",
        )
        _reasons(refused)
        known = sorted((each for each in families().values() if any(card.files or card.template for card in each.cards)), key=_title)
        ids = [each.name for each in known]
        picked = st.selectbox(
            "Family", known, index=ids.index(family) if family in ids else None, format_func=_title, placeholder="choose", key="add-by-hand"
        )
        if picked is None:
            return
        name = picked.name
    if is_untrained(folder):
        untrained_notice()
    before = next((card.title for card in read_local(bench().config).values() if card.folder == str(folder.resolve())), "")
    if before:
        st.info(f"It was added before, as {plain(before)}. Adding it again takes its files as they are now.", icon=":material/info:")
    pattern = families()[name].pattern
    agreed = not pattern.non_commercial
    if not agreed:
        st.markdown(f"**Licence of {plain(families()[name].title)}: {plain(pattern.licence)}**")
        agreed = st.checkbox(CONSENT, key=f"add-consent-{name}")
    if st.button("Add it", type="primary", icon=":material/add:", key="add-go", disabled=not agreed):
        submit("add", f"Adding {folder.name}", lambda progress: _added(folder, name, progress), str(folder), _JOB)


def _found(folder: Path, family: Family, found: Found) -> None:
    sizes = [(name, (folder / name).stat().st_size) for name in found.files]
    told = [
        ("Serves", ", ".join(task_titles(found.tasks)) or "no task"),
        ("Parameters", parameters(found.parameters) if found.parameters else "counted once added"),
        ("On disk", size(sum(count for _, count in sizes))),
        ("Memory", f"{size(found.peak_bytes)}, computed" if found.peak_bytes else "computed once added"),
        ("Licence", _licence(family)),
        ("Files", f"{some(len(sizes), 'file')}: {', '.join(f'{name} ({size(count)})' for name, count in sizes[:_FILES_SHOWN])}"),
    ]
    facts(told)
    if found.summary or found.limits:
        html("".join(f"<p>{escape(line)}</p>" for line in (found.summary, *found.limits) if line))


def _licence(family: Family) -> str:
    if family.pattern.non_commercial:
        return f"{family.pattern.licence}: that of {family.title}'s published weights, non-commercial"
    return "not known to Bioloom: you answer for your right to use it"


def _reasons(refused: list[tuple[Family, ModelError]]) -> None:
    """Why each family does not take the folder: the one that was meant says what is missing."""
    with st.expander("What each family says of it"):
        facts([(family.title, f"{error.message} {error.hint}") for family, error in sorted(refused, key=lambda pair: _title(pair[0]))])


def _listing(folder: Path) -> str:
    names = sorted(file.name for file in folder.iterdir())
    more = f" and {len(names) - _FILES_SHOWN} more" if len(names) > _FILES_SHOWN else ""
    return plain(", ".join(names[:_FILES_SHOWN]) + more) or "nothing"


def _added(folder: Path, family: str, progress: Progress) -> dict[str, Any]:
    from backend.models.added import renamed
    from backend.models.registry import add_local

    progress.update(0, None, "Hashing its files")
    card = add_local(bench().config, folder, family)
    return {"model": card.name, "renamed": renamed(card)}


def _follow() -> None:
    """Once the folder was added, its card with the tasks that it serves is shown."""
    job = bench().jobs.get(st.session_state[_JOB]) if _JOB in st.session_state else None
    if job is None or job.active:
        return
    st.session_state.pop(_JOB)
    if job.state == "done" and job.result:
        renamed = plain(str(job.result["renamed"]))
        st.session_state[Keys.NOTE] = f"The folder was added. {renamed} Its tasks are under 'Use it'.".replace("  ", " ")
        st.query_params.from_dict({"model": str(job.result["model"])})
        st.rerun()


def _title(family: Family) -> str:
    return family.title
