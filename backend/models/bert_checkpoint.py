"""What a BERT checkpoint on text holds, read off its settings and the names of its weights; and its network, loaded without a gap."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from backend.errors import ModelError
from backend.models.labels import Scheme, read_scheme, verdict_columns
from backend.models.registry import Found, model_files
from backend.models.stored import modern, read_file, shapes
from backend.models.word_pieces import check_vocabulary, read_vocabulary

Head = Literal["none", "words", "marks", "relations", "verdict", "spans"]

TASKS: Mapping[Head, tuple[str, ...]] = {
    "none": ("literature.embed", "literature.nearest"),
    "words": ("literature.fill", "literature.embed", "literature.nearest"),
    "marks": ("literature.entities",),
    "relations": ("literature.relations",),
    "verdict": ("literature.verdict",),
    "spans": ("literature.answer",),
}
_CLASSES: Mapping[Head, str] = {
    "none": "BertModel",
    "words": "BertForMaskedLM",
    "marks": "BertForTokenClassification",
    "relations": "BertForSequenceClassification",
    "verdict": "BertForSequenceClassification",
    "spans": "BertForQuestionAnswering",
}
_HELD: Mapping[str, str] = {  # the weight that tells a head
    "BertForTokenClassification": "classifier.weight",
    "BertForSequenceClassification": "classifier.weight",
    "BertForQuestionAnswering": "qa_outputs.weight",
    "BertForMaskedLM": "cls.predictions.transform.dense.weight",
    "BertForPreTraining": "cls.predictions.transform.dense.weight",
}
_LIBRARIES = 600_000_000  # bytes that torch, transformers and the interpreter take, as measured on the sentence encoder
_KNOWN = re.compile(r"^(embeddings|encoder|pooler)\.")


@dataclass(frozen=True)
class Checkpoint:
    """A folder's settings with the names and shapes of its weights (names as transformers writes them, without the prefix ``bert.``)."""

    folder: Path
    config: Mapping[str, Any]
    shapes: Mapping[str, tuple[int, ...]]
    files: tuple[str, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The head's classes in the order of its outputs, verbatim; numbered where the settings name none."""
        named = self.config.get("id2label") or {}
        count = self.shapes["classifier.weight"][0] if "classifier.weight" in self.shapes else 0
        return tuple(str(named.get(str(at), f"LABEL_{at}")) for at in range(count))

    @property
    def head(self) -> Head:
        """What stands on the encoder: told by the weights that are there; the settings decide between two that look alike.

        Raises
        ------
        ModelError
            When the settings name a head whose weights are missing, or its classes cannot be told.
        """
        names = [str(each) for each in self.config.get("architectures") or ()]
        for name in names:
            if (needed := _HELD.get(name)) is not None and needed not in self.shapes:
                raise ModelError(
                    f"{self.folder.name} is called a {name}, but the weights of that head are missing.",
                    "Download the fine-tuned checkpoint again: a new head would answer at random.",
                )
        if "qa_outputs.weight" in self.shapes:
            return "spans"
        if "classifier.weight" in self.shapes:
            return self._classes(names)
        return "words" if _HELD["BertForMaskedLM"] in self.shapes else "none"

    @property
    def scheme(self) -> Scheme:
        """How the labels of a head on words mark things."""
        return read_scheme(self.labels, self.folder.name)

    @property
    def parameters(self) -> int:
        """Numbers in the weights; what is stored twice is counted twice."""
        sizes = [1] * len(self.shapes)
        for at, shape in enumerate(self.shapes.values()):
            for side in shape:
                sizes[at] *= side
        return sum(sizes)

    def _classes(self, names: list[str]) -> Head:
        labels = self.labels
        if "BertForTokenClassification" in names:
            read_scheme(labels, self.folder.name)
            return "marks"
        if self.config.get("problem_type") in ("multi_label_classification", "regression"):
            raise ModelError(f"{self.folder.name} gives {self.config['problem_type']}, which no task here reads.", "")
        if "BertForSequenceClassification" in names:
            return "verdict" if verdict_columns(labels) else "relations"
        raise ModelError(
            f"{self.folder.name} has a head of {len(labels)} classes, but config.json does not say of what ('architectures').",
            "Take config.json from the fine-tuned checkpoint, not from the model that it was made of.",
        )


def read_checkpoint(folder: Path) -> Checkpoint:
    """Settings and names of weights of a folder in the published format; nothing is run.

    Raises
    ------
    ModelError
        When it is no BERT on text, or could run code.
    """
    file = folder / "config.json"
    if not file.is_file():
        raise ModelError(f"{folder} holds no config.json.", "Choose the folder that holds config.json and the weights.")
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"{file} is not readable JSON.", "Download the checkpoint again.") from error
    if not isinstance(config, dict) or config.get("model_type", "bert") != "bert" or "hidden_size" not in config:
        raise ModelError(f"{folder.name} is no BERT.", "Add it under the family that it belongs to.")
    check_vocabulary(read_vocabulary(folder), folder.name)
    files = model_files(folder)
    weights = [each for each in files if each.suffix in {".safetensors", ".bin"}]
    if not weights:
        raise ModelError(f"{folder} holds no weights (*.safetensors or pytorch_model*.bin).", "Download the checkpoint's weights into it.")
    held = {_bare(name): shape for name, shape in shapes(folder).items()}
    if "embeddings.word_embeddings.weight" not in held:
        raise ModelError(f"{folder.name} holds no weights named as BERT's.", "Choose a checkpoint in the published (Hugging Face) format.")
    return Checkpoint(folder, config, held, tuple(each.name for each in files))


