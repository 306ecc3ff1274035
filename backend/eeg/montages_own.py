"""Montages that a person wrote: rows such as 'C3-A2', 'C3-avg' and 'Cz-(A1+A2)/2', kept for every recording."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from backend.eeg.channels import OLD_NAMES
from backend.eeg.montage import COMMON_REFERENCES, NAMES, Montage, make_montage
from backend.eeg.recording import Channel
from backend.errors import InputError
from backend.storage import Storage

KEY = "eeg_montages"
MOST_ROWS, MOST_MONTAGES = 256, 50
AVERAGE = "avg"
_TOKEN = re.compile(r'\s*(?:"([^"]+)"|([-+()/])|([^\s"()+\-/]+))')
_HOW = 'Write rows such as C3-A2, C3-avg or Cz-(A1+A2)/2; put a name that holds a hyphen in quotes: "Fp1-F7".'


def parse_row(row: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a row takes, and from what: names of the mean on the left, names of the mean on the right (empty: nothing is taken off).

    Raises
    ------
    InputError
        When it cannot be read; the message names the row.
    """
    tokens: list[tuple[str, bool]] = []  # text, and whether it is a name
    at = 0
    while row[at:].strip():
        found = _TOKEN.match(row, at)
        if found is None:
            raise InputError(f"The row '{row.strip()}' cannot be read.", _HOW)
        quoted, sign, word = found.groups()
        tokens.append((quoted or sign or word, sign is None))
        at = found.end()
    left, rest = _term(tokens, row)
    right: tuple[str, ...] = ()
    if rest:
        if rest[0] != ("-", False):
            raise InputError(f"The row '{row.strip()}' lacks a minus between its two sides.", _HOW)
        right, rest = _term(rest[1:], row)
    if rest or left == (AVERAGE,):
        raise InputError(f"The row '{row.strip()}' cannot be read.", _HOW)
    if left == right:
        raise InputError(f"The row '{row.strip()}' takes a channel from itself.", _HOW)
    return left, right


def own_montages(storage: Storage) -> dict[str, tuple[str, ...]]:
    """The rows of every montage that was kept, by name."""
    kept = storage.settings.get(KEY).get("montages", {})
    return {str(name): tuple(map(str, rows)) for name, rows in kept.items()}


def save_montage(storage: Storage, name: str, rows: Sequence[str]) -> None:
    """Keep a montage under its name; one of that name is replaced.

    Raises
    ------
    InputError
        When the name is empty, too long or a built-in one, or a row cannot be read.
    """
    name = " ".join(name.split())
    if not name or len(name) > 60:
        raise InputError("A montage needs a name of at most 60 characters.", "Name it.")
    if name.casefold() in {text.casefold() for pair in NAMES.items() for text in pair}:
        raise InputError(f"'{name}' is a montage that comes with Bioloom.", "Take another name.")
    written = [" ".join(row.split()) for row in rows if row.strip()]
    if not 0 < len(written) <= MOST_ROWS:
        raise InputError(f"A montage has 1 to {MOST_ROWS} rows; this one has {len(written)}.", _HOW)
    for row in written:
        parse_row(row)
    kept = own_montages(storage)
    if name not in kept and len(kept) >= MOST_MONTAGES:
        raise InputError(f"{MOST_MONTAGES} montages are kept already.", "Delete one that is no longer used.")
    storage.settings.set(KEY, {"montages": {**{key: list(value) for key, value in kept.items()}, name: written}})


def delete_montage(storage: Storage, name: str) -> None:
    """Forget a montage."""
    kept = own_montages(storage)
    kept.pop(name, None)
    storage.settings.set(KEY, {"montages": {key: list(value) for key, value in kept.items()}})


def find_montage(storage: Storage, name: str, channels: Sequence[Channel], bad: Sequence[str] = ()) -> Montage:
    """A montage by its name, built in or kept.

    Raises
    ------
    InputError
        When there is none of that name, or the channels do not allow it.
    """
    own = own_montages(storage)
    if name in NAMES or name not in own:
        return make_montage(name, channels, bad)
    return own_montage(own[name], channels, bad)


