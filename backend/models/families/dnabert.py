"""DNABERT: BERT on overlapping words of three to six bases, bare or with a head for classes; DNABERT-2 is refused, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from backend.domain import ModelCard
from backend.errors import ModelError
from backend.models.device import precision
from backend.models.families.minilm import set_threads
from backend.models.kmer_bert import BASES, SPECIAL, KmerBert
from backend.models.registry import Found, family, published_files
from backend.models.stored import shapes

WIDTH, LAYERS, PLACES = 768, 12, 512
_KNOWN = "ACATTTGCTTCTGACACAACTGTGTTCACTAGCAACCTCAAACAGACACCATGGTGCATCTGACTCCTGAGGAGAAGTCTGCC"  # first bases of human HBB's mRNA
_SPARE = ("cls.seq_relationship.", "bert.pooler.", "bert.embeddings.position_ids", "cls.predictions.decoder.", "cls.predictions.bias")
"""Weights that published files carry besides what is used: BERT's second training task, and copies of tied ones."""
_SECOND = "DNABERT-2 is built on code of its own (ALiBi, gated layers) that its folder carries and that Bioloom does not run."


def parameters(k: int) -> int:
    """Weights of DNABERT-k with its language-model head, computed from the architecture (BERT-base's shape, 4^k + 5 tokens)."""
    tokens = int(4**k) + 5
    embeddings = WIDTH * (tokens + PLACES + 2) + 2 * WIDTH
    layer = 4 * (WIDTH * WIDTH + WIDTH) + 2 * 4 * WIDTH * WIDTH + 5 * WIDTH + 4 * WIDTH
    return embeddings + LAYERS * layer + WIDTH * WIDTH + 3 * WIDTH + tokens


_REVISIONS = {6: "55e0c0eb7b734c8b9b77bc083bf89eb6fbda1341"}


def _card(k: int) -> ModelCard:
    size = 4 * parameters(k)
    return ModelCard(
        name=f"dnabert-{k}",
        title=f"DNABERT-{k}",
        family="dnabert",
        modality="sequences",
        kinds=("dna",),
        tasks=("dna.variants", "sequence.embed"),
        source="hub",
        licence="not stated for the weights, whose folder holds a LICENSE file to read; the code is Apache-2.0",
        summary=f"A masked language model of the human genome in overlapping words of {k} bases.",
        revision=_REVISIONS.get(k, "main"),
        hub_id=f"zhihan1996/DNA_bert_{k}",
        files={"config.json": "", "pytorch_model.bin": "", "vocab.txt": ""},
        parameters=parameters(k),
        download_bytes=size,  # computed: four bytes a weight
        disk_bytes=size,
        peak_bytes=700_000_000 + 2 * size,  # computed, not measured: libraries, and the weights twice while loading
        paper="Ji et al. 2021, doi:10.1093/bioinformatics/btab083",
        limits=(
            f"Reads at most {PLACES - 2 + k - 1} bases at once; longer sequences are read in overlapping windows.",
            "Learned from the human genome: other organisms are strange to it.",
            "Says what is usual in a genome, which is not what is harmless: no measure of disease.",
        ),
    )


CARDS = tuple(_card(k) for k in (6, 5, 4, 3))


def examine(folder: Path) -> Found:
    """What a folder with a DNABERT holds: its k, its head, and so its tasks.

    Raises
    ------
    ModelError
        When it is no DNABERT of k-mers, or one that runs code of its own.
    """
    settings = _json(folder / "config.json")
    if "alibi_starting_size" in settings or (
        settings.get("model_type") == "bert" and "DNABERT-2" in str(settings.get("_name_or_path", ""))
    ):
        raise ModelError(f"{folder.name} was refused: {_SECOND}", "Use DNABERT of 3 to 6 bases (zhihan1996/DNA_bert_6) instead.")
    files = published_files(folder)
    if settings.get("model_type") != "bert":
        raise ModelError(f"{folder.name} is no BERT: it calls itself {settings.get('model_type')}.", "Choose a checkpoint of DNABERT.")
    k = words_of(read_vocabulary(folder / "vocab.txt"), folder.name)
    held = shapes(folder)
    head = _head(held)
    tasks = {"lm": ("dna.variants", "sequence.embed"), "classes": ("dna.classify", "sequence.embed"), "none": ("sequence.embed",)}[head]
    if head == "classes" and (settings.get("problem_type") == "regression" or held["classifier.weight"][0] == 1):
        tasks = ("sequence.embed",)
    count = sum(_product(shape) for shape in held.values())
    told = {
        "lm": "the language-model head: scores every substitution",
        "classes": f"a head for {held.get('classifier.weight', (0,))[0]} classes",
        "none": "no head: vectors only",
    }[head]
    return Found(
        files=tuple(name for name in files if name in ("config.json", "vocab.txt") or name.endswith((".safetensors", ".bin"))),
        tasks=tasks,
        certainty=2,
        parameters=count,
        peak_bytes=700_000_000 + 8 * count,
        summary=f"A DNABERT on words of {k} bases with {told}.",
        limits=(f"Reads at most {int(settings.get('max_position_embeddings', PLACES)) - 2 + k - 1} bases at once.",),
    )


