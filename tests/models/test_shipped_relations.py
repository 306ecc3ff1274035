"""The reader of relations that ships: its files, what it reads off plain sentences, and that its explanation is of what it learned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend.config import ASSETS, load_config
from backend.explain.deletion import rank_correlation
from backend.explain.text import explain_words
from backend.models.abilities import Mention, Stated
from backend.models.families import readers
from backend.models.registry import file_sha256
from backend.models.runtime import Runtime
from tests.models.test_randomised_readers import randomised
from tests.prepare import models_folder

SENTENCES = (
    (
        "Patients given cyclophosphamide developed hemorrhagic cystitis within two weeks.",
        "cyclophosphamide",
        "hemorrhagic cystitis",
        "Disease",
    ),
    ("Severe liver injury was induced by high doses of acetaminophen in rats.", "acetaminophen", "liver injury", "Disease"),
    (
        "Gefitinib potently inhibits the epidermal growth factor receptor in lung cells.",
        "Gefitinib",
        "epidermal growth factor receptor",
        "Gene",
    ),
    ("Haloperidol acts as a selective antagonist of the D2 receptor in the striatum.", "Haloperidol", "D2 receptor", "Gene"),
)


def pair(text: str, head: str, tail: str, kind: str) -> tuple[Mention, Mention]:
    one, other = text.index(head), text.index(tail)
    return Mention(one, one + len(head), "Chemical", 1.0), Mention(other, other + len(tail), kind, 1.0)


@pytest.fixture(scope="module")
def runtime(tmp_path_factory) -> Runtime:
    data = tmp_path_factory.mktemp("data")
    if not models_folder().is_dir():
        pytest.skip("the embedded models were not fetched: python -m tests.prepare")
    (data / "models").symlink_to(models_folder(), target_is_directory=True)
    return Runtime(load_config({"BIOLOOM_DATA": str(data), "BIOLOOM_DEVICE": "cpu"}))


def test_its_files_are_those_that_the_card_names():
    folder: Path = ASSETS / "models" / readers.RELATIONS.name
    assert {name: file_sha256(folder / name) for name in readers.RELATIONS.files} == dict(readers.RELATIONS.files)
    assert sum(file.stat().st_size for file in folder.iterdir()) < 8_000_000


def test_plain_sentences_state_what_they_state(runtime):
    with runtime.use(readers.RELATIONS.name) as model:
        found = model.relate([text for text, *_ in SENTENCES], [pair(*each) for each in SENTENCES])
    assert [[each.relation for each in one] for one in found] == [
        ["chemical induces disease"],
        ["chemical induces disease"],
        ["INHIBITOR"],
        ["ANTAGONIST"],
    ]


@pytest.mark.slow
def test_random_weights_destroy_the_explanation(runtime):
    def explained(model, at):
        text, head, tail, kind = SENTENCES[at]
        relation = "chemical induces disease" if kind == "Disease" else ("INHIBITOR", "ANTAGONIST")[at - 2]
        stated = Stated(head, relation, tail, 0.9, head_kind="Chemical", tail_kind=kind)
        made = explain_words(lambda texts: model.relation_score(texts, stated), text, target="", unit="", evaluations=256)
        # without either name there is no pair, whatever the weights; the words around them are what was learned
        named = {word for name in (head, tail) for word in name.split()}
        return np.array([each.value for each in made.attributions if each.label not in named])

    with runtime.use(readers.RELATIONS.name) as model:
        true = [explained(model, at) for at in range(len(SENTENCES))]
        near = [
            rank_correlation(true[at], explained(randomised(model, 10 * seed + at), at)) for at in range(len(SENTENCES)) for seed in (1, 2)
        ]
    assert all(np.ptp(values) > 0 for values in true)
    assert abs(float(np.mean(near))) < 0.4, f"random weights are explained alike: {np.round(near, 2)}"
