"""The writing loop against transformers' own, in any company and order, by seed, by beam, and to the letter."""

import numpy as np
import pytest
import torch

from backend.domain import ModelCard
from backend.errors import Cancelled, InputError, ModelError
from backend.models.families import biogpt, dot5, galactica
from backend.models.spelling import spelled
from backend.models.whole import load_whole
from tests.models import tiny_writers
from tests.models.proof import in_any_company

CARD = ModelCard("tiny", "Tiny", "x", "literature", (), "local", "", "")
FAMILIES = {"galactica": galactica, "biogpt": biogpt, "t5": dot5}
PROMPTS = ["the heart is", "a", "Aspirin (100 mg) reduces the risk of stroke in men"]


@pytest.fixture(scope="module", params=sorted(FAMILIES))
def model(request, tmp_path_factory):
    folder = getattr(tiny_writers, request.param)(tmp_path_factory.mktemp(request.param))
    return FAMILIES[request.param].load(folder, CARD, "cpu")


def reference(model, before, written):
    """ln p of each written token by one full pass of transformers' own class."""
    network = model._network
    with torch.inference_mode():
        if model._start is None:
            logits = network(input_ids=torch.tensor([[*before, *written]])).logits[0, len(before) - 1 : -1]
        else:
            logits = network(input_ids=torch.tensor([before]), decoder_input_ids=torch.tensor([[model._start, *written[:-1]]])).logits[0]
    return logits.log_softmax(-1)[torch.arange(len(written)), torch.tensor(written)].numpy()


def test_the_likeliest_text_is_that_of_transformers(model):
    before = model.codec.read(PROMPTS[0])
    with torch.inference_mode():
        theirs = model._network.generate(
            torch.tensor([before]), max_new_tokens=12, do_sample=False, num_beams=1, eos_token_id=sorted(model.ends), pad_token_id=1
        )[0].tolist()
    theirs = theirs[1 if model._start is not None else len(before) :]
    theirs = theirs[: next((at for at, token in enumerate(theirs) if token in model.ends), len(theirs))]
    made = model.write(PROMPTS[0], most=12, temperature=0, seed=0)
    assert made.text == model.codec.spell(before, theirs)
    np.testing.assert_allclose(made.log_probs, reference(model, before, theirs), atol=1e-5)
    assert "".join(made.pieces) == made.text
    assert len(made.pieces) == len(made.log_probs)


def test_a_drawn_text_follows_its_seed(model):
    drawn = [model.write(PROMPTS[0], most=12, temperature=1.0, seed=seed) for seed in (7, 7, 8)]
    assert drawn[0] == drawn[1]
    assert drawn[0].text != drawn[2].text


def test_likelihood_is_that_of_transformers_in_any_company(model):
    text = " the end of it"
    target = model.codec.follow(text)
    found = model.likelihood(PROMPTS, text)
    for prompt, value in zip(PROMPTS, found, strict=True):
        assert value == pytest.approx(reference(model, model.codec.read(prompt), target).sum(), abs=1e-4)
    in_any_company(lambda prompts: model.likelihood(prompts, " the"), [*PROMPTS, "x y z", ""])


def test_each_row_may_have_a_target_of_its_own(model):
    pairs = [(model.codec.read(prompt), model.codec.follow(text)) for prompt in PROMPTS for text in (" the", " no way")]
    in_any_company(model.log_probs, pairs)
    assert model.likelihood(PROMPTS, "").tolist() == [0.0] * 3


def test_too_long_is_refused_in_words(model):
    with pytest.raises(InputError, match="holds"):
        model.write("a b c " * 400, most=5, temperature=0, seed=0)
    with pytest.raises(InputError, match="holds"):
        model.likelihood(["a b c " * 400], "the")


def test_writing_stops_when_asked(model):
    asked = []

    def check():
        asked.append(1)
        if len(asked) == 3:
            raise Cancelled("Stopped.", "")

    with pytest.raises(Cancelled):
        model.write("the", most=50, temperature=1.0, seed=0, check=check)
    assert len(asked) == 3


def test_unknown_letters_are_counted(model):
    assert model.unknown_share("the heart") == 0
    assert model.lengths(["the"]) == [len(model.codec.read("the"))]


