"""Loads the readers before the first question, which would otherwise wait for them."""

from __future__ import annotations

from backend.literature.answering import EVIDENCE, VERDICT, readers_ready
from backend.tasks import Context


def warm_readers(context: Context) -> None:
    """Let both readers read one word, where both are on this machine.

    Raises
    ------
    ModelError
        When a reader cannot be loaded.
    """
    if not readers_ready(context):
        return
    with context.runtime.use(EVIDENCE) as reader:
        reader.weigh("warm?", ["warm"])
    with context.runtime.use(VERDICT) as judge:
        judge.verdict("warm?", ["warm"])
