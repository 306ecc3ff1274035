"""What was received for cards whose published hashes are not known here: noted at the first fetch, compared ever after.

A card may name a branch of the hub (``main``) and files without a hash. The hub's first answer then says which commit it gave; that
commit and the SHA-256 of every file are kept in the data folder, and from then on the card speaks of these bytes and no others.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from backend.config import Config
from backend.domain import ModelCard
from backend.errors import StorageError

_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Note:
    """What came at the first fetch: commit of the hub's repository, hash of every file, bytes of all of them, and when."""

    hub_id: str
    revision: str
    files: Mapping[str, str]
    bytes: int
    date: str


def open_ended(card: ModelCard) -> bool:
    """Whether a card of the hub leaves open which bytes it means."""
    return card.source == "hub" and (bool(card.unpinned) or not _COMMIT.fullmatch(card.revision))


def settled(config: Config, card: ModelCard) -> ModelCard:
    """The card with the commit and hashes that were noted when it was first fetched; as it is where nothing was noted.

    A note is about one repository and one set of files, and must agree with every hash that the card does know; another is not used.
    """
    if not open_ended(card) or (note := _note(config, card)) is None:
        return card
    return replace(card, revision=note.revision, files=dict(note.files), download_bytes=note.bytes, disk_bytes=note.bytes)


def read_note(config: Config, card: ModelCard) -> Note | None:
    """The note of a card's first fetch; None where it was never fetched or the note is not of this card.

    Raises
    ------
    StorageError
        When the note is there and cannot be read.
    """
    file = _file(config, card)
    try:
        note = Note(**json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise StorageError(
            f"What was noted when {card.title} was first fetched, {file}, cannot be read.", "Remove that file and fetch the model again."
        ) from error
    same = note.hub_id == card.hub_id and list(note.files) == list(card.files)
    agrees = all(known in ("", note.files.get(name)) for name, known in card.files.items())
    pinned = not _COMMIT.fullmatch(card.revision) or card.revision == note.revision
    return note if same and agrees and pinned else None


def take_note(config: Config, card: ModelCard, revision: str, files: Mapping[str, str], size: int) -> ModelCard:
    """Note what was received for a card; gives the card as it stands from now on."""
    note = {
        "hub_id": card.hub_id,
        "revision": revision,
        "files": {name: files[name] for name in card.files},
        "bytes": size,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    file = _file(config, card)
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".tmp")
    draft.write_text(json.dumps(note, indent=1), encoding="utf-8")
    os.replace(draft, file)
    return settled(config, card)


def forget(config: Config, name: str) -> None:
    """Drop the note of a model, so that the next fetch takes what the hub gives then."""
    (config.models / ".received" / f"{name}.json").unlink(missing_ok=True)


def hashes_in_words(config: Config, card: ModelCard) -> str:
    """Where the hashes come from that a card's files are compared with, in words."""
    if card.template or not card.files:
        return "No files of its own."
    if card.source == "local":
        return "Noted when the folder was added."
    if open_ended(card):
        return "Hash not known before the first fetch; noted then, and compared ever after."
    if card.source == "hub" and (note := _note(config, card)) is not None:
        return f"Noted at the first fetch on {note.date[:10]} (revision {note.revision[:12]}), and compared ever after."
    return "Published, and known to Bioloom."


def _note(config: Config, card: ModelCard) -> Note | None:
    """The note where it can be read: a damaged one is told at the next fetch and must not stop a list of models."""
    try:
        return read_note(config, card)
    except StorageError:
        return None


def _file(config: Config, card: ModelCard) -> Path:
    return config.models / ".received" / f"{card.name}.json"
