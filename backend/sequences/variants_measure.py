"""How well variant scores rank measured effects: a table of mutants against every model asked, predictions it carries, and BLOSUM62."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import Json
from backend.errors import InputError
from backend.metrics import bootstrap_spearman
from backend.models.families import blosum
from backend.models.masked import AMINO
from backend.models.registry import cards, get_card
from backend.sequences.formats import read_sequences
from backend.sequences.scan import scan
from backend.tasks import Context

_NAMES = ("mutant", "mutants", "variant", "variants", "mutation", "mutations")
_SCORES = ("score", "dms_score", "fitness", "effect", "measured", "log_fitness", "activity", "ddg")
_MODELS = re.compile(r"esm|predict|blosum|gemme|eve_|tranception|msa|unirep|llr|log_?odds|model", re.IGNORECASE)
_SINGLE = re.compile(r"([A-Z*])(\d+)([A-Z*])$")
_UNCHANGED = {"", "wt", "_wt", "wildtype", "wild-type", "="}
_MOST_SHOWN = 3
_LEAST_MATCHING = 0.95  # of the wild-type letters; chance matches one in about 15

Change = tuple[str, int, str]


@dataclass(frozen=True)
class Table:
    """Measured variants: changes of each row, the score, predictions that the file carries, and what is to be told of it."""

    changes: list[list[Change]]
    score: NDArray[np.float64]
    column: str
    predictions: dict[str, NDArray[np.float64]]
    notes: list[str]


def measure(context: Context, files: Sequence[Path], options: Mapping[str, Any]) -> dict[str, Json]:
    """Spearman's rank correlation with the measured score, for BLOSUM62, every model asked and every prediction in the file.

    Parameters
    ----------
    files : sequence of Path
        One CSV or TSV with a column ``mutant`` or ``variant`` (A42G; several joined by ``,`` ``:`` or ``;``) and a score, higher is better.
    options : mapping
        ``wildtype``: FASTA of the unchanged protein. ``models``: names of cards; those on this machine unless given. ``score``: the
        column to take.

    Raises
    ------
    InputError
        When a column or the wild type is missing, or no numbering fits.
    """
    if len(files) != 1:
        raise InputError(f"{len(files)} files were given.", "Give one table of variants (CSV or TSV).")
    if not options.get("wildtype"):
        raise InputError("The unchanged protein was not given.", "Give its FASTA file: --wildtype FILE.")
    wild = _wild_type(Path(options["wildtype"]))
    table = read_table(files[0], str(options.get("score") or ""))
    offset, differing = find_offset(table.changes, wild)
    named = ", ".join(f"{own}{place} (the FASTA has {wild[place - offset]})" for place, own in differing)
    for place, own in differing:
        wild = wild[: place - offset] + own + wild[place - offset + 1 :]
    sites = [[(place - offset, AMINO.index(other)) for _, place, other in row] for row in table.changes]
    asked = list(options.get("models") or _present(context))
    maps: dict[str, NDArray[np.float64]] = {}
    for name in dict.fromkeys([blosum.NAME, *asked]):
        if "protein.variants" not in get_card(name, context.config).tasks:
            raise InputError(f"{name} scores no protein variants.", "See: bioloom models list.")
        with context.runtime.use(name) as model:
            plain = name == blosum.NAME
            maps[name] = model.rows(wild).astype(float) if plain else scan(model, wild, "masked", context.progress).scores
    systems: dict[str, Json] = {}
    notes = [
        *table.notes,
        f"Numbering: residue 1 of the FASTA is {offset} in the table.",
        f"The table's wild type differs from the FASTA and was taken: {named}." if differing else "All wild-type letters match.",
        "Sign: higher is better in the table and in every score.",
    ]
    if any(len(row) > 1 for row in sites):
        notes.append("Scores of joined mutants are the sums of their single ones.")
    made = {name: np.array([sum(values[i, j] for i, j in row) for row in sites]) for name, values in maps.items()}
    for name, values in (made | table.predictions).items():
        held = np.isfinite(values)
        if held.sum() < 3 or np.ptp(values[held]) == 0:
            notes.append(f"{name} gives nothing to rank.")
            continue
        systems[name] = {"spearman": bootstrap_spearman(values[held], table.score[held]).json() | {"n": int(held.sum())}}
        if not held.all():
            notes.append(f"{name} has a value for {int(held.sum()):,} of {len(values):,} variants; its figure is over those.")
    return {"task": "protein.variants", "n": len(table.score), "score": table.column, "offset": offset, "systems": systems, "notes": notes}


def read_table(file: Path, column: str = "") -> Table:
    """The measured variants of a CSV or TSV; rows that cannot be used are counted and named in the notes."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file.name} cannot be read as text.", "Save it as CSV or TSV in UTF-8.") from error
    head = text.split("\n", 1)[0]
    reader = csv.DictReader(
        io.StringIO(text), delimiter="\t" if head.count("\t") > head.count(",") else ";" if head.count(";") > head.count(",") else ","
    )
    names = [name for name in reader.fieldnames or [] if name]
    mutant = next((name for wanted in _NAMES for name in names if name.strip().lower() == wanted), None)
    if mutant is None:
        raise InputError(f"{file.name} has no column 'mutant' or 'variant'.", f"Its columns are: {', '.join(names[:20]) or 'none'}.")
    rows = list(reader)
    numbers = {name: np.array([_number(row.get(name)) for row in rows]) for name in names if name != mutant}
    numbers = {name: values for name, values in numbers.items() if np.isfinite(values).any()}
    chosen = _score_column(file, numbers, column)
    changes, kept, bad, unmeasured = [], [], [], 0
    for at, row in enumerate(rows):
        found = _changes(str(row.get(mutant) or ""))
        if found is None:
            bad.append(f"line {at + 2}: '{str(row.get(mutant))[:40]}'")
        elif not np.isfinite(numbers[chosen][at]):
            unmeasured += 1
        else:
            changes.append(found)
            kept.append(at)
    if len(kept) < 3:
        raise InputError(f"{file.name} has {len(kept)} usable variants.", "Write mutants as A42G, several joined by ',' or ':'.")
    notes = [f"Score: column '{chosen}'."]
    if bad:
        notes.append(
            f"{len(bad):,} of {len(rows):,} rows are no substitutions among the twenty amino acids (or the wild type) and were left out: "
            + "; ".join(bad[:_MOST_SHOWN])
            + (" ..." if len(bad) > _MOST_SHOWN else "")
        )
    if unmeasured:
        notes.append(f"{unmeasured:,} rows have no score and were left out.")
    carried = {name: values[kept] for name, values in numbers.items() if name != chosen and _MODELS.search(name)}
    return Table(changes, numbers[chosen][kept], chosen, _with_means(carried), notes)


