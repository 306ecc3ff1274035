"""Fetching papers from PubMed or Europe PMC: an explicit act that names what will be sent, and is written down."""

from __future__ import annotations

from typing import Any

import streamlit as st

from backend.progress import Progress
from pages.parts import jobs
from pages.parts.bench import bench, owner, shelf
from pages.parts.markup import moment, plain

_SERVICES = ("PubMed", "Europe PMC")


def show_fetch() -> None:
    """The network switch, the query, the consent, and the log of past connections."""
    opened = bench()
    network_switch("fetch")
    service = st.segmented_control("Service", _SERVICES, default=_SERVICES[0], required=True, key="fetch-service")
    query = st.text_input("Query or PMIDs", key="fetch-query", placeholder="metformin AND cardiovascular mortality, or 29768149, 31535829")
    limit = st.number_input("Papers at most", 1, 2_000, 200, key="fetch-limit")
    collection = st.text_input("Collection", key="fetch-collection", placeholder="none", max_chars=120)
    agreed = False
    if query.strip():
        agreed = st.checkbox(
            f"Send “{plain(query)}” and this computer's network address to {service}. Nothing else leaves this computer.",
            key="fetch-consent",
        )
    if st.button("Fetch", type="primary", disabled=not (agreed and opened.runtime.allow_network), key="fetch-go"):
        _start(str(service), query.strip(), int(limit), collection.strip() or None)
        st.rerun()
    failed = jobs.last_failure(lambda job: job.kind == "library.fetch")
    if failed:
        jobs.show_failure(failed)
    connections = opened.storage.connections.list()
    if connections:
        with st.expander("Every outside connection so far"):
            st.dataframe(
                [{"When": moment(c.created), "To": c.service, "Asked": c.request, "Came back": c.outcome} for c in connections],
                hide_index=True,
            )


def network_switch(key: str) -> None:
    """Whether Bioloom may open an outside connection; off at every start."""
    runtime, config = bench().runtime, bench().config
    name = f"network-{key}"
    st.session_state[name] = runtime.allow_network

    def flip() -> None:
        runtime.allow_network = bool(st.session_state[name])

    st.toggle(
        "Allow outside connections until Bioloom is closed",
        key=name,
        on_change=flip,
        disabled=config.offline_forced,
        help="Off at every start. BIOLOOM_OFFLINE=0 has it on from the start; BIOLOOM_OFFLINE=1 forbids it.",
    )
    if config.offline_forced:
        st.caption("BIOLOOM_OFFLINE=1 forbids any outside connection. Start Bioloom without it to allow one.")


def _start(service: str, query: str, limit: int, collection: str | None) -> None:
    from backend.literature.fetch import fetch_europepmc, fetch_pubmed

    opened, library, asker = bench(), shelf(), owner()
    fetch: Any = fetch_pubmed if service == "PubMed" else fetch_europepmc

    def work(progress: Progress) -> dict[str, Any]:
        path = fetch(query, allow_network=opened.runtime.allow_network, limit=limit, log=opened.storage.connections.add, progress=progress)
        try:
            report = library.import_file(path, f"{service}: {query}", collection, progress)
        finally:
            path.unlink(missing_ok=True)
        library.start_vectors(opened.jobs, asker)
        return {"added": report.added, "merged": report.merged, "skipped": len(report.skipped)}

    opened.jobs.submit(asker, "library.fetch", f"Fetching from {service}", work)