def test_beams_are_ordered_and_hold_the_true_likelihood(tmp_path):
    model = galactica.load(tiny_writers.galactica(tmp_path), CARD, "cpu")
    before = model.codec.read("the heart [START_REF]")
    found = model.beams(before, number=4, most=8)
    means = [float(np.mean(each.log_probs)) for each in found]
    assert means == sorted(means, reverse=True)
    assert len({each.text for each in found}) == len(found) == 4
    for each in found:
        again = model.likelihood(["the heart [START_REF]"], each.text, ids=each.ids)
        assert sum(each.log_probs) == pytest.approx(float(again[0]), abs=1e-4)
    one = model.beams(before, number=1, most=8)[0]
    assert one.text == model.write_after(before, most=8).text


def test_beams_are_those_of_transformers(tmp_path):
    model = galactica.load(tiny_writers.galactica(tmp_path), CARD, "cpu")
    before = model.codec.read("the heart")
    with torch.inference_mode():
        theirs = model._network.generate(
            torch.tensor([before]),
            max_new_tokens=6,
            num_beams=3,
            num_return_sequences=3,
            do_sample=False,
            eos_token_id=None,
            pad_token_id=1,
        )[:, len(before) :]
    model.ends = frozenset()
    ours = [each.text for each in model.beams(before, number=3, most=6)]
    assert ours[0] == model.codec.spell(before, theirs[0].tolist())
    assert set(ours) == {model.codec.spell(before, row.tolist()) for row in theirs}


def test_a_letter_of_several_tokens_belongs_to_its_last():
    class Bytes:
        unknown = None

        def spell(self, before, written):
            return bytes(written).decode("utf-8", "replace")

    assert spelled(Bytes(), [], list("aé".encode())) == ("aé", ("a", "", "é"))
    assert spelled(Bytes(), [], []) == ("", ())
    assert spelled(Bytes(), [], [97, 0, 98]) == ("a\ufffdb", ("a", "\ufffd", "b"))  # a database holds no null character


@pytest.mark.parametrize("spoil", ["missing", "left"])
def test_a_network_that_is_not_whole_is_refused_by_name(tmp_path, spoil):
    folder = tiny_writers.galactica(tmp_path)
    weights = torch.load(folder / "pytorch_model.bin", weights_only=True)
    if spoil == "missing":
        del weights["model.decoder.layers.1.fc1.weight"]
    else:
        weights["classifier.weight"] = torch.zeros(2, 32)
    torch.save(weights, folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"fc1\.weight" if spoil == "missing" else r"classifier\.weight"):
        load_whole("OPTForCausalLM", folder, CARD, "cpu")


def test_weights_of_another_shape_are_refused(tmp_path):
    folder = tiny_writers.galactica(tmp_path)
    weights = torch.load(folder / "pytorch_model.bin", weights_only=True)
    weights["model.decoder.layers.0.fc2.weight"] = torch.zeros(32, 65)
    torch.save(weights, folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="another shape"):
        load_whole("OPTForCausalLM", folder, CARD, "cpu")


def test_short_memory_halves_the_batch(tmp_path, monkeypatch):
    model = galactica.load(tiny_writers.galactica(tmp_path), CARD, "cpu")
    whole = model.likelihood(PROMPTS, " the end")
    own = model._taught

    def small(pairs):
        if len(pairs) > 1:
            raise torch.OutOfMemoryError("out of memory")
        return own(pairs)

    monkeypatch.setattr(model, "_taught", small)
    np.testing.assert_allclose(model.likelihood(PROMPTS, " the end"), whole, atol=1e-5)


@pytest.mark.gpu
@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_bfloat16_on_the_gpu_says_nearly_the_same(tmp_path, name):
    folder = getattr(tiny_writers, name)(tmp_path)
    slow, fast = FAMILIES[name].load(folder, CARD, "cpu"), FAMILIES[name].load(folder, CARD, "cuda")
    a, b = slow.likelihood(PROMPTS, " the end"), fast.likelihood(PROMPTS, " the end")
    np.testing.assert_allclose(a, b, rtol=0.05, atol=0.3)
    assert fast.write(PROMPTS[0], most=8, temperature=0, seed=0) == fast.write(PROMPTS[0], most=8, temperature=0, seed=0)
