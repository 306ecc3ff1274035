"""Text to BioGPT's tokens: Moses words, byte pairs, and the virtual tokens of its fine-tunes."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backend.models.spelling import Ids

_LEARNED = re.compile(r"learned(\d+)(</w>)?")
_NEAR = 16  # tokens before a text that decide how its first word joins them


class BioGptCodec:
    """Moses splits words and signs, byte pairs split words; every text begins with the sign </s>.

    Parameters
    ----------
    tokenizer : transformers.BioGptTokenizer
    rows : int
        Tokens that the network has an embedding for.
    """

    def __init__(self, tokenizer: Any, rows: int) -> None:
        self._tokenizer = tokenizer
        self._moses = threading.Lock()  # sacremoses and the cache of byte pairs were not made to be shared
        self.end: int = int(tokenizer.convert_tokens_to_ids("</s>"))
        self.unknown: int | None = int(tokenizer.convert_tokens_to_ids("<unk>"))
        self.learned = learned_tokens(tokenizer.encoder, rows)

    def read(self, text: str) -> list[int]:
        return [self.end, *self.follow(text)]

    def follow(self, text: str) -> list[int]:
        with self._moses:
            pieces = self._tokenizer._tokenize(text) if text.strip() else []
            return [int(each) for each in self._tokenizer.convert_tokens_to_ids(pieces)] if pieces else []

    def spell(self, before: Ids, written: Ids) -> str:
        near = [each for each in before[-_NEAR:] if each not in self.learned and each != self.end]
        whole, start = self._joined([*near, *written]), self._joined(near)
        if near and whole.startswith(start):
            return whole[len(start) :]
        return (" " if near else "") + self._joined(written)

    def _joined(self, ids: Sequence[int]) -> str:
        if not ids:
            return ""
        with self._moses:
            tokens = self._tokenizer.convert_ids_to_tokens(list(ids))
            return str(self._tokenizer.convert_tokens_to_string(tokens))


def learned_tokens(vocabulary: Mapping[str, int], rows: int) -> tuple[int, ...]:
    """The virtual tokens of a fine-tune: by their names, or the rows that follow the vocabulary's."""
    named = {int(found[1]): at for name, at in vocabulary.items() if (found := _LEARNED.fullmatch(name))}
    return tuple(named[number] for number in sorted(named)) if named else tuple(range(1 + max(vocabulary.values()), rows))


def published_tokenizer(folder: Path) -> Any:
    """The tokenizer of a folder with vocab.json and merges.txt."""
    from transformers import BioGptTokenizer

    return BioGptTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))


def archive_tokenizer(vocabulary: Mapping[str, int], merges: Sequence[tuple[str, str]]) -> Any:
    """The same from fairseq's dictionary and codes."""
    import tempfile

    from transformers import BioGptTokenizer

    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
        (Path(name) / "merges.txt").write_text("".join(f"{a} {b}\n" for a, b in merges), encoding="utf-8")
        return BioGptTokenizer(f"{name}/vocab.json", f"{name}/merges.txt")
