"""A reader's explanation is of what it learned: with random weights the network must be explained otherwise (Adebayo et al. 2018)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backend.config import load_config
from backend.domain import Explanation
from backend.explain.deletion import rank_correlation
from backend.explain.text import explain_words
from backend.literature.judging import log_odds
from backend.literature.why_words import explain_mention
from backend.models.families import readers
from backend.models.runtime import Runtime
from tests.prepare import models_folder

SENTENCES = (
    "Metformin lowered fasting glucose in adults with type 2 diabetes.",
    "Patients given cyclophosphamide developed hemorrhagic cystitis within two weeks.",
    "No effect of aspirin on blood pressure was found in children.",
    "Mutations of BRCA1 raise the risk of breast cancer.",
)
NAMES = (("Metformin", "Chemical"), ("cyclophosphamide", "Chemical"), ("aspirin", "Chemical"), ("breast cancer", "Disease"))
QUESTIONS = (
    "Does metformin lower glucose?",
    "Does cyclophosphamide cause cystitis?",
    "Does aspirin lower blood pressure?",
    "Do mutations of BRCA1 raise the risk of cancer?",
)


@pytest.fixture(scope="module")
def runtime(tmp_path_factory) -> Runtime:
    data = tmp_path_factory.mktemp("data")
    if not models_folder().is_dir():
        pytest.skip("the embedded models were not fetched: python -m tests.prepare")
    (data / "models").symlink_to(models_folder(), target_is_directory=True)
    return Runtime(load_config({"BIOLOOM_DATA": str(data), "BIOLOOM_DEVICE": "cpu"}))


def randomised(model: Any, seed: int) -> Any:
    """The same network with every matrix drawn anew, of the same spread."""
    import torch

    made = copy.deepcopy(model)
    torch.manual_seed(seed)
    modules = {id(part): part for part in vars(made).values() if isinstance(part, torch.nn.Module)}
    with torch.no_grad():
        for module in modules.values():
            for values in module.parameters():
                if values.ndim > 1:
                    values.copy_(torch.randn_like(values) * values.std() + values.mean())
    return made


def of_entity(model: Any, at: int, seed: int) -> Explanation:
    sentence, (name, kind) = SENTENCES[at], NAMES[at]
    own = (sentence.index(name), sentence.index(name) + len(name))
    return explain_mention(
        lambda texts, left: model.mention_score(texts, left, kind), sentence, own, target="", unit="probability", evaluations=256
    )


def of_words(score: Callable[[Any, str, list[str]], np.ndarray]) -> Callable[[Any, int, int], Explanation]:
    def explained(model: Any, at: int, seed: int) -> Explanation:
        return explain_words(
            lambda texts: score(model, QUESTIONS[at], list(texts)), SENTENCES[at], target="", unit="ln odds", evaluations=256, seed=seed
        )

    return explained


def values(made: Explanation) -> np.ndarray:
    return np.array([each.value for each in made.attributions])


EXPLAINED = {
    readers.ENTITIES.name: of_entity,
    readers.VERDICT.name: of_words(lambda model, question, texts: log_odds(model.verdict(question, texts)[:, 0])),
    readers.EVIDENCE.name: of_words(lambda model, question, texts: log_odds(model.weigh(question, texts)[0])),
    f"{readers.EVIDENCE.name}, its side": of_words(lambda model, question, texts: log_odds(model.weigh(question, texts)[1][:, 0])),
}


@pytest.mark.parametrize("name", EXPLAINED)
def test_random_weights_destroy_the_explanation(runtime, name):
    explained = EXPLAINED[name]
    with runtime.use(name.split(",")[0]) as model:
        true = [explained(model, at, 0) for at in range(len(SENTENCES))]
        drawn = [(at, randomised(model, 1 + at)) for at in range(len(SENTENCES))]
        made = [explained(other, at, 0) for at, other in drawn]
    near = [rank_correlation(values(one), values(other)) for one, other in zip(true, made, strict=True)]
    assert all(np.ptp(values(one)) > 0 for one in true)
    held = [sum(each.faithfulness.reliable for each in some) for some in (true, made)]
    assert held[0] >= 3, [each.faithfulness.reason for each in true]
    assert held[1] == 0, [each.faithfulness.reason for each in made]
    assert float(np.mean(near)) < 0.4, f"random weights are explained alike: {np.round(near, 2)}"
