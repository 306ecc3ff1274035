"""Galactica: a decoder trained on papers, with signs of its own for references, molecules and proteins."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from backend.domain import ModelCard, Quality
from backend.errors import ModelError
from backend.models.abilities import Floats, Generated
from backend.models.families.minilm import set_threads
from backend.models.registry import Found, family, published_files
from backend.models.spelling import Ids
from backend.models.whole import load_whole
from backend.models.writing import Writer, go_on

START_REF, END_REF = "[START_REF]", "[END_REF]"
SIGNS = (
    START_REF,
    END_REF,
    "[START_SMILES]",
    "[END_SMILES]",
    "[START_AMINO]",
    "[END_AMINO]",
    "[START_DNA]",
    "[END_DNA]",
    "<work>",
    "</work>",
)
_NEEDED = (START_REF, END_REF)  # by these a Galactica is told from another OPT
_LETTERWISE = re.compile(r"(?P<open>\[START_(?P<kind>DNA|SMILES|I_SMILES|AMINO)\])(?P<inside>.*?)(?P<close>\[END_(?P=kind)\]|$)", re.DOTALL)
_VOCABULARY, _REACH = 50_000, 2_048
_KNOWN_TEXT = "Metformin reduced HbA1c by 1.2% in 209 patients with type 2 diabetes."
_PAPER = "Taylor et al. 2022, arXiv:2211.09085"
_LAYERS = {"125m": (12, 768), "1.3b": (24, 2048), "6.7b": (32, 4096), "30b": (48, 7168), "120b": (96, 10_240)}  # table 5 of the paper
_PARTS = {"6.7b": 2, "30b": 7, "120b": 26}  # files of the published weights, where they are several
_REVISIONS = {"6.7b": "3a85eca7b4eff2d76ed6b3fa3e287940eed85b10"}


def _card(size: str) -> ModelCard:
    layers, width = _LAYERS[size]
    # matrices and embeddings; small checkpoints also store biases, a thousandth of this
    parameters = (_VOCABULARY + _REACH + 2) * width + 12 * layers * width * width
    # published in half precision; the files of 6.7b are larger by its word vectors, stored a second time as the output layer
    stored = 2 * (parameters + (_VOCABULARY * width if size == "6.7b" else 0))
    weights = ["pytorch_model.bin"]
    if parts := _PARTS.get(size, 0):
        weights = ["pytorch_model.bin.index.json", *(f"pytorch_model-{part:05d}-of-{parts:05d}.bin" for part in range(1, parts + 1))]
    card = ModelCard(
        name=f"galactica-{size}",
        title=f"Galactica {size[:-1]} {'million' if size.endswith('m') else 'billion'}",
        family="galactica",
        modality="literature",
        tasks=("literature.write",),
        source="hub",
        licence="CC BY-NC 4.0",
        non_commercial=True,
        summary="Continues scientific text and suggests references. It invents both: nothing it writes is evidence.",
        revision=_REVISIONS.get(size, "main"),
        hub_id=f"facebook/galactica-{size}",
        files=dict.fromkeys(("config.json", *weights, "tokenizer.json"), ""),
        parameters=parameters,
        download_bytes=stored,
        disk_bytes=stored,
        peak_bytes=_peak(parameters, stored),
        paper=_PAPER,
        limits=(
            "Writes fluent statements that are false, and references to papers that do not exist.",
            f"Holds {_REACH:,} tokens of prompt and text together.",
            "Trained on papers up to 2022, mostly English.",
        ),
    )
    if size != "120b":
        return card
    # 240 GB are not fetched at the press of a button
    return replace(
        card,
        source="local",
        template=True,
        hub_id="",
        revision="",
        files={},
        download_bytes=0,
        disk_bytes=0,
        summary=f"{card.summary} Published as facebook/galactica-{size} in {parts} parts: bring the folder.",
        quality=(Quality("accuracy", 0.776, "PubMedQA", f"published ({_PAPER}); not measured here"),),
    )


def _peak(parameters: int, stored: int) -> int:
    """Computed, not measured: libraries, single-precision weights, and the stored file while it is read."""
    return 700_000_000 + 4 * parameters + stored


CARDS = tuple(_card(size) for size in _LAYERS)


class GalacticaCodec:
    """Galactica's own byte-level pieces; inside the signs of molecules and sequences every letter is a token of its own."""

    def __init__(self, tokenizer: Any, end: int) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer, self._end = tokenizer, end
        self.unknown: int | None = tokenizer.token_to_id("<unk>")

    def read(self, text: str) -> list[int]:
        """Tokens of a prompt; the sign that ends a document stands for an empty one."""
        return self.follow(text) or [self._end]

    def follow(self, text: str) -> list[int]:
        made: list[int] = []
        at = 0
        for found in _LETTERWISE.finditer(text):
            made += self._plain(text[at : found.start("inside")])
            for letter in found["inside"]:
                made += self._plain(letter)
            made += self._plain(found["close"])
            at = found.end()
        return made + self._plain(text[at:])

    def spell(self, before: Ids, written: Ids) -> str:
        return str(self._tokenizer.decode(list(written), skip_special_tokens=False))

    def sign(self, name: str) -> int:
        """Token of one of the model's signs."""
        return int(self._tokenizer.token_to_id(name))

    def _plain(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids) if text else []