def examine_with(own: Callable[[Checkpoint, Mapping[str, int]], bool]) -> Callable[[Path], Found]:
    """The ``examine`` of a family: `own` tells from the settings and the vocabulary whether a checkpoint is surely of it."""

    def examine(folder: Path) -> Found:
        found = read_checkpoint(folder)
        head, vocabulary = found.head, read_vocabulary(folder)
        return Found(
            files=found.files,
            tasks=TASKS[head],
            certainty=2 if own(found, vocabulary) else 1,
            parameters=found.parameters,
            peak_bytes=peak_of(found.parameters),
            summary=_SUMMARIES[head](found),
            limits=(f"Reads at most {found.config.get('max_position_embeddings', 512)} word pieces at once; longer texts in windows.",),
        )

    return examine


def peak_of(parameters: int) -> int:
    """Memory while running in bytes, computed: the libraries, and the weights twice in float32 while they load."""
    return _LIBRARIES + 2 * 4 * parameters


def named(checkpoint: Checkpoint, *words: str) -> bool:
    """Whether the folder, or the name that the settings carry, holds one of these words."""
    told = f"{checkpoint.folder.name} {checkpoint.config.get('_name_or_path', '')}".lower()
    return any(word in told for word in words)


def load_network(checkpoint: Checkpoint, head: Head, device: str, title: str) -> Any:
    """transformers' network of the checkpoint, with every weight found in it and none left over.

    Raises
    ------
    ModelError
        When a weight is missing, of another shape, or belongs to no part of the network: nothing is ever filled in at random.
    """
    import transformers
    from transformers.utils import logging

    from backend.models.device import precision

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    kind = getattr(transformers, _CLASSES[head])
    config = transformers.BertConfig(**{key: value for key, value in checkpoint.config.items() if key not in ("architectures", "auto_map")})
    state = _state(checkpoint, head)
    extra = {"add_pooling_layer": False} if head == "none" else {}
    try:
        network, told = kind.from_pretrained(
            None, config=config, state_dict=state, output_loading_info=True, dtype=precision(device), **extra
        )
    except RuntimeError as error:
        raise ModelError(f"The weights of {title} do not fit its settings.", "Download the checkpoint again, all files of it.") from error
    missing, left = sorted(told["missing_keys"]), sorted(told["unexpected_keys"])
    if missing or left or told["mismatched_keys"]:
        wrong = (missing or left or sorted(str(each) for each in told["mismatched_keys"]))[0]
        what = "lacks the weight" if missing else "holds a weight that belongs to no part of it," if left else "has another shape of"
        raise ModelError(f"{title} {what} {wrong}.", "Download the checkpoint again; its config.json and its weights must belong together.")
    return network.eval().to(device)


def _bare(name: str) -> str:
    """A weight's name as it is written today, without the prefix ``bert.``."""
    return modern(name.removeprefix("bert."))


def _state(checkpoint: Checkpoint, head: Head) -> dict[str, Any]:
    keep_pooler = head in ("relations", "verdict")
    made: dict[str, Any] = {}
    for file in checkpoint.files:
        if file.endswith((".safetensors", ".bin")):
            for name, value in read_file(checkpoint.folder / file).items():
                short = _bare(name)
                unused = short.startswith("pooler.") and not keep_pooler
                if not (short.endswith("position_ids") or short.startswith("cls.seq_relationship.") or unused):
                    made[short if head == "none" or not _KNOWN.match(short) else f"bert.{short}"] = value
    if head == "words" and "cls.predictions.bias" not in made and "cls.predictions.decoder.bias" in made:
        made["cls.predictions.bias"] = made["cls.predictions.decoder.bias"]
    return made


_SUMMARIES: Mapping[Head, Callable[[Checkpoint], str]] = {
    "none": lambda found: "An encoder without a head: vectors of sentences.",
    "words": lambda found: "A masked language model: hidden words, and vectors of sentences.",
    "marks": lambda found: f"Marks named things in a text: {', '.join(found.scheme.kinds)}.",
    "relations": lambda found: f"Classifies a marked pair: {', '.join(found.labels)}.",
    "verdict": lambda found: f"Answers a question on a text with {', '.join(found.labels)}.",
    "spans": lambda found: "Finds the words of a text that answer a question.",
}
