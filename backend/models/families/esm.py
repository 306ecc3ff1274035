"""ESM-2: masked protein networks that say, for every place of a protein, which residues evolution would accept there."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.domain import ModelCard, Quality
from backend.errors import ModelError
from backend.models.dense import Dense
from backend.models.families.minilm import set_threads
from backend.models.masked import AMINO, Layer, Network
from backend.models.protein import MaskedModel
from backend.models.registry import family

WINDOW = 1022  # residues; 1,024 tokens with the first and the last, as ESM-2 was trained
_HEADS = 20  # of every published ESM-2 up to 650M
_VOCABULARY = "0b82cc0a7c7cf9e567b1e5892d793285b9fbae822c964ca48696f7db44598e03"
_UBIQUITIN = "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG"
_GUESSING = 20.0  # perplexity of one who knows nothing: all amino acids alike
_PROTEINGYM = "mean over 214 assays of ProteinGym"
_ORIGIN = "published scores of ProteinGym (Notin et al. 2023, doi:10.1101/2023.12.07.570727); not measured here"
BASELINE = "Spearman of a site-independent model"


def _card(size: str, revision: str, weights: str, parameters: int, download: int, spearman: float) -> ModelCard:
    layers = {"8M": 6, "35M": 12, "150M": 30, "650M": 33}[size]
    return ModelCard(
        name=f"esm2-{size.lower()}",
        title=f"ESM-2 {size}",
        family="esm",
        modality="sequences",
        tasks=("protein.variants", "protein.similar"),
        source="hub",
        licence="MIT",
        summary="A masked language model of 65 million natural proteins; scores every substitution of a protein from its sequence alone.",
        revision=revision,
        hub_id=f"facebook/esm2_t{layers}_{size}_UR50D",
        files={"model.safetensors": weights, "vocab.txt": _VOCABULARY},
        parameters=parameters,
        download_bytes=download + 93,
        disk_bytes=download + 93,
        peak_bytes=600_000_000 + 2 * download,  # not measured: libraries, and the weights twice while loading
        paper="Lin et al. 2023, doi:10.1126/science.ade2574; variant scores: Meier et al. 2021, doi:10.1101/2021.07.09.450648",
        quality=(
            Quality("Spearman", spearman, _PROTEINGYM, _ORIGIN),
            Quality(BASELINE, 0.367, _PROTEINGYM, _ORIGIN),
        ),
        limits=(
            "Reads at most 1,022 residues at once; longer proteins are read in overlapping windows.",
            "Knows single chains: no partners, ligands, or membranes.",
            "Scores what evolution keeps, which is not always what an assay or a disease measures.",
        ),
    )


CARDS = (
    _card(
        "8M",
        "c731040fcd8d73dceaa04b0a8e6329b345b0f5df",
        "24c5fa474c48f3b754b86efe752d5f189d2bcd88190fa2270fc92b2ef3034189",
        7_840_794,
        31_384_292,
        0.204,
    ),
    _card(
        "35M",
        "6fbf070e65b0b7291e7bbcd451118c216cff79d8",
        "e35647818e0e064351d4531ed480d225a002567b4b2b93ad3a9246d753150fc0",
        33_992_882,
        136_008_798,
        0.317,
    ),
    _card(
        "150M",
        "a695f6045e2e32885fa60af20c13cb35398ce30c",
        "c3f1da8aea53bddd32c246c86168c23b9fd72341fb9db9a94436f855f5053566",
        148_795_482,
        595_257_706,
        0.399,
    ),
    _card(
        "650M",
        "08e4846e537177426273712802403f7ba8261b6c",
        "a08adabb949fa67ad3c14b509d04fd60368b35007b0095e3358f81200c4f4db0",
        652_356_507,
        2_609_506_392,
        0.436,
    ),
)


class EsmModel(MaskedModel):
    """ESM-2: an unknown letter is read as X, for which the vocabulary has a sign of its own."""

    stand_in = "the model's sign for an unknown residue, X"
    sample = 0

    def __init__(self, network: Network, vocabulary: Mapping[str, int], window: int = WINDOW) -> None:
        known = {letter: at for letter, at in vocabulary.items() if len(letter) == 1 and letter.isalpha()}
        super().__init__(network, known, other=known["X"], mask=vocabulary["<mask>"], window=window)

    def doubts(self, sequence: str, own: NDArray[np.float64]) -> list[str]:
        return []


@family("esm", cards=CARDS)
def load(folder: Path | None, card: ModelCard, device: str) -> EsmModel:
    """Load an ESM-2 checkpoint in the published format.

    Without a config.json (the hub's cards list weights and vocabulary) its shape is read off the weights.

    Raises
    ------
    ModelError
        When it is not an ESM-2, or, for a published one, does not know a well-known protein.
    """
    assert folder is not None
    set_threads()
    vocabulary = _vocabulary(folder / "vocab.txt", card)
    weights = _weights(folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8")) if (folder / "config.json").is_file() else {}
    made = EsmModel(build(weights, config, vocabulary, device, card.title), vocabulary)
    if card.source != "local" and perplexity(made, _UBIQUITIN) > _GUESSING / 2:
        raise ModelError(f"{card.title} does not know a well-known protein: its weights were not read as published.", "Fetch it again.")
    return made


def build(weights: Mapping[str, Any], config: Mapping[str, Any], vocabulary: Mapping[str, int], device: str, title: str) -> Network:
    """The network of weights named as transformers' ``EsmForMaskedLM`` names them.

    Raises
    ------
    ModelError
        When weights are missing, or the settings name a kind of ESM that this file does not compute.
    """
    import torch

    kind = (config.get("position_embedding_type", "rotary"), config.get("model_type", "esm"), bool(config.get("is_folding_model")))
    if kind != ("rotary", "esm", False):
        raise ModelError(f"{title} is no ESM-2 language model.", "Choose a checkpoint of ESM-2 (esm2_t6_8M_UR50D or larger) with its head.")
    held = {_modern(name): value.float().to(device) for name, value in weights.items() if value.is_floating_point()}
    held.setdefault("lm_head.decoder.weight", held.get("esm.embeddings.word_embeddings.weight"))  # tied where it is not stored

    def pair(name: str) -> tuple[Any, Any]:
        return held[f"{name}.weight"], held[f"{name}.bias"]

    def dense(*names: str) -> Dense:
        found = [pair(name) for name in names]
        return Dense(torch.cat([weight for weight, _ in found]), torch.cat([bias for _, bias in found]))

    try:
        count = 1 + max(int(found[1]) for name in held if (found := re.match(r"esm\.encoder\.layer\.(\d+)\.", name)))
        layers = []
        for at in (f"esm.encoder.layer.{i}" for i in range(count)):
            inside = f"{at}.attention"
            layers.append(
                Layer(
                    dense(*(f"{inside}.self.{part}" for part in ("query", "key", "value"))),
                    dense(f"{inside}.output.dense"),
                    pair(f"{inside}.LayerNorm"),
                    dense(f"{at}.intermediate.dense"),
                    dense(f"{at}.output.dense"),
                    pair(f"{at}.LayerNorm"),
                )
            )
        columns = torch.tensor([vocabulary[letter] for letter in AMINO], device=device)
        decoder = Dense(held["lm_head.decoder.weight"][columns], held["lm_head.bias"][columns])
        words = held["esm.embeddings.word_embeddings.weight"]
        heads = int(config.get("num_attention_heads", _HEADS))
        early = pair("esm.embeddings.layer_norm") if config.get("emb_layer_norm_before") else None
        final, head = pair("esm.encoder.emb_layer_norm_after"), (dense("lm_head.dense"), pair("lm_head.layer_norm"), decoder)
    except (KeyError, ValueError, TypeError) as error:
        raise ModelError(
            f"{title} lacks weights of an ESM-2 language model: {error}.", "Choose a checkpoint with its language-model head."
        ) from error
    size = words.shape[1] // heads
    speed = 1.0 / (float(config.get("rope_theta", 10000.0)) ** (torch.arange(0, size, 2, dtype=torch.float) / size))
    # as it was rounded in training; every layer has the same, and checkpoints differ in where they keep it
    speed = next((value.cpu() for name, value in held.items() if name.endswith("rotary_embeddings.inv_freq")), speed)
    dropout, mask, eps = config.get("token_dropout", True), vocabulary["<mask>"], float(config.get("layer_norm_eps", 1e-5))

    def embed(ids: Any, real: Any) -> Any:
        # As in training, hidden residues are zero and the others are scaled by the share that was hidden then (15% x 80%).
        made = words[ids]
        if dropout:
            hidden = ids == mask
            length = ids.shape[1] if real is None else real.sum(-1)
            made = made.masked_fill(hidden.unsqueeze(-1), 0.0) * (0.88 / (1 - hidden.sum(-1) / length))[:, None, None]
        if early is not None:
            made = torch.nn.functional.layer_norm(made, early[0].shape, *early, eps)
        return made if real is None else made * real.unsqueeze(-1)

    return Network(
        layers=layers,
        heads=heads,
        eps=eps,
        embed=embed,
        pre_norm=True,
        speed=speed,
        final=final,
        head=head,
        first=vocabulary["<cls>"],
        last=vocabulary["<eos>"],
        pad=vocabulary["<pad>"],
        device=device,
    )


def _modern(name: str) -> str:
    """Norms were once named after the paper's symbols, and some writers of checkpoints still do."""
    return re.sub(r"\.beta$", ".bias", re.sub(r"\.gamma$", ".weight", name))


def perplexity(model: EsmModel, sequence: str) -> float:
    """exp of the mean -ln p of each residue while it is hidden: 1 knows the sequence by heart, 20 guesses (Salazar et al. 2020)."""
    tokens = model.tokens(sequence)
    rows = np.repeat(tokens[None], len(tokens), axis=0)
    np.fill_diagonal(rows, model.mask)
    found = model.at(rows, np.arange(len(tokens)))
    return float(np.exp(-np.mean([found[i, AMINO.index(letter)] for i, letter in enumerate(sequence)])))


def _vocabulary(file: Path, card: ModelCard) -> dict[str, int]:
    try:
        found = {line.strip(): at for at, line in enumerate(file.read_text(encoding="utf-8").splitlines())}
    except OSError as error:
        raise ModelError(f"{card.title} has no readable vocab.txt.", "Put the checkpoint's vocab.txt beside its weights.") from error
    if missing := [token for token in (*AMINO, "X", "<cls>", "<eos>", "<pad>", "<mask>") if token not in found]:
        raise ModelError(
            f"The vocabulary of {card.title} lacks {', '.join(missing)}.", "Choose a checkpoint of ESM-2 with its own vocab.txt."
        )
    return found


def _weights(folder: Path) -> dict[str, Any]:
    if files := sorted(folder.glob("*.safetensors")):
        from safetensors.torch import load_file

        return {name: value for file in files for name, value in load_file(file).items()}
    import torch

    pickled = [torch.load(file, map_location="cpu", weights_only=True) for file in sorted(folder.glob("pytorch_model*.bin"))]
    return {name: value for part in pickled for name, value in part.items()}
