"""DoT5 and other T5: encoder-decoders that turn one text into another."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from backend.domain import ModelCard
from backend.errors import ModelError
from backend.models.families.minilm import set_threads
from backend.models.registry import Found, family, published_files
from backend.models.spelling import Ids
from backend.models.stored import shapes
from backend.models.whole import load_whole
from backend.models.writing import Writer

_WINDOW = 512  # tokens a T5 was trained on; its relative places know no limit of their own
_KNOWN_TEXT = "There is no pleural effusion. The heart size is normal."
_SEEN_MANY = 0.1
_BASE = 222_903_552  # parameters of T5-base, the size that the paper reports most

CARD = ModelCard(
    name="dot5",
    title="DoT5 (a folder of yours)",
    family="dot5",
    modality="literature",
    tasks=("literature.rewrite",),
    source="local",
    template=True,
    licence="not stated",
    summary="Text to text in biomedicine and radiology: impressions from findings, and whether one sentence follows from another.",
    parameters=_BASE,
    peak_bytes=700_000_000 + 8 * _BASE,  # computed, not measured: libraries, and single-precision weights twice while loading
    paper="Liu et al. 2023, Compositional zero-shot domain transfer with text-to-text models, doi:10.1162/tacl_a_00585",
    limits=(
        "Weights were not found on a public hub: bring a folder in T5 format. Any T5 checkpoint loads, each with the quality it has.",
        f"Reads {_WINDOW} tokens at once; a longer text is refused.",
        "The published wording of its prompts is not known here: T5's own is used unless you give another.",
    ),
)


class T5Codec:
    """Pieces of a T5 vocabulary; its signs of a gap (<extra_id_0>) may be typed."""

    def __init__(self, tokenizer: Any, end: int) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer, self._end = tokenizer, end
        self.unknown: int | None = tokenizer.token_to_id("<unk>")

    def read(self, text: str) -> list[int]:
        return [*self.follow(text), self._end]

    def follow(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def spell(self, before: Ids, written: Ids) -> str:
        return str(self._tokenizer.decode(list(written), skip_special_tokens=False))


def examine(folder: Path) -> Found:
    """A T5 network with its vocabulary.

    Raises
    ------
    ModelError
        When the folder holds something else, or no vocabulary.
    """
    files = published_files(folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if config.get("model_type") != "t5":
        raise ModelError(f"{folder} is no T5: its network is of the kind {config.get('model_type')}.", "Choose a folder in T5 format.")
    if not {"spiece.model", "tokenizer.json"} & set(files):
        raise ModelError(f"{folder} holds neither spiece.model nor tokenizer.json.", "Put the checkpoint's vocabulary beside its weights.")
    weights = sum((folder / name).stat().st_size for name in files if name.endswith((".safetensors", ".bin")))
    # encoder and decoder may each be stored with a copy of the shared word vectors
    parameters = sum(math.prod(shape) for name, shape in shapes(folder).items() if not name.endswith("embed_tokens.weight"))
    return Found(
        files=files,
        tasks=("literature.rewrite",),
        certainty=1,
        parameters=parameters,
        # computed, not measured: libraries, single-precision weights, and the stored file while it is read
        peak_bytes=700_000_000 + 4 * parameters + weights,
        summary="An encoder-decoder in T5 format from a folder on this machine.",
        limits=CARD.limits[1:],
    )


@family(
    "dot5",
    cards=(CARD,),
    title="DoT5 and other T5",
    about="Turns one text into another: the impression of a radiology report from its findings, a summary, or whether a statement follows "
    "from a text. What it writes may leave out or invent findings.",
    examine=examine,
)
def load(folder: Path | None, card: ModelCard, device: str) -> Writer:
    """Load a T5 checkpoint.

    Raises
    ------
    ModelError
        When weights are missing or its vocabulary does not fit them.
    """
    assert folder is not None
    set_threads()
    tokenizer = _tokenizer(folder, card)
    network = load_whole("T5ForConditionalGeneration", folder, card, device)
    config = network.config
    end, start = int(config.eos_token_id), int(config.decoder_start_token_id if config.decoder_start_token_id is not None else 0)
    codec = T5Codec(tokenizer, end)
    model = Writer(network, codec, device, window=_WINDOW, reach=_WINDOW, ends={end}, start=start)
    if max(codec.follow(_KNOWN_TEXT)) >= config.vocab_size or model.unknown_share(_KNOWN_TEXT) > _SEEN_MANY:
        raise ModelError(
            f"{card.title} does not know common words: its vocabulary and its weights do not belong together.", "Download it again."
        )
    return model


def _tokenizer(folder: Path, card: ModelCard) -> Any:
    from tokenizers import Tokenizer
    from transformers import T5Tokenizer

    try:
        if (folder / "tokenizer.json").is_file():
            return Tokenizer.from_file(str(folder / "tokenizer.json"))
        return T5Tokenizer.from_pretrained(folder, local_files_only=True).backend_tokenizer
    except Exception as error:  # both libraries raise plain exceptions for damaged files
        raise ModelError(f"The vocabulary of {card.title} cannot be read.", "Download the checkpoint again.") from error
