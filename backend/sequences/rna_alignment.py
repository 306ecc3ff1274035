"""An aligned set of RNAs as rows of equal length, put together again from records whose gaps were taken out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from backend.sequences.records import SequenceRecord

GAP = "-"


def width(record: SequenceRecord) -> int:
    """Columns that a record took up in its file: its last letter's place, or that of the last gap behind it."""
    gaps = [span[1] for told in record.entry.alterations if told.what == "gap" for span in told.spans]
    return max([record.place(len(record.sequence) - 1), *gaps])


def aligned(records: Sequence[SequenceRecord]) -> bool:
    """Whether records are an alignment: two or more, all of the same number of columns."""
    return len(records) > 1 and len({width(record) for record in records}) == 1


def rows_at(query: SequenceRecord, records: Sequence[SequenceRecord]) -> list[str]:
    """Rows of the alignment at the columns where `query` has a letter, the query's own first, as RNA with ``-`` for gaps."""
    columns = np.array(query.all_places()) - 1
    made = []
    for record in [query, *(each for each in records if each is not query)]:
        row = np.full(max(width(query), width(record)), GAP)
        row[np.array(record.all_places()) - 1] = list(record.sequence.replace("T", "U"))
        made.append("".join(row[columns]))
    return made


def spread(rows: Sequence[str], most: int) -> list[str]:
    """At most `most` rows: the first, then always the one that differs most from those taken; in the order in which they came."""
    if len(rows) <= most:
        return list(rows)
    letters = np.array([list(row.encode("ascii", "replace")) for row in rows], dtype=np.uint8)
    taken, distance = [0], _differ(letters, 0)
    while len(taken) < most:
        taken.append(int(distance.argmax()))
        distance = np.minimum(distance, _differ(letters, taken[-1]))
        distance[taken] = -1
    return [rows[at] for at in sorted(taken)]


def _differ(letters: NDArray[np.uint8], at: int) -> NDArray[np.int64]:
    return np.asarray((letters != letters[at]).sum(1), dtype=np.int64)
