"""ESM-2, ESM-1b and ESM-1v: masked protein networks that say, for every place, which residues evolution would accept there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.domain import ModelCard
from backend.errors import ModelError
from backend.models.contact_head import ContactHead, contact_maps
from backend.models.esm_cards import BASELINE as BASELINE
from backend.models.esm_cards import CARDS, CONTACTS, LIMITS, TASKS
from backend.models.esm_weights import build, contact_head, read_config, read_vocabulary
from backend.models.families.minilm import set_threads
from backend.models.masked import AMINO, Network
from backend.models.packed import Tokens
from backend.models.protein import MaskedModel
from backend.models.registry import Found, family, published_files
from backend.models.stored import modern, read_weights, shapes

WINDOW = 1022  # residues; 1,024 tokens with the first and the last, as all of them were trained
_UBIQUITIN = "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG"
_GUESSING = 20.0  # perplexity of one who knows nothing: all amino acids alike


class EsmModel(MaskedModel):
    """An ESM language model: an unknown letter is read as X, for which the vocabulary has a sign of its own."""

    stand_in = "the model's sign for an unknown residue, X"
    sample = 0

    def __init__(self, network: Network, vocabulary: Mapping[str, int], window: int = WINDOW, head: ContactHead | None = None) -> None:
        known = {letter: at for letter, at in vocabulary.items() if len(letter) == 1 and letter.isalpha()}
        super().__init__(network, known, other=known["X"], mask=vocabulary["<mask>"], window=window)
        self._head = head

    def doubts(self, sequence: str, own: NDArray[np.float64]) -> list[str]:
        return []

    def contacts(self, rows: Tokens) -> NDArray[np.float32]:
        """Probability of contact (CB within 8 Å) of every two letters, (m, n, n), of m rows of one length n, at most `window`.

        Raises
        ------
        ModelError
            When the checkpoint has no regression for them.
        """
        if self._head is None:
            raise ModelError("This checkpoint has no contact head.", "Choose ESM-2 or ESM-1b with the weights of its contact head.")
        return contact_maps(self._network, self._head, rows)


def examine(folder: Path) -> Found:
    """What a folder with a checkpoint of ESM can serve; nothing of it is run.

    Raises
    ------
    ModelError
        When it is no language model of ESM with vocabulary and head.
    """
    files = published_files(folder)
    config = read_config(folder)
    if config.get("model_type") != "esm" or config.get("is_folding_model"):
        raise ModelError(f"{folder} holds no ESM language model.", "Choose a checkpoint of ESM-2, ESM-1b or ESM-1v.")
    read_vocabulary(folder / "vocab.txt", folder.name)
    found = {modern(name): shape for name, shape in shapes(folder).items()}
    if "lm_head.dense.weight" not in found or "esm.embeddings.word_embeddings.weight" not in found:
        raise ModelError(
            f"{folder} lacks the language-model head of ESM.", "Choose the language model itself, not a fine-tuned other head."
        )
    # Of ESM-1v (learned places, no norm before the first layer) no regression was ever fitted: what stands there is random.
    fitted = config.get("position_embedding_type") == "rotary" or bool(config.get("emb_layer_norm_before"))
    heads = int(config.get("num_hidden_layers", 0)) * int(config.get("num_attention_heads", 0))
    contacts = fitted and found.get("esm.contact_head.regression.weight") == (1, heads)
    size = sum((folder / name).stat().st_size for name in files)
    return Found(
        files=files,
        tasks=(*TASKS, CONTACTS) if contacts else TASKS,
        certainty=2,
        parameters=sum(math.prod(shape) for shape in found.values()),
        peak_bytes=600_000_000 + 2 * size,
        summary="An ESM protein language model from a folder on this machine.",
        limits=LIMITS,
    )


@family(
    "esm",
    cards=CARDS,
    title="ESM",
    about="Reads a single protein and says which residues evolution would accept at each place: effects of variants, vectors, and from "
    "its attention which residues touch. It sees no partners, ligands or membranes.",
    examine=examine,
)
def load(folder: Path | None, card: ModelCard, device: str) -> EsmModel:
    """Load a checkpoint in the published format.

    Without a config.json (some cards of the hub list weights and vocabulary only) its shape is read off the weights.

    Raises
    ------
    ModelError
        When it is not an ESM language model, or, for a published one, does not know a well-known protein.
    """
    assert folder is not None
    set_threads()
    vocabulary, weights = read_vocabulary(folder / "vocab.txt", card.title), read_weights(folder)
    network = build(weights, read_config(folder), vocabulary, device, card.title)
    made = EsmModel(network, vocabulary, head=contact_head(weights, network) if CONTACTS in card.tasks else None)
    if card.source != "local" and not card.untrained and perplexity(made, _UBIQUITIN) > _GUESSING / 2:
        raise ModelError(f"{card.title} does not know a well-known protein: its weights were not read as published.", "Fetch it again.")
    return made


def perplexity(model: EsmModel, sequence: str) -> float:
    """exp of the mean -ln p of each residue while it is hidden: 1 knows the sequence by heart, 20 guesses (Salazar et al. 2020)."""
    tokens = model.tokens(sequence)
    rows = np.repeat(tokens[None], len(tokens), axis=0)
    np.fill_diagonal(rows, model.mask)
    found = model.at(rows, np.arange(len(tokens)))
    return float(np.exp(-np.mean([found[i, AMINO.index(letter)] for i, letter in enumerate(sequence)])))
