"""ProtST's two encoders: a protein and a description in words as vectors of one space, whose angle says how well they fit.

Xu et al. 2023, arXiv:2301.12040: an ESM-1b whose residues are averaged and projected, a PubMedBERT whose word pieces are averaged and
projected, and a learned temperature between them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError, ModelError
from backend.models.batching import by_length, in_halves
from backend.models.masked import Tokens

Floats = NDArray[np.float32]

MOST_PIECES = 127  # word pieces of a description; 128 with the sign before it, as published
_RESIDUES = 1022  # read at once
_BATCH_TOKENS = 2_048
_CLS, _PAD, _EOS, _UNKNOWN, _MASK = 0, 1, 2, 3, 32  # of ESM's published vocabulary
_PRETRAINING = re.compile(
    r"(protein_model\.residue_mlp|text_model\.word_mlp)\.|position_ids$|inv_freq$|contact_head\.|\.pooler\.|lm_head\."
)
"""Weights that took part in pretraining only, and tables that are computed."""


class ProteinText:
    """Proteins and descriptions to vectors of one space. Its networks are read only: safe to share between threads.

    Attributes
    ----------
    scale : float
        The learned temperature: a softmax over ``scale`` times the cosines is what the network was trained with.
    window : int
        Residues read at once; a longer protein is read in pieces and its residues averaged over all of them.
    mask : int
        Token of a hidden residue.
    """

    window = _RESIDUES
    mask = _MASK

    def __init__(self, protein: Any, text: Any, heads: Mapping[str, Any], scale: float, words: Mapping[str, int], device: str) -> None:
        from transformers.models.esm.configuration_esm import get_default_vocab_list

        self._protein, self._text, self._heads, self.scale, self._device = protein, text, heads, scale, device
        self._letters = {token: at for at, token in enumerate(get_default_vocab_list()) if len(token) == 1 and token.isalpha()}
        self._words, self._tokenizer = words, _word_pieces(words)

    # --- proteins -----------------------------------------------------------------------------------------------------

    def tokens(self, sequence: str) -> Tokens:
        """One token a letter; a letter that the vocabulary lacks is read as X."""
        return np.array([self._letters.get(letter, self._letters["X"]) for letter in sequence], dtype=np.int64)

    def unknown(self, sequence: str) -> list[int]:
        """Letters (from 0) that the vocabulary lacks."""
        return [at for at, letter in enumerate(sequence) if letter not in self._letters]

    def embed(self, sequences: Sequence[str]) -> Floats:
        """Vectors of proteins in the shared space, shape (m, width)."""
        return self.proteins([self.tokens(sequence) for sequence in sequences])

    def proteins(self, rows: Sequence[Tokens]) -> Floats:
        """The same for proteins as tokens, in which residues may be hidden."""
        pieces = [(at, row[start : start + _RESIDUES]) for at, row in enumerate(rows) for start in range(0, max(1, len(row)), _RESIDUES)]
        sums: Floats = np.zeros((len(rows), self._protein.config.hidden_size), dtype=np.float32)
        for batch in by_length([len(piece) + 2 for _, piece in pieces], _BATCH_TOKENS):
            made = in_halves(self._residue_sums, [pieces[i][1] for i in batch])
            np.add.at(sums, [pieces[i][0] for i in batch], made)
        counts = np.array([max(1, len(row)) for row in rows], dtype=np.float32)
        means: Floats = sums / counts[:, None]
        return self._project("protein", means)

    def _residue_sums(self, rows: Sequence[Tokens]) -> Floats:
        import torch

        framed = [np.concatenate(([_CLS], row, [_EOS])) for row in rows]
        ids, real = _padded(framed, _PAD, self._device)
        inside = real.clone()
        inside[:, 0] = False
        inside[torch.arange(len(rows)), torch.tensor([len(row) - 1 for row in framed])] = False
        with torch.inference_mode():
            hidden = self._protein(input_ids=ids, attention_mask=real.long()).last_hidden_state
            made: Floats = (hidden * inside.unsqueeze(-1)).sum(1).float().cpu().numpy()
        return made

    # --- words --------------------------------------------------------------------------------------------------------

    def pieces(self, text: str) -> list[int]:
        """Word pieces of a description."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def unknown_share(self, text: str) -> float:
        """Share of a description's word pieces that the vocabulary does not know."""
        found = self.pieces(text)
        return sum(each == self._words["[UNK]"] for each in found) / max(1, len(found))

    def describe(self, texts: Sequence[str]) -> Floats:
        """Vectors of descriptions in the shared space, shape (m, width).

        Raises
        ------
        InputError
            When a description has more word pieces than the network was trained to read.
        """
        rows = [self.pieces(text) for text in texts]
        for text, row in zip(texts, rows, strict=True):
            if len(row) > MOST_PIECES:
                raise InputError(
                    f"'{text[:60]}...' has {len(row)} word pieces; ProtST reads {MOST_PIECES} of a description.", "Shorten the description."
                )
        made = np.empty((len(rows), self._text.config.hidden_size), dtype=np.float32)
        for batch in by_length([len(row) + 1 for row in rows], _BATCH_TOKENS):
            made[batch] = in_halves(self._word_means, [rows[i] for i in batch])
        return self._project("text", made)

    def _word_means(self, rows: Sequence[Sequence[int]]) -> Floats:
        import torch

        # as published: the sign at the beginning, none at the end; the mean is over the word pieces alone
        ids, real = _padded([np.array([self._words["[CLS]"], *row]) for row in rows], self._words["[PAD]"], self._device)
        inside = real.clone()
        inside[:, 0] = False
        with torch.inference_mode():
            hidden = self._text(input_ids=ids, attention_mask=real.long()).last_hidden_state
            made: Floats = ((hidden * inside.unsqueeze(-1)).sum(1) / inside.sum(1, keepdim=True).clamp(min=1)).float().cpu().numpy()
        return made

    def _project(self, which: str, means: Floats) -> Floats:
        import torch

        first, second = self._heads[which]
        with torch.inference_mode():
            hidden = torch.from_numpy(means).to(self._device, first[0].dtype)
            hidden = torch.nn.functional.linear(torch.nn.functional.linear(hidden, *first).relu(), *second)
        made: Floats = hidden.float().cpu().numpy()
        return made

    def exercise(self, length: int = _RESIDUES, batch: int = 2) -> None:
        """Read `batch` proteins of `length` residues and a full description, so that memory can be measured."""
        self.embed([("MKVLAADESG" * (length // 10 + 1))[:length]] * batch)
        self.describe(["membrane " * (MOST_PIECES // 8)])


def cosines(proteins: Floats, descriptions: Floats) -> Floats:
    """Cosine of every protein with every description, shape (proteins, descriptions)."""
    left, right = (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12) for rows in (proteins, descriptions))
    made: Floats = left @ right.T
    return made


def build(held: Mapping[str, Any], config: Mapping[str, Any], words: Mapping[str, int], device: str, title: str) -> ProteinText:
    """The two networks of weights named as the hub's port of ProtST names them.

    Raises
    ------
    ModelError
        When a weight is missing or left over, or the description's vocabulary is not the network's.
    """
    import torch
    from transformers import BertConfig, BertModel, EsmConfig, EsmModel

    from backend.models.device import precision

    protein = EsmModel(EsmConfig(**_plain(config["protein_config"])), add_pooling_layer=False)
    text = BertModel(BertConfig(**_plain(config["text_config"])), add_pooling_layer=False)
    if len(words) != text.config.vocab_size:
        raise ModelError(
            f"{title} reads descriptions by {text.config.vocab_size:,} word pieces; its vocab.txt has {len(words):,}.",
            "Put the vocab.txt of the text encoder (PubMedBERT, abstracts) into the folder.",
        )
    left = {name: value for name, value in held.items() if not _PRETRAINING.search(name)}
    try:
        _fill(protein, left, "protein_model.esm.")
        _fill(text, left, "text_model.bert.")
        kind = precision(device)
        heads = {
            which: tuple(
                (left.pop(f"{at}.{part}.weight").to(device, kind), left.pop(f"{at}.{part}.bias").to(device, kind))
                for part in ("dense", "out_proj")
            )
            for which, at in (("protein", "protein_model.protein_mlp"), ("text", "text_model.text_mlp"))
        }
        scale = float(torch.as_tensor(left.pop("logit_scale")).float().exp())
    except KeyError as error:
        raise ModelError(f"{title} lacks the weight {error}.", "Choose a checkpoint of ProtST with both encoders.") from error
    if left:
        raise ModelError(f"{title} holds weights that ProtST does not have, such as {next(iter(left))}.", "Choose a checkpoint of ProtST.")
    first, second = (network.eval().requires_grad_(False).to(device=device, dtype=kind) for network in (protein, text))
    return ProteinText(first, second, heads, scale, words, device)


def _fill(network: Any, left: dict[str, Any], prefix: str) -> None:
    """Take a network's own weights out of `left`; KeyError names one that is missing."""
    import torch

    wanted = {name for name in network.state_dict() if not _PRETRAINING.search(name)}
    given = {name: left.pop(prefix + name) for name in sorted(wanted)}
    with torch.no_grad():
        for name, value in network.state_dict(keep_vars=True).items():
            if name in given:
                if value.shape != given[name].shape:
                    raise ModelError(
                        f"The weight {prefix}{name} has shape {tuple(given[name].shape)}, not {tuple(value.shape)}.",
                        "The settings in config.json belong to other weights; download the checkpoint again.",
                    )
                value.copy_(given[name])


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings without the notes of whoever wrote them."""
    return {name: value for name, value in settings.items() if not name.startswith("_") and name not in ("architectures", "torch_dtype")}


def _padded(rows: Sequence[NDArray[np.int64]], pad: int, device: str) -> tuple[Any, Any]:
    import torch

    longest = max(map(len, rows))
    ids = torch.full((len(rows), longest), pad, dtype=torch.long)
    for at, row in enumerate(rows):
        ids[at, : len(row)] = torch.from_numpy(np.ascontiguousarray(row))
    real = torch.arange(longest) < torch.tensor([len(row) for row in rows])[:, None]
    return ids.to(device), real.to(device)


def _word_pieces(words: Mapping[str, int]) -> Any:
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer

    made = Tokenizer(WordPiece(dict(words), unk_token="[UNK]"))
    made.normalizer, made.pre_tokenizer = BertNormalizer(lowercase=True), BertPreTokenizer()
    return made
