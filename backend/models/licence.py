"""Consent to a licence that not everyone may use: asked before weights are fetched, never afterwards."""

from __future__ import annotations

from backend.domain import ModelCard
from backend.errors import InputError

CONSENT = "I will use it for non-commercial purposes only."


def require_consent(card: ModelCard, accepted: bool) -> None:
    """Refuse a model whose licence forbids commercial use until the person has said that theirs is none.

    Raises
    ------
    InputError
        With the licence by name, and what consent means.
    """
    if card.non_commercial and not accepted:
        raise InputError(
            f"{card.title} may not be used commercially. Its licence: {card.licence}.",
            f"If you agree to that ('{CONSENT}'), fetch it with --accept-licence.",
        )
