"""BERT's word pieces with their places in the text: read from a checkpoint's own vocabulary, with the casing that it was made with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from backend.errors import ModelError

UNKNOWN, FIRST, LAST, MASK, PAD = "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[PAD]"
_NEEDED = (UNKNOWN, FIRST, LAST, MASK, PAD)
_ENGLISH = ("the", "of", "and", "in", "with", "patients")  # a vocabulary of text holds at least three of these
_CASED = 0.01  # share of pieces with a capital letter from which a vocabulary is one of cased text (published ones: 0, or over 0.2)
_REMEDY = "Put the checkpoint's own vocab.txt (or tokenizer.json) beside its weights."


@dataclass(frozen=True)
class Pieces:
    """A text cut into pieces.

    Attributes
    ----------
    ids : tuple of int
        Tokens, without special ones.
    places : tuple of (int, int)
        Characters of the text, half-open, for each.
    words : tuple of int
        Number of the word that each belongs to; a sign of punctuation is a word of its own.
    """

    ids: tuple[int, ...]
    places: tuple[tuple[int, int], ...]
    words: tuple[int, ...]

    def extents(self) -> list[tuple[int, int]]:
        """First and last piece of every word."""
        firsts = [at for at, word in enumerate(self.words) if at == 0 or word != self.words[at - 1]]
        return [(first, after - 1) for first, after in pairwise([*firsts, len(self.words)])] if firsts else []

    def word_places(self) -> list[tuple[int, int]]:
        """Characters of every word."""
        return [(self.places[first][0], self.places[last][1]) for first, last in self.extents()]


class WordPieces:
    """The tokenizer of one checkpoint. What a person's text says is never read as a special token.

    Attributes
    ----------
    first, last, mask, pad, unknown : int
        Ids of the special tokens.
    """

    def __init__(self, tokenizer: Any, title: str) -> None:
        self._tokenizer = tokenizer
        tokenizer.encode_special_tokens = True  # '[SEP]' typed by a person is four signs and a word
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self.vocabulary: dict[str, int] = tokenizer.get_vocab()
        check_vocabulary(self.vocabulary, title)
        self.first, self.last, self.mask = (self.vocabulary[token] for token in (FIRST, LAST, MASK))
        self.pad, self.unknown = self.vocabulary[PAD], self.vocabulary[UNKNOWN]

    def cut(self, texts: Sequence[str]) -> list[Pieces]:
        """Every text in pieces."""
        found = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [Pieces(tuple(each.ids), tuple(each.offsets), tuple(each.word_ids)) for each in found]

    def unknown_share(self, text: str) -> float:
        """Share of the text's pieces that the vocabulary does not know."""
        ids = self.cut([text])[0].ids
        return float(sum(each == self.unknown for each in ids) / max(1, len(ids)))

    def whole_words(self) -> Iterator[tuple[int, str]]:
        """(id, word) of the pieces that are words of their own: no special token, no continuation, at least one letter or digit."""
        for piece, at in self.vocabulary.items():
            if not piece.startswith(("##", "[unused")) and piece not in _NEEDED and any(sign.isalnum() for sign in piece):
                yield at, piece


def check_vocabulary(vocabulary: Any, title: str) -> None:
    """Make sure that a vocabulary is one of BERT's on text.

    Raises
    ------
    ModelError
        When it lacks special tokens or common words: another family's, or one that was not read.
    """
    if missing := [token for token in _NEEDED if token not in vocabulary]:
        raise ModelError(f"The vocabulary of {title} lacks {', '.join(missing)}.", _REMEDY)
    if sum(word in vocabulary for word in _ENGLISH) < 3:
        raise ModelError(f"The vocabulary of {title} holds no English words: it is none of a model of text.", _REMEDY)


def read_word_pieces(folder: Path, title: str) -> WordPieces:
    """The tokenizer of a folder: its tokenizer.json, else built from vocab.txt.

    Casing follows tokenizer_config.json; where that does not say, the vocabulary does: a cased one holds pieces with capitals. (Early
    checkpoints, among them SciBERT's and BioBERT's, were published without those settings.)

    Raises
    ------
    ModelError
        When there is no vocabulary, or it is not of BERT's kind.
    """
    from tokenizers import Tokenizer, models

    file = folder / "tokenizer.json"
    if not file.is_file():
        return WordPieces(_built(folder, title), title)
    try:
        made = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises plain Exception for what it cannot read
        raise ModelError(f"tokenizer.json of {title} cannot be read.", _REMEDY) from error
    if not isinstance(made.model, models.WordPiece):
        raise ModelError(f"{title} does not cut text into BERT's word pieces.", "Add it under the family that it belongs to.")
    return WordPieces(made, title)


def read_vocabulary(folder: Path) -> dict[str, int]:
    """Pieces and their ids, from vocab.txt or tokenizer.json, without building a tokenizer.

    Raises
    ------
    ModelError
        When there is neither.
    """
    try:
        if (folder / "vocab.txt").is_file():
            lines = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")
            return {line.rstrip("\r"): at for at, line in enumerate(lines) if line.rstrip("\r")}
        if (folder / "tokenizer.json").is_file():
            found = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
            if isinstance(found, dict):
                return {str(piece): int(at) for piece, at in found.items()}
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"The vocabulary in {folder.name} cannot be read.", _REMEDY) from error
    raise ModelError(f"{folder} holds no vocabulary of word pieces (vocab.txt or tokenizer.json).", _REMEDY)


def _built(folder: Path, title: str) -> Any:
    from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers

    vocabulary, settings = read_vocabulary(folder), _settings(folder / "tokenizer_config.json")
    check_vocabulary(vocabulary, title)
    made = Tokenizer(models.WordPiece(vocabulary, unk_token=UNKNOWN, max_input_chars_per_word=100))
    made.normalizer = normalizers.BertNormalizer(
        clean_text=True,
        handle_chinese_chars=bool(settings.get("tokenize_chinese_chars", True)),
        strip_accents=settings.get("strip_accents"),
        lowercase=bool(settings.get("do_lower_case", not is_cased(vocabulary))),
    )
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    added = _settings(folder / "added_tokens.json")
    for token, at in sorted(added.items(), key=lambda pair: int(pair[1])):
        made.add_tokens([AddedToken(token, special=token.startswith("["), normalized=False)])
        if made.token_to_id(token) != at:
            raise ModelError(f"added_tokens.json of {title} numbers {token} otherwise than its vocabulary allows.", _REMEDY)
    return made


def is_cased(vocabulary: Any) -> bool:
    """Whether a vocabulary was made of text with its capitals."""
    words = [piece for piece in vocabulary if not piece.startswith("[")]
    return bool(sum(piece != piece.lower() for piece in words) > _CASED * len(words))


def _settings(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ModelError(f"{file.name} is not readable JSON.", "Download the checkpoint again.") from error
    return found if isinstance(found, dict) else {}
