"""Licences: what they allow as far as it is known, and consent to one that not everyone may use, asked before weights are taken."""

from __future__ import annotations

from backend.domain import ModelCard
from backend.errors import InputError

CONSENT = "I will use it for non-commercial purposes only."


def licence_known(card: ModelCard) -> bool:
    """Whether the licence of the weights is stated; that of the code alone does not count."""
    return not card.licence.lower().startswith(("not stated", "none stated"))


def commercial_use(card: ModelCard) -> bool:
    """Whether the licence is known and does not forbid commercial use."""
    return licence_known(card) and not card.non_commercial


def require_consent(card: ModelCard, accepted: bool, title: str = "", act: str = "fetch") -> None:
    """Refuse a model whose licence forbids commercial use until the person has said that theirs is none.

    Parameters
    ----------
    title : str
        What the model is called, where it is not the card's own: a folder of the card's family.
    act : str
        What is about to be done with it: "fetch" or "add".

    Raises
    ------
    InputError
        With the licence by name, and what consent means.
    """
    if card.non_commercial and not accepted:
        raise InputError(
            f"{title or card.title} may not be used commercially. Its licence: {card.licence}.",
            f"If you agree to that ('{CONSENT}'), {act} it with --accept-licence.",
        )