def find_offset(changes: Sequence[Sequence[Change]], wild: str) -> tuple[int, list[tuple[int, str]]]:
    """Which numbering the table counts by, found by matching its wild-type letters with the wild type.

    Returns
    -------
    offset : int
        What is to be taken from a variant's number to get the letter (from 0) of the wild type.
    differing : list of (int, str)
        Numbers at which the table names another wild type than the FASTA, with the table's letter; at most one in 20.

    Raises
    ------
    InputError
        When no shift fits, or more than one does.
    """
    held = sorted({(place, own) for row in changes for own, place, _ in row})
    places, letters = np.array([place for place, _ in held]), np.array([own for _, own in held])
    if len(twice := places[:-1][np.diff(places) == 0]):
        raise InputError(f"The variants name two different wild types at residue {twice[0]}.", "Check the rows of that residue.")
    sequence = np.array(list(wild))
    shifts = range(int(places.max()) - len(wild) + 1, int(places.min()) + 1)
    matches = sorted(((int((sequence[places - shift] == letters).sum()), shift) for shift in shifts), reverse=True)
    if not matches:
        raise InputError(
            f"The variants reach from residue {places.min()} to {places.max()}; the wild type has {len(wild)} residues.",
            "Give the FASTA of the protein that was changed.",
        )
    most, best = matches[0]
    wrong = [(int(p), str(o)) for p, o in zip(places, letters, strict=True) if sequence[p - best] != o]
    if most < _LEAST_MATCHING * len(held):
        named = ", ".join(f"{own}{place} (the FASTA has {wild[place - best]})" for place, own in wrong[:_MOST_SHOWN])
        raise InputError(
            f"No numbering fits: at best {most:,} of {len(held):,} wild-type letters match; {named} do not.",
            "Give the FASTA of the very protein that was changed.",
        )
    if len(matches) > 1 and matches[1][0] >= _LEAST_MATCHING * len(held):
        raise InputError(
            "More than one numbering fits the wild type, so positions are not certain.", "Give more variants, or check the FASTA."
        )
    return best, wrong


def _score_column(file: Path, numbers: Mapping[str, NDArray[np.float64]], column: str) -> str:
    if column:
        if column not in numbers:
            raise InputError(f"{file.name} has no numeric column '{column}'.", f"Numeric columns: {', '.join(numbers) or 'none'}.")
        return column
    for wanted in _SCORES:
        if found := next((name for name in numbers if name.strip().lower() == wanted), None):
            return found
    others = [name for name in numbers if not _MODELS.search(name)]
    if len(others) == 1:
        return others[0]
    if doses := [name for name in others if re.fullmatch(r"\d+(\.\d+)?", name)]:
        return max(doses, key=float)  # the strongest selection, as Meier et al. 2021 take it for beta-lactamase
    raise InputError(
        f"{file.name} does not say which column is the measured score.",
        f"Name it 'score', or choose one: {', '.join(others[:20]) or 'none'}.",
    )


def _with_means(carried: dict[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """Predictions of numbered members of one ensemble are joined by their mean."""
    groups: dict[str, list[str]] = {}
    for name in carried:
        if found := re.fullmatch(r"(.+)_\d+", name):
            groups.setdefault(found[1], []).append(name)
    means = {
        f"{stem} (mean of {len(names)})": np.mean([carried[n] for n in names], axis=0) for stem, names in groups.items() if len(names) > 1
    }
    return means | carried


def _changes(text: str) -> list[Change] | None:
    if text.strip().lower() in _UNCHANGED:
        return None
    found = []
    for part in re.split(r"[,:;]", text.strip()):
        single = _SINGLE.match(part.strip().removeprefix("p."))
        if single is None or single[1] not in AMINO or single[3] not in AMINO:
            return None
        found.append((single[1], int(single[2]), single[3]))
    return found


def _number(cell: object) -> float:
    try:
        return float(str(cell))
    except ValueError:
        return float("nan")


def _wild_type(file: Path) -> str:
    found = read_sequences(file, file.name, {"": "protein"})
    ids = list(found.usable(("protein",)))
    if len(ids) != 1:
        raise InputError(f"{file.name} holds {len(ids)} proteins.", "Give a FASTA with the one protein that was changed.")
    return found.record(ids[0]).sequence


def _present(context: Context) -> list[str]:
    held = [card for card in cards(context.config).values() if "protein.variants" in card.tasks and context.runtime.present(card.name)]
    return [card.name for card in held if context.runtime.fits(card).ok and card.family != "antiberty"]
