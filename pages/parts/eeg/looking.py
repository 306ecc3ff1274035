"""A recording looked at before it is taken in: what it holds, what is the matter, what the person agrees to."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from backend.errors import BioloomError, InputError
from backend.progress import Progress
from pages.parts import jobs
from pages.parts.bench import bench, owner
from pages.parts.eeg.choosing import KINDS, length
from pages.parts.errors import show_error
from pages.parts.markup import escape, html, plain, some, strip

if TYPE_CHECKING:
    from backend.eeg.diagnosis import Diagnosis
    from backend.eeg.formats import TableOptions
    from backend.eeg.importing import Looked
    from backend.eeg.recording import Inspection

LOOK = "eeg.look"
_PATIENCE = 1.5  # seconds that a quick look is waited for without showing a job
_HELD = 24  # looks that are remembered
_LEVELS = {"refused": "Cannot be read", "repair": "Repaired", "note": "Note"}


@dataclass(frozen=True)
class Offered:
    """One recording that may be taken in."""

    key: str
    name: str
    table: bool
    opened: Callable[[], AbstractContextManager[Path]]
    missing: str = ""

    @property
    def file(self) -> str:
        """The name of the file that is read first."""
        return self.name.split(" (")[0] if self.name.endswith(" files)") else self.name


@dataclass(frozen=True)
class Wanted:
    """One recording that will be: with what was agreed to."""

    offered: Offered
    name: str
    repairs: tuple[str, ...]
    annotations: bool
    options: TableOptions | None


def consider(offered: Offered, visit: str) -> Wanted | None:
    """Draw what is known of a recording; what it will be taken in as, or None while it cannot be."""
    st.markdown(f"**{plain(offered.name)}**")
    if offered.missing:
        show_error("This cannot be read alone.", offered.missing)
        return None
    key = f"{visit}-{_short(offered.key)}"
    options = _table_options(key) if offered.table else None
    looked = _look(offered, options)
    if looked is None:
        return None
    inspection = looked.inspection
    if inspection is None:
        for found in looked.diagnoses:
            show_error(found.sentence, found.repair)
        return None
    _facts(inspection)
    agreed = _diagnoses(looked.diagnoses, key)
    name = _name(offered, key)
    keep = True
    if inspection.marks:
        keep = st.checkbox(f"Take in its {some(len(inspection.marks), 'annotation')}", value=True, key=f"marks-{key}")
    lacking = [word for word in looked.repairs if word not in agreed]
    if lacking:
        st.caption("Agree to the repair, or export the recording again; nothing is repaired silently.")
        return None
    return Wanted(offered, name, tuple(agreed), keep, options)


def _table_options(key: str) -> TableOptions:
    from backend.eeg.formats import TableOptions

    left, right = st.columns(2)
    rate = left.number_input(
        "Samples a second",
        min_value=0.0,
        value=None,
        key=f"rate-{key}",
        placeholder="told by its time column",
        help="Needed where the table has no time column. Muse records 256 a second.",
    )
    unit = right.selectbox("Unit of its values", ["uV", "mV", "V"], key=f"unit-{key}")
    return TableOptions(rate or None, unit)


def _look(offered: Offered, options: TableOptions | None) -> Looked | None:
    """What is known of a recording; None while it is being looked at, or when it could not be."""
    key = f"{offered.key} {options}"
    held = _held()
    if key not in held:
        _look_in_background(offered, options, key)
    found = held.get(key)
    if isinstance(found, BioloomError):
        message = found.message.replace(offered.file, "The file")
        show_error(message, found.hint)
        if st.button("Look again", key=f"again-{_short(key)}"):
            held.pop(key, None)
            st.rerun()
        return None
    return found


def _look_in_background(offered: Offered, options: TableOptions | None, key: str) -> None:
    from backend.eeg.importing import look

    opened, held = bench(), _held()

    def work(progress: Progress) -> dict[str, Any]:
        try:
            with offered.opened() as path:
                found: Any = look(path, options, opened.config, progress)
        except BioloomError as error:
            found = error
        except Exception:
            held[key] = InputError("The file could not be read.", "Export it again, or try another format.")
            raise
        held[key] = found
        while len(held) > _HELD:
            held.popitem(last=False)
        return {}  # what was found is kept in memory only: a job's result stays in the database

    job = opened.jobs.submit(owner(), LOOK, "Looking at a recording", work, key=f"{LOOK}:{_short(key)}")
    opened.jobs.wait(job, _PATIENCE)
    if key not in held and not jobs.watch(lambda found: found.id == job, f"look-{_short(key)}"):
        st.rerun()


def _held() -> OrderedDict[str, Any]:
    found: OrderedDict[str, Any] = bench().context.resource("eeg.looked", OrderedDict)
    return found


def _short(key: str) -> str:
    from backend.domain import digest

    return digest(key)[:12]


def _facts(inspection: Inspection) -> None:
    kinds: dict[str, int] = {}
    for channel in inspection.channels:
        kinds[channel.kind] = kinds.get(channel.kind, 0) + 1
    items = [
        ("Format", inspection.format),
        ("Length", length(inspection.duration_s)),
        ("Channels", ", ".join(f"{count} {KINDS.get(kind, kind)}" for kind, count in kinds.items())),
        ("Rate", ", ".join(f"{rate:g}" for rate in inspection.rates) + " Hz"),
        ("Annotations", f"{len(inspection.marks):,}"),
    ]
    strip(items + ([("Gaps", str(len(inspection.gaps)))] if inspection.gaps else []))


def _diagnoses(found: Sequence[Diagnosis], key: str) -> list[str]:
    """Draw every diagnosis under its word; the words of the repairs that were agreed to."""
    agreed = []
    for one in found:
        if one.level == "repair":
            st.warning(f"**{plain(one.word)}.** {plain(one.sentence)}", icon=":material/build:")
            if st.checkbox(f"Agreed: {plain(one.repair)}", key=f"repair-{key}-{one.word}"):
                agreed.append(one.word)
    notes = [one for one in found if one.level == "note"]
    if notes:
        with st.expander(some(len(notes), "note") + " on what was found"):
            show_diagnoses([one.json() for one in notes])
    return agreed


def show_diagnoses(found: Sequence[Any]) -> None:
    """Diagnoses as kept with a recording: word, sentence, remedy."""
    rows = "".join(
        f"<dt>{escape(_LEVELS.get(str(one.get('level')), ''))}: {escape(one['word'])}</dt>"
        f"<dd>{escape(' '.join(filter(None, (one.get('sentence'), one.get('repair')))))}</dd>"
        for one in found
    )
    html(f"<dl>{rows}</dl>")


def _name(offered: Offered, key: str) -> str:
    from backend.eeg.identifiers import person_like
    from backend.eeg.importing import suggest_name

    name = st.text_input(
        "Call it",
        value=suggest_name(offered.file),
        key=f"name-{key}",
        max_chars=120,
        placeholder="numbered within the visit",
        help="The file's own name is taken over only where nothing in it can name a person.",
        live=True,
    )
    if name and (warned := person_like(name)):
        st.warning(warned, icon=":material/visibility:")
    return str(name or "").strip()