class GalacticaModel(Writer):
    """Writes, and suggests what may be cited at a place."""

    codec: GalacticaCodec

    def suggest(self, prompt: str, *, number: int, most: int = 60, check: Callable[[], None] = go_on) -> list[Generated]:
        """The likeliest references after a prompt, best first; each is the model's guess, and may be of no paper at all."""
        before = self._asked(prompt)
        most = max(1, min(most, self.reach - len(before)))
        return self.beams(before, number=number, most=most, stops=(self.codec.sign(END_REF),), check=check)

    def reference_score(self, prompts: Sequence[str], ids: Ids) -> Floats:
        """ln p of a reference, by its tokens, after each prompt, shape (m,)."""
        return self.log_probs([(self._asked(prompt), ids) for prompt in prompts])

    def _asked(self, prompt: str) -> list[int]:
        return self.codec.read(f"{prompt.rstrip()} {START_REF}".lstrip())


def examine(folder: Path) -> Found:
    """An OPT network whose tokenizer has Galactica's signs.

    Raises
    ------
    ModelError
        When the folder holds something else.
    """
    files = published_files(folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if config.get("model_type") != "opt":
        raise ModelError(f"{folder} is no Galactica: its network is of the kind {config.get('model_type')}.", "Choose a Galactica folder.")
    _signs(folder)
    weights = sum((folder / name).stat().st_size for name in files if name.endswith((".safetensors", ".bin")))
    width, layers = int(config.get("hidden_size", 0)), int(config.get("num_hidden_layers", 0))
    parameters = (int(config.get("vocab_size", 0)) + int(config.get("max_position_embeddings", 0)) + 2) * width + 12 * layers * width**2
    return Found(
        files=files,
        tasks=("literature.write",),
        certainty=2,
        parameters=parameters,
        peak_bytes=_peak(parameters, weights),
        limits=CARDS[0].limits[:1],
    )


@family(
    "galactica",
    cards=CARDS,
    title="Galactica",
    about="Drafts scientific text and guesses what may be cited at a place; each guess is looked up in your library. "
    "Not for facts: it states falsehoods fluently, and its licence forbids commercial use.",
    examine=examine,
)
def load(folder: Path | None, card: ModelCard, device: str) -> GalacticaModel:
    """Load a Galactica checkpoint.

    Raises
    ------
    ModelError
        When weights are missing or the tokenizer is not Galactica's.
    """
    from tokenizers import Tokenizer

    assert folder is not None
    set_threads()
    _signs(folder)
    network = load_whole("OPTForCausalLM", folder, card, device)
    config = network.config
    end = int(config.eos_token_id if config.eos_token_id is not None else 2)
    codec = GalacticaCodec(Tokenizer.from_file(str(folder / "tokenizer.json")), end)
    reach = int(config.max_position_embeddings)
    model = GalacticaModel(network, codec, device, window=reach, reach=reach, ends={end})
    if max(codec.follow(_KNOWN_TEXT)) >= config.vocab_size or model.unknown_share(_KNOWN_TEXT) > 0.1:
        raise ModelError(
            f"{card.title} does not know common words: its tokenizer and its weights do not belong together.", "Fetch it again."
        )
    return model


def _signs(folder: Path) -> None:
    """Refuse a tokenizer without Galactica's signs."""
    from tokenizers import Tokenizer

    file = folder / "tokenizer.json"
    if not file.is_file():
        raise ModelError(f"{folder} holds no tokenizer.json.", "Put the checkpoint's tokenizer.json beside its weights.")
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises plain Exception for a damaged file
        raise ModelError(f"{file} is not a readable tokenizer.", "Download the checkpoint again.") from error
    if missing := [sign for sign in _NEEDED if tokenizer.token_to_id(sign) is None]:
        raise ModelError(
            f"The tokenizer in {folder} lacks Galactica's signs {', '.join(missing)}.",
            "Choose a Galactica checkpoint with its own tokenizer.",
        )
