"""BioGPT as a predictor: it writes, says yes, no or maybe, or writes relations out, each in the wording it was taught."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from backend.errors import InputError
from backend.models.abilities import VERDICTS, Floats, Mention, Stated
from backend.models.biogpt_purposes import ANSWER, Purpose, read_statements, statement
from backend.models.biogpt_tokens import BioGptCodec
from backend.models.writing import Writer

_LARGE = 1_600  # width from which the published fine-tunes read text as written; smaller ones read it in lower case
_MOST = 384  # tokens of relations written out for one text


class BioGptModel(Writer):
    """Writes; with a fine-tune's purpose also judges, or writes relations out."""

    codec: BioGptCodec
    needs_mentions = False
    covering: float | None = None  # its sets were never calibrated

    def __init__(self, network: Any, codec: BioGptCodec, device: str, purpose: Purpose | None) -> None:
        config = network.config
        reach = int(config.max_position_embeddings)
        window = reach if purpose is None else reach * purpose.share[0] // purpose.share[1]
        super().__init__(network, codec, device, window=window, reach=reach, ends={codec.end})
        self.purpose = purpose
        self.relations: tuple[str, ...] = purpose.relations if purpose else ()
        self._as_written = purpose is None or int(config.hidden_size) >= _LARGE

    def verdict(self, question: str, contexts: Sequence[str]) -> Floats:
        """Probabilities (m, 3) of yes, no and maybe: the likelihood of each answer in the taught wording, over that of all three."""
        lead = self.codec.follow(ANSWER)
        answers = [self.codec.follow(f"{word}.") for word in VERDICTS]
        read = [self._source(f"question: {question.strip()} context: {context.strip()}") for context in contexts]
        longest = max((len(row) for row in read), default=0)
        if longest + len(lead) + max(map(len, answers)) > self.reach:
            raise InputError(
                f"Question and context have {longest:,} tokens; this model holds {self.reach:,} with its answer.", "Give a shorter context."
            )
        found = self.log_probs([([*row, *lead], answer) for row in read for answer in answers]).reshape(-1, len(VERDICTS))
        shares = np.exp(found - found.max(axis=1, keepdims=True, initial=-np.inf))
        made: Floats = (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
        return made

    def relate(self, texts: Sequence[str], pairs: Sequence[tuple[Mention, Mention]] = ()) -> list[list[Stated]]:
        """Relations that the model writes out for each text; what has not exactly the taught form is left out."""
        return [self._related(text) for text in texts]

    def relation_score(self, texts: Sequence[str], stated: Stated) -> Floats:
        """ln p of writing this relation, and no other before it, after each text."""
        assert self.purpose is not None
        target = self.codec.follow(statement(self.purpose, stated))
        return self.log_probs([(self._source(text), target) for text in texts])

    def _related(self, text: str) -> list[Stated]:
        assert self.purpose is not None
        before = self._source(text)
        most = min(_MOST, self.reach - len(before))
        if most < 1:
            raise InputError(
                f"The text has {len(before):,} tokens; this model holds {self.reach:,} with what it writes.", "Give a shorter text."
            )
        made = self.write_after(before, most=most)
        return read_statements(self.purpose, made.text, text, made.pieces, [float(np.exp(each)) for each in made.log_probs])

    def _source(self, text: str) -> list[int]:
        """What a fine-tune reads: the text with a full stop, in its own case, then the virtual tokens."""
        said = " ".join(text.split())
        said = said if self._as_written else said.lower()
        return [*self.codec.read(said if not said or said.endswith(".") else f"{said}."), *self.codec.learned]
