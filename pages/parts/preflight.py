"""What was read of a file of sequences: how many records of which kind, what was altered and where, what is refused and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.parts.markup import escape, html, plain, selection_key, some, strip

if TYPE_CHECKING:
    import numpy as np

    from backend.sequences.records import Entry, Preflight

_PAGE = 20
_MOST_ASKED = 12  # records asked about one by one; more are asked about together
_NAMES = {"protein": "protein", "dna": "DNA", "rna": "RNA", "ambiguous": "protein, DNA or RNA?"}
_FORMATS = {
    "fasta": "FASTA",
    "fastq": "FASTQ",
    "genbank": "GenBank",
    "embl": "EMBL",
    "swissprot": "Swiss-Prot",
    "plain": "letters without a header",
    "pdb": "PDB structure",
    "mmcif": "mmCIF structure",
}
_FILTERS = {
    "all": "All",
    "altered": "Altered",
    "refused": "Refused",
    "ambiguous": "Kind to be told",
    "protein": "Proteins",
    "dna": "DNA",
    "rna": "RNA",
}
_ORDERS = ("As in the file", "Longest first", "Shortest first", "By name")
_COLUMNS = {
    "": st.column_config.TextColumn(width=110),
    "Record": st.column_config.TextColumn(width=180),
    "Kind": st.column_config.TextColumn(width=80),
    "Letters": st.column_config.NumberColumn(format="localized", width=80),
    "What had to be changed, or why it is refused": st.column_config.TextColumn(width=420),
    "Line": st.column_config.NumberColumn(format="localized", width=60),
}


def show_preflight(preflight: Preflight, key: str) -> None:
    """Summary, notes and the table of records, a page of them at a time."""
    summary = preflight.summary()
    kinds = ", ".join(f"{count:,} {_NAMES[kind]}" for kind, count in summary.kinds.items())
    strip(
        [
            ("File", preflight.name),
            ("Format", _FORMATS.get(preflight.format, preflight.format)),
            ("Records", f"{summary.records:,}"),
            ("Usable", f"{summary.usable:,}" + (f" ({kinds}; {some(summary.letters, 'letter')})" if kinds else "")),
            ("Altered", f"{summary.altered:,}"),
            ("Refused", f"{summary.refused:,}"),
            ("Kind to be told", f"{summary.ambiguous:,}"),
        ]
    )
    if preflight.notes:
        html("".join(f"<li>{escape(note)}</li>" for note in preflight.notes), "ul", "bl bl-soft")
    if len(preflight) == 1:
        _one(preflight.entries(0, 1)[0])
        return
    with st.expander("Records", expanded=bool(summary.refused or summary.ambiguous or len(preflight) <= _PAGE)):
        _table(preflight, key)


def choose_kinds(preflight: Preflight, key: str) -> dict[str, str]:
    """Ask about records whose letters do not tell their kind; what was said, by id, or under the empty id for all of them."""
    numbers = preflight.numbers("ambiguous")
    if not len(numbers):
        return {}
    said: dict[str, str] = {}
    with st.container(border=True):
        if len(numbers) == 1 or len(numbers) > _MOST_ASKED:
            first = _at(preflight, int(numbers[0]))
            words = f"What is {plain(first.id)}?" if len(numbers) == 1 else f"What are these {len(numbers):,} records?"
            choices = sorted({choice for number in numbers[:200] for choice in _at(preflight, int(number)).choices})
            if answer := _ask(words, first.why if len(numbers) == 1 else f"{first.id}: {first.why}", choices, f"{key}-all"):
                said[first.id if len(numbers) == 1 else ""] = answer
            return said
        st.markdown(f"**The letters of {some(len(numbers), 'record')} do not tell their kind**")
        for number in numbers.tolist():
            entry = _at(preflight, number)
            if answer := _ask(plain(entry.id), entry.why, list(entry.choices), f"{key}-{number}"):
                said[entry.id] = answer
    return said


def _ask(words: str, why: str, choices: list[str], key: str) -> str | None:
    answer = st.segmented_control(f"**{words}** {plain(why)}", choices, format_func=lambda kind: _NAMES[kind], key=key)
    return str(answer) if answer else None


def _table(preflight: Preflight, key: str) -> None:
    counts = {which: len(preflight.numbers(which)) for which in _FILTERS}
    left, middle, right = st.columns([5, 3, 2], vertical_alignment="bottom")
    with left:
        offered = [which for which in _FILTERS if counts[which] or which == "all"]
        which = st.segmented_control(
            "Show",
            offered,
            default="all",
            format_func=lambda name: f"{_FILTERS[name]} {counts[name]:,}",
            key=f"{key}-filter",
            required=True,
        )
    text = middle.text_input("Name contains", key=f"{key}-name")
    order = right.selectbox("Order", _ORDERS, key=f"{key}-order")
    numbers = _ordered(preflight, preflight.numbers(which or "all"), text.strip().casefold(), order)
    pages = max(1, -(-len(numbers) // _PAGE))
    at = min(int(st.session_state.get(f"{key}-page", 1)), pages)
    entries = [_at(preflight, number) for number in numbers[(at - 1) * _PAGE : at * _PAGE].tolist()]
    if not entries:
        st.caption("No record is called so." if text else "No such record.")
        return
    chosen: Any = st.dataframe(
        [_row(entry) for entry in entries],
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key=selection_key(f"{key}-rows", (entry.id for entry in entries)),
        column_config=_COLUMNS,
    )
    if pages > 1:
        st.pagination(pages, key=f"{key}-page")
    st.caption(f"{some(len(numbers), 'record')}. Choose one to read everything that was done to it.")
    for row in chosen.selection.rows[:1]:
        if row < len(entries):
            _one(entries[row])


def _ordered(preflight: Preflight, numbers: np.ndarray, text: str, order: str) -> np.ndarray:
    ids = preflight.ids()
    if text:
        numbers = numbers[[text in ids[number].casefold() for number in numbers.tolist()]]
    if order == "By name":
        return numbers[sorted(range(len(numbers)), key=lambda at: ids[numbers[at]].casefold())]
    if order == "As in the file":
        return numbers
    lengths = preflight.lengths()[numbers]
    return numbers[(-lengths if order == "Longest first" else lengths).argsort(kind="stable")]


def _row(entry: Entry) -> dict[str, Any]:
    told = entry.refused or (entry.why if entry.kind == "ambiguous" else " ".join(item.text for item in entry.alterations))
    return {
        "": _state(entry),
        "Record": entry.id,
        "Kind": "" if entry.refused else _NAMES[entry.kind].replace("protein, DNA or RNA?", "?"),
        "Letters": entry.length,
        "What had to be changed, or why it is refused": told,
        "Line": entry.line or None,
    }


def _state(entry: Entry) -> str:
    if entry.refused:
        return "✕ refused"
    if entry.kind == "ambiguous":
        return "? tell kind"
    return "△ altered" if entry.altered else "○ told" if entry.alterations else "✓ as given"


def _one(entry: Entry) -> None:
    """Everything about one record."""
    rows = [("Record", f"{entry.id} {entry.description}".strip() + (f", line {entry.line:,}" if entry.line else ""))]
    if entry.refused:
        rows.append(("✕ Refused", entry.refused))
    else:
        rows.append(("Kind", f"{_NAMES[entry.kind]}. {entry.why}"))
        rows.append(("Length", some(entry.length, "letter")))
    rows += [("△ Altered" if item.altering else "○ Told", item.text) for item in entry.alterations]
    if not entry.refused and not entry.alterations:
        rows.append(("✓ Letters", "as given, none altered"))
    html("<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows) + "</dl>")


def _at(preflight: Preflight, number: int) -> Entry:
    return preflight.entries(number, number + 1)[0]
