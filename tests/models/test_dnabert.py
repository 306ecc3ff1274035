"""DNABERT as published: its words, its numbers beside transformers' own, what is refused, and the whole way through the workbench."""

from __future__ import annotations

import json

import numpy as np
import pytest

from backend.config import load_config
from backend.domain import digest
from backend.errors import InputError, ModelError
from backend.models.families import dnabert
from backend.models.kmer_bert import BASES, FREE, published_vocabulary
from backend.models.registry import add_local
from tests.models.proof import by_folder, by_hub, in_any_company, memory_back, through_command_line, through_road
from tests.models.untrained_dna import make_dnabert

GENE = "ACATTTGCTTCTGACACAACTGTGTTCACTAGCAACCTCAAACAGACACCATGGTGCATCTGACTCCTGAGGAGAAGTCTGCC"
FASTA = f">gene\n{GENE}\n"


@pytest.fixture
def config(tmp_path):
    return load_config({"BIOLOOM_DATA": str(tmp_path / "data"), "BIOLOOM_DEVICE": "cpu"})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("dnabert")


@pytest.fixture(scope="module")
def network(folder):
    return make_dnabert(folder / "lm")


@pytest.fixture(scope="module")
def model(folder, network):
    return dnabert.load(folder / "lm", dnabert.CARDS[-1], "cpu")


@pytest.fixture(scope="module")
def classifier(folder):
    """Three classes of a promoter model that never was trained."""
    reference = make_dnabert(folder / "classes", labels=("none", "TATA", "no TATA"))
    return reference, dnabert.load(folder / "classes", dnabert.CARDS[-1], "cpu")


def test_words_are_counted_up_in_the_published_order():
    three = published_vocabulary(3)
    assert three[:5] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert (three[5], three[6], three[7], three[8], three[9], three[-1]) == ("AAA", "AAT", "AAC", "AAG", "ATA", "GGG")
    # bert-config-3/vocab.txt of DNABERT's repository
    assert digest("\n".join(three)) == "868b0b1ca9c6dfe72771d7c98b406c21ab712d70b0df65216a19868149934b7d"
    assert [len(published_vocabulary(k)) for k in (3, 4, 5, 6)] == [69, 261, 1029, 4101]


def test_a_sequence_becomes_its_overlapping_words(model):
    words = published_vocabulary(3)
    assert [words[token] for token in model.tokens("ACGTTN")] == ["ACG", "CGT", "GTT", "[UNK]"]
    assert (model.k, model.window) == (3, 64)
    assert list(model.letters("ACGTNU")) == [0, 1, 2, 3, FREE, FREE]
    with pytest.raises(InputError, match="shorter than the 3-letter words"):
        model.tokens("AC")


def test_vectors_are_those_of_transformers(model, network):
    import torch

    with torch.inference_mode():
        ids = torch.tensor([[2, *model.tokens(GENE[:60]), 3]])
        wanted = network.bert(ids).last_hidden_state[0, 1:-1].mean(0).numpy()
    assert np.abs(model.embed([GENE[:60]])[0] - wanted).max() < 1e-5


def test_vectors_classes_and_bases_are_the_same_in_any_company(model, classifier):
    some = [GENE[:60], GENE[5:20], "ACGTA", GENE, GENE[::-1]]
    in_any_company(model.embed, some)
    in_any_company(lambda rows: classifier[1].classes([classifier[1].tokens(each[:60]) for each in rows]), some)
    tokens, letters = model.tokens(GENE[:50]), model.letters(GENE[:50])

    def bases(places):
        present = np.ones((len(places), 50), dtype=bool)
        present[np.arange(len(places)), places] = False
        return model.bases(model.hide(tokens, present), np.array(places), np.where(present, letters, FREE))[0]

    in_any_company(bases, [0, 7, 25, 48, 49])


def test_a_base_is_what_the_words_that_agree_with_its_neighbours_say(model, network):
    """Against a slow count over all words, at both ends, in the middle, beside a hidden neighbour and beside an unknown letter."""
    import torch

    words, text = published_vocabulary(3), "ACGTNGACCATTTGAC"
    for place, hidden in ((0, ()), (1, ()), (8, ()), (8, (9,)), (3, ()), (14, ()), (15, (13,))):
        present = np.ones((1, len(text)), dtype=bool)
        present[0, [place, *hidden]] = False
        letters = np.where(present, model.letters(text), FREE)
        found, kept = model.bases(model.hide(model.tokens(text), present), np.array([place]), letters)

        ids = [words.index(text[i : i + 3]) if text[i : i + 3] in words else 1 for i in range(len(text) - 2)]
        ids = [4 if any(not present[0, i + j] for j in range(3)) else token for i, token in enumerate(ids)]
        at = min(max(place - 1, 0), len(ids) - 1)
        with torch.inference_mode():
            chances = torch.softmax(network(torch.tensor([[2, *ids, 3]])).logits[0, at + 1], -1)
        sums = dict.fromkeys(BASES, 0.0)
        for token, word in enumerate(words[5:], start=5):
            own = [word[j] == text[at + j] for j in range(3) if at + j != place and present[0, at + j] and text[at + j] in BASES]
            if all(own):
                sums[word[place - at]] += float(chances[token])
        total = sum(sums.values())
        assert kept[0] == pytest.approx(total, rel=1e-4)
        assert np.exp(found[0]) == pytest.approx([sums[base] / total for base in BASES], abs=1e-5)
        assert np.exp(found[0]).sum() == pytest.approx(1)


