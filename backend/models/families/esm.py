"""ESM-2, ESM-1b and ESM-1v: masked protein networks that say, for every place, which residues evolution would accept there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.domain import ModelCard, Quality
from backend.errors import ModelError
from backend.models.contact_head import ContactHead, contact_maps
from backend.models.esm_weights import build, contact_head, modern, read_config, read_vocabulary, read_weights, shapes
from backend.models.families.minilm import set_threads
from backend.models.masked import AMINO, Network
from backend.models.packed import Tokens
from backend.models.protein import MaskedModel
from backend.models.registry import Found, family, published_files

WINDOW = 1022  # residues; 1,024 tokens with the first and the last, as all of them were trained
CONTACTS = "protein.contacts"
_TASKS = ("protein.variants", "protein.similar", "sequence.embed")
_VOCABULARY = "0b82cc0a7c7cf9e567b1e5892d793285b9fbae822c964ca48696f7db44598e03"
_UBIQUITIN = "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG"
_GUESSING = 20.0  # perplexity of one who knows nothing: all amino acids alike
_PROTEINGYM = "mean over 214 assays of ProteinGym"
_ORIGIN = "published scores of ProteinGym (Notin et al. 2023, doi:10.1101/2023.12.07.570727); not measured here"
BASELINE = "Spearman of a site-independent model"
_LIMITS = (
    "Reads at most 1,022 residues at once; longer proteins are read in overlapping windows.",
    "Knows single chains: no partners, ligands, or membranes.",
    "Scores what evolution keeps, which is not always what an assay or a disease measures.",
)
_ESM2 = "Lin et al. 2023, doi:10.1126/science.ade2574; variant scores: Meier et al. 2021, doi:10.1101/2021.07.09.450648"
_ESM1B = "Rives et al. 2021, doi:10.1073/pnas.2016239118; contacts: Rao et al. 2021, doi:10.1101/2020.12.15.422761"
_ESM1V = "Meier et al. 2021, doi:10.1101/2021.07.09.450648"


def _card(
    name: str,
    title: str,
    hub_id: str,
    summary: str,
    *,
    revision: str,
    files: Mapping[str, str],
    parameters: int,
    download: int,
    paper: str,
    quality: tuple[tuple[str, float], ...],
    contacts: bool = True,
    limits: tuple[str, ...] = (),
) -> ModelCard:
    return ModelCard(
        name=name,
        title=title,
        family="esm",
        modality="sequences",
        kinds=("protein",),
        tasks=(*_TASKS, CONTACTS) if contacts else _TASKS,
        source="hub",
        licence="MIT",
        summary=summary,
        revision=revision,
        hub_id=f"facebook/{hub_id}",
        files=files,
        parameters=parameters,
        download_bytes=download,
        disk_bytes=download,
        peak_bytes=600_000_000 + 2 * download,  # computed: libraries, and the weights twice while loading
        paper=paper,
        quality=tuple(Quality(metric, value, _PROTEINGYM, _ORIGIN) for metric, value in quality),
        limits=(*_LIMITS, *limits),
    )


def _esm2(size: str, revision: str, weights: str, parameters: int, download: int, spearman: float) -> ModelCard:
    layers = {"8M": 6, "35M": 12, "150M": 30, "650M": 33}[size]
    return _card(
        f"esm2-{size.lower()}",
        f"ESM-2 {size}",
        f"esm2_t{layers}_{size}_UR50D",
        "A masked language model of 65 million natural proteins; scores every substitution of a protein from its sequence alone.",
        revision=revision,
        files={"model.safetensors": weights, "vocab.txt": _VOCABULARY},
        parameters=parameters,
        download=download + 93,
        paper=_ESM2,
        quality=(("Spearman", spearman), (BASELINE, 0.367)),
    )


def count(layers: int, width: int, places: int = 0) -> int:
    """Parameters of an ESM of this shape with its heads; `places` rows of learned places and the norm before the first layer."""
    block = 12 * width**2 + 13 * width
    head = width**2 + 3 * width + 33
    return layers * block + 33 * width + 2 * width + head + places * width + (2 * width if places else 0)


def _large(size: str, layers: int, width: int, revision: str, shards: int, spearman: float) -> ModelCard:
    parameters = count(layers, width)
    parts = {f"pytorch_model-{part:05d}-of-{shards:05d}.bin": "" for part in range(1, shards + 1)}
    return _card(
        f"esm2-{size.lower()}",
        f"ESM-2 {size}",
        f"esm2_t{layers}_{size}_UR50D",
        f"The {'second largest' if size == '3B' else 'largest'} ESM-2; no better on variants than ESM-2 650M, and far slower.",
        revision=revision,
        files={"config.json": "", "pytorch_model.bin.index.json": "", **parts, "vocab.txt": ""},
        parameters=parameters,
        download=4 * parameters,  # computed from the shape, in float32
        paper=_ESM2,
        quality=(("Spearman", spearman), (BASELINE, 0.367)),
    )


def _first(name: str, title: str, hub_id: str, summary: str, paper: str, spearman: float, contacts: bool) -> ModelCard:
    parameters = count(33, 1280, 1026)
    limits = () if contacts else ("Serves no contacts: its makers fitted no regression on its attention.",)
    return _card(
        name,
        title,
        hub_id,
        summary,
        revision="main",  # the published revision is not known here
        files={"config.json": "", "pytorch_model.bin": "", "vocab.txt": ""},
        parameters=parameters,
        download=4 * parameters,  # computed from the shape, in float32
        paper=paper,
        quality=(("Spearman", spearman), (BASELINE, 0.367)),
        contacts=contacts,
        limits=limits,
    )


CARDS = (
    _esm2(
        "8M",
        "c731040fcd8d73dceaa04b0a8e6329b345b0f5df",
        "24c5fa474c48f3b754b86efe752d5f189d2bcd88190fa2270fc92b2ef3034189",
        7_840_794,
        31_384_292,
        0.204,
    ),
    _esm2(
        "35M",
        "6fbf070e65b0b7291e7bbcd451118c216cff79d8",
        "e35647818e0e064351d4531ed480d225a002567b4b2b93ad3a9246d753150fc0",
        33_992_882,
        136_008_798,
        0.317,
    ),
    _esm2(
        "150M",
        "a695f6045e2e32885fa60af20c13cb35398ce30c",
        "c3f1da8aea53bddd32c246c86168c23b9fd72341fb9db9a94436f855f5053566",
        148_795_482,
        595_257_706,
        0.399,
    ),
    _esm2(
        "650M",
        "08e4846e537177426273712802403f7ba8261b6c",
        "a08adabb949fa67ad3c14b509d04fd60368b35007b0095e3358f81200c4f4db0",
        652_356_507,
        2_609_506_392,
        0.436,
    ),
    _large("3B", 36, 2560, "476b639933c8baad5ad09a60ac1a87f987b656fc", 2, 0.431),
    _large("15B", 48, 5120, "main", 7, 0.425),
    _first(
        "esm1b",
        "ESM-1b",
        "esm1b_t33_650M_UR50S",
        "ESM-2's forerunner, a masked language model of 250 million proteins; much published work rests on it.",
        _ESM1B,
        0.418,
        contacts=True,
    ),
    *(
        _first(
            f"esm1v-{number}",
            f"ESM-1v ({number} of 5)",
            f"esm1v_t33_650M_UR90S_{number}",
            "One of five networks made to foretell effects of variants; its makers average all five (Spearman 0.427 on the same assays).",
            _ESM1V,
            0.395,
            contacts=False,
        )
        for number in range(1, 6)
    ),
)


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
        tasks=(*_TASKS, CONTACTS) if contacts else _TASKS,
        certainty=2,
        parameters=sum(math.prod(shape) for shape in found.values()),
        peak_bytes=600_000_000 + 2 * size,
        summary="An ESM protein language model from a folder on this machine.",
        limits=_LIMITS,
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