def own_montage(rows: Sequence[str], channels: Sequence[Channel], bad: Sequence[str] = ()) -> Montage:
    """The montage of written rows. A row whose channels are not there is left out, and what it lacks is named in `missing`.

    Parameters
    ----------
    bad : sequence of str
        Channels that take no part in 'avg'.

    Raises
    ------
    InputError
        When no row can be made, or one would mix sampling rates or references.
    """
    names = tuple(channel.name for channel in channels)
    labels: list[str] = []
    made: list[np.ndarray] = []
    missing: list[str] = []
    for row in rows:
        left, right = ((row,), ()) if row in names else parse_row(row)  # a lead that was recorded as 'Fp1-F7' is that lead
        places = {name: _index(name, channels) for name in (*left, *right) if name != AVERAGE}
        if lost := [name for name, place in places.items() if place is None]:
            missing += lost
            continue
        found = {name: place for name, place in places.items() if place is not None}
        good = _averaged(channels, channels[found[left[0]]], bad) if right == (AVERAGE,) else [found[name] for name in right]
        _check(row, [channels[place] for place in {*found.values(), *good}], bool(right))
        weights = np.zeros(len(names), np.float32)
        for name in left:
            weights[found[name]] += 1 / len(left)
        for place in good:
            weights[place] -= 1 / len(good)
        made.append(weights)
        labels.append(row.replace('"', ""))
    if not made:
        lacking = ", ".join(dict.fromkeys(missing))
        raise InputError(f"No row of this montage fits the recording; it lacks {lacking}.", f"Channels are: {', '.join(names)}.")
    return Montage(tuple(labels), names, np.stack(made), tuple(dict.fromkeys(missing)))


def _term(tokens: list[tuple[str, bool]], row: str) -> tuple[tuple[str, ...], list[tuple[str, bool]]]:
    """One side of a row, and the tokens after it."""
    if tokens and tokens[0][1]:
        name = tokens[0][0]
        return (AVERAGE,) if name.casefold() == AVERAGE else (name,), tokens[1:]
    if not tokens or tokens[0] != ("(", False) or (")", False) not in tokens:
        raise InputError(f"The row '{row.strip()}' cannot be read.", _HOW)
    end = tokens.index((")", False))
    inside, rest = tokens[1:end], tokens[end + 1 :]
    names = [text for text, is_name in inside[::2] if is_name]
    joined = len(inside) % 2 == 1 and len(names) == len(inside[::2]) and all(token == ("+", False) for token in inside[1::2])
    if not joined or AVERAGE in [name.casefold() for name in names] or len(rest) < 2 or rest[0] != ("/", False):
        raise InputError(f"The row '{row.strip()}' cannot be read.", _HOW)
    if rest[1][0] != str(len(names)):
        raise InputError(f"In the row '{row.strip()}' a sum of {len(names)} channels is divided by {rest[1][0]}.", "Write a mean.")
    return tuple(names), rest[2:]


def _index(name: str, channels: Sequence[Channel]) -> int | None:
    """The place of a channel called so, in any case, or at that electrode under its old or new name."""
    wanted = name.casefold()
    spelt = [channel.name.casefold() for channel in channels]
    if wanted in spelt:
        return spelt.index(wanted)
    today = {old.casefold(): new.casefold() for old, new in OLD_NAMES.items()}
    electrodes = [today.get(channel.electrode.casefold(), channel.electrode.casefold()) for channel in channels]
    place = today.get(wanted, wanted)
    return electrodes.index(place) if place in electrodes else None


def _averaged(channels: Sequence[Channel], like: Channel, bad: Sequence[str]) -> list[int]:
    """The good EEG channels that were recorded as `like` was."""
    good = [
        place
        for place, one in enumerate(channels)
        if one.kind == "eeg" and one.rate == like.rate and one.reference in (like.reference, *COMMON_REFERENCES) and one.name not in bad
    ]
    if len(good) < 2:
        raise InputError("An average needs two good channels at least.", "Mark fewer channels as bad, or take another montage.")
    return good


def _check(row: str, channels: Sequence[Channel], difference: bool) -> None:
    rates: Mapping[float, str] = {channel.rate: channel.name for channel in channels}
    if len(rates) > 1:
        told = " and ".join(f"{name} at {rate:g} Hz" for rate, name in rates.items())
        raise InputError(f"The row '{row}' mixes sampling rates: {told}.", "Take channels of one rate.")
    against = {"" if channel.reference in COMMON_REFERENCES else channel.reference: channel for channel in channels}
    if difference and len(against) > 1:
        told = " and ".join(f"{channel.name} against {channel.reference or 'the common reference'}" for channel in against.values())
        raise InputError(f"The row '{row}' mixes references: {told}.", "Take channels that share a reference.")