def test_classes_are_those_of_transformers(classifier):
    import torch

    reference, made = classifier
    assert made.labels == ("none", "TATA", "no TATA")
    with torch.inference_mode():
        wanted = torch.softmax(reference(torch.tensor([[2, *made.tokens(GENE[:40]), 3]])).logits, -1).numpy()
    assert np.abs(made.classes([made.tokens(GENE[:40])]) - wanted).max() < 1e-5


def test_out_of_memory_halves_the_batch_and_changes_nothing(model, monkeypatch):
    calm, some = model.embed([GENE, GENE[:30], GENE[3:]]), [GENE, GENE[:30], GENE[3:]]
    whole = type(model)._means

    def short(self, rows):
        if len(rows) > 1:
            raise RuntimeError("CUDA out of memory")
        return whole(self, rows)

    monkeypatch.setattr(type(model), "_means", short)
    assert np.abs(model.embed(some) - calm).max() < 1e-5


def test_every_source_and_every_task(config, folder, network, tmp_path, monkeypatch):
    """Hub and folder load, road and command line run, and memory is given back."""
    make_dnabert(folder / "classes-2", labels=("no", "yes"))
    bare, classes = by_folder(config, folder / "lm", "dnabert"), by_folder(config, folder / "classes-2", "dnabert")
    assert bare.tasks == ("dna.variants", "sequence.embed")
    assert classes.tasks == ("dna.classify", "sequence.embed")
    hub = by_hub(config, monkeypatch, folder / "lm", dnabert.CARDS[-1])
    (tmp_path / "gene.fasta").write_text(FASTA)
    for name, task in ((bare.name, "dna.variants"), (hub.name, "dna.variants"), (classes.name, "dna.classify")):
        run = through_road(config, task, FASTA, {"model": name})
        made = through_command_line(config, ["analyse", tmp_path / "gene.fasta", "--task", task, "--set", f"model={name}"])
        assert made["prediction"]["results"] == run.prediction["results"]
        memory_back(config, name)


def test_a_second_training_task_left_in_the_weights_is_no_fault(config, folder, network, tmp_path):
    import torch

    made = make_dnabert(tmp_path / "old")
    weights = {**made.state_dict(), "cls.seq_relationship.weight": torch.zeros(2, 32), "cls.seq_relationship.bias": torch.zeros(2)}
    weights |= {"bert.pooler.dense.weight": torch.zeros(32, 32), "bert.pooler.dense.bias": torch.zeros(32)}
    torch.save(weights, tmp_path / "old" / "pytorch_model.bin", _use_new_zipfile_serialization=False)  # as in 2020
    card = add_local(config, tmp_path / "old", "dnabert")
    assert np.abs(dnabert.load(tmp_path / "old", card, "cpu").embed([GENE])[0]).max() > 0


@pytest.mark.parametrize("lost", ["cls.predictions.transform.dense.weight", "bert.encoder.layer.1.output.dense.bias"])
def test_a_missing_layer_is_refused_rather_than_drawn_at_random(folder, network, tmp_path, lost):
    import torch

    make_dnabert(tmp_path / "half")
    file = tmp_path / "half" / "pytorch_model.bin"
    weights = torch.load(file, weights_only=True)
    del weights[lost]
    torch.save(weights, file)
    with pytest.raises(ModelError, match="missing"):
        dnabert.load(tmp_path / "half", dnabert.CARDS[-1], "cpu")


def test_what_is_no_dnabert_is_refused_in_words(folder, network, tmp_path):
    made = tmp_path / "other"
    make_dnabert(made)
    settings = json.loads((made / "config.json").read_text())
    (made / "config.json").write_text(json.dumps({**settings, "alibi_starting_size": 512}))
    with pytest.raises(ModelError, match="DNABERT-2 is built on code of its own"):
        dnabert.examine(made)
    (made / "config.json").write_text(json.dumps(settings))
    (made / "vocab.txt").write_text("\n".join(published_vocabulary(3)[:-1]))
    with pytest.raises(ModelError, match="not one of DNABERT"):
        dnabert.examine(made)
    (made / "vocab.txt").unlink()
    with pytest.raises(ModelError, match=r"no readable vocab\.txt"):
        dnabert.examine(made)


def test_published_sizes_are_those_of_the_architecture():
    import torch
    from transformers import BertConfig, BertForMaskedLM

    for k in (3, 6):
        with torch.device("meta"):
            network = BertForMaskedLM(BertConfig(vocab_size=4**k + 5))
        assert sum(each.numel() for each in network.parameters()) == dnabert.parameters(k)


@pytest.mark.gpu
def test_half_precision_stays_near_single(folder, network, monkeypatch):
    half = dnabert.load(folder / "lm", dnabert.CARDS[-1], "cuda")
    monkeypatch.setenv("BIOLOOM_PRECISION", "float32")
    single = dnabert.load(folder / "lm", dnabert.CARDS[-1], "cuda")
    a, b = half.embed([GENE])[0], single.embed([GENE])[0]
    assert float(a @ b / np.linalg.norm(a) / np.linalg.norm(b)) > 0.99


def test_loading_draws_no_bar_over_what_is_printed(folder, network, capfd):
    from transformers.utils import logging

    logging.enable_progress_bar()
    dnabert.load(folder / "lm", dnabert.CARDS[-1], "cpu")
    assert "Loading weights" not in "".join(capfd.readouterr())