@family(
    "dnabert",
    cards=CARDS,
    title="DNABERT",
    about="Reads DNA as overlapping words of three to six bases. Good for vectors, for how surprising each base is, and, fine-tuned, for "
    "promoters, splice sites or binding sites; it knows the human genome, and no disease. DNABERT-2 needs code of its own and is refused.",
    examine=examine,
)
def load(folder: Path | None, card: ModelCard, device: str) -> KmerBert:
    """Load a DNABERT in the published format; nothing in its folder is run, and no weight is left to chance.

    Raises
    ------
    ModelError
        When a weight is missing or left over, or the vocabulary does not know DNA.
    """
    from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification, BertModel
    from transformers.utils import logging

    assert folder is not None
    logging.disable_progress_bar()
    set_threads()
    vocabulary = read_vocabulary(folder / "vocab.txt")
    k = words_of(vocabulary, card.title)
    head = _head(shapes(folder))
    kind = {"lm": BertForMaskedLM, "classes": BertForSequenceClassification, "none": BertModel}[head]
    config = BertConfig.from_pretrained(folder, local_files_only=True)
    if config.vocab_size < max(vocabulary.values()) + 1:
        raise ModelError(
            f"The vocabulary of {card.title} has more words than its weights.", "Use the vocab.txt that came with the weights."
        )
    network, told = kind.from_pretrained(
        folder,
        config=config,
        output_loading_info=True,
        local_files_only=True,
        trust_remote_code=False,
        weights_only=True,
        use_safetensors=None if any(folder.glob("*.safetensors")) else False,
        dtype=precision(device),
    )
    lacking = sorted(name for name in told["missing_keys"] if not name.startswith("pooler.") or head != "none")
    spare = sorted(name for name in told["unexpected_keys"] if not name.startswith(_SPARE))
    if lacking or spare or told["mismatched_keys"]:
        wrong = lacking or spare or [str(name) for name in told["mismatched_keys"]]
        raise ModelError(
            f"{card.title} cannot be used: weights {'are missing' if lacking else 'do not fit its settings'} ({', '.join(wrong[:4])}).",
            "A layer without its weights would answer at random. Choose a complete checkpoint.",
        )
    labels = tuple(str(config.id2label[i]) for i in range(config.num_labels)) if head == "classes" else ()
    several = config.problem_type == "multi_label_classification"
    made = KmerBert(network.eval().to(device), vocabulary, k, config.max_position_embeddings, device, labels, several)
    if (made.tokens(_KNOWN) == made.unknown).any():
        raise ModelError(f"{card.title} does not know words of a well-known gene.", "Use the vocab.txt that came with the weights.")
    return made


def read_vocabulary(file: Path) -> dict[str, int]:
    """Ids of the tokens of a vocab.txt.

    Raises
    ------
    ModelError
        When it cannot be read or lacks one of the five signs.
    """
    try:
        found = {line.strip(): at for at, line in enumerate(file.read_text(encoding="utf-8").splitlines()) if line.strip()}
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{file.parent.name} has no readable vocab.txt.", "Put the checkpoint's vocab.txt beside its weights.") from error
    if missing := [sign for sign in SPECIAL if sign not in found]:
        raise ModelError(f"The vocabulary of {file.parent.name} lacks {', '.join(missing)}.", "Choose a checkpoint with its own vocab.txt.")
    return found


def words_of(vocabulary: dict[str, int], name: str) -> int:
    """The k of a vocabulary: length of its longest word, all of whose kind it must have.

    Raises
    ------
    ModelError
        When it is no vocabulary of k-mers.
    """
    words = [word for word in vocabulary if word not in SPECIAL and set(word) <= set(BASES)]
    k = max(map(len, words), default=0)
    if not 3 <= k <= 8 or sum(len(word) == k for word in words) != 4**k:
        raise ModelError(
            f"The vocabulary of {name} is not one of DNABERT: it should hold every word of three to six bases.",
            "Choose a checkpoint of DNABERT (not DNABERT-2) with its own vocab.txt.",
        )
    return k


def _head(held: dict[str, tuple[int, ...]]) -> str:
    if "classifier.weight" in held:
        return "classes"
    return "lm" if any(name.startswith("cls.predictions.transform.") for name in held) else "none"


def _product(shape: tuple[int, ...]) -> int:
    made = 1
    for size in shape:
        made *= size
    return made


def _json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
