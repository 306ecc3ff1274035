"""Weights from the public hub: the card's files at its pinned revision, nothing else, and no code."""

from __future__ import annotations

from pathlib import Path

from backend.domain import ModelCard
from backend.errors import NetworkError
from backend.progress import Progress


def download(card: ModelCard, folder: Path, progress: Progress) -> None:
    """Download the card's files into `folder`; huggingface_hub resumes within a file.

    Raises
    ------
    NetworkError
        When a file could not be fetched.
    Cancelled
        When the person stopped it (looked at between files).
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.utils import disable_progress_bars

    disable_progress_bars()
    for number, name in enumerate(card.files):
        progress.check()
        progress.update(number, len(card.files), f"Fetching {name}")
        try:
            hf_hub_download(card.hub_id, name, revision=card.revision, local_dir=folder)
        except Exception as error:
            message = f"{name} of {card.title} could not be fetched: {type(error).__name__}."
            raise NetworkError(message, "Check the connection, then fetch again.") from error
