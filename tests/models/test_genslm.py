"""GenSLMs as published: codons to ids, numbers beside transformers' GPT-NeoX, key remapping, what is refused, and every task."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

from backend.config import load_config
from backend.errors import InputError, ModelError
from backend.models.codon_neox import read_shape
from backend.models.codons import CODONS, pieces
from backend.models.families import genslm
from backend.models.registry import add_local
from tests.models.proof import by_folder, in_any_company, memory_back, through_command_line, through_road
from tests.models.untrained_dna import lightning, make_genslm

GENE = "ATGGTGCATCTGACTCCTGAGGAGAAGTCTGCCGTTACTGCCCTGTGGGGCAAGGTGAACGTGGATGAAGTTGGTGGTGAGGCCCTGGGC"
SPLIT = [GENE[at : at + 3] for at in range(0, len(GENE), 3)]


@pytest.fixture
def config(tmp_path):
    return load_config({"BIOLOOM_DATA": str(tmp_path / "data"), "BIOLOOM_DEVICE": "cpu"})


@pytest.fixture(scope="module", params=[69, 71])
def made(request, shared, tmp_path_factory):
    """A small GenSLM with each of the two published vocabularies: folder, transformers' network, ours."""
    folder = tmp_path_factory.mktemp("genslm") / f"small-{request.param}"
    network = make_genslm(folder, request.param)
    return folder, network, genslm.load(folder, genslm.CARDS[0], "cpu")


@pytest.fixture
def folder(shared, tmp_path):
    make_genslm(tmp_path / "small")
    return tmp_path / "small"


def test_codons_get_their_published_ids(shared):
    from tokenizers import Tokenizer

    for size, golden in ((69, {"GGC": 5, "ATG": 10, "TAG": 68}), (71, {"GGC": 7, "ATG": 12, "TAG": 70})):
        file = shared / "tokenizers" / f"genslm_codon_wordlevel_{size}vocab.json"
        found, reference = genslm.read_vocabulary(file), Tokenizer.from_file(str(file))
        assert {codon: found[codon] for codon in golden} == golden
        ids = reference.encode(" ".join(CODONS)).ids
        assert [found[codon] for codon in CODONS] == [token for token in ids if token not in (2, 3) or size == 69]


def test_the_published_architecture_has_the_published_number_of_weights(shared):
    shape = read_shape(json.loads((shared / "tokenizers" / "genslm_arch_25M.json").read_text()), "GenSLM")
    assert shape.parameters == 25_290_752 == genslm.CARDS[0].parameters
    assert (shape.turned, shape.places) == (16, 2048)
    assert genslm.CARDS[2].parameters == 2_533_931_008


def test_likelihoods_are_those_of_transformers(made):
    import torch

    _, network, model = made
    row = model.tokens(SPLIT)
    begin = [] if model.begin is None else [model.begin]
    with torch.inference_mode():
        logits = network(torch.tensor([[*begin, *row]])).logits[0]
    wanted = torch.log_softmax(logits, -1).numpy()[:-1][:, [model._ids[codon] for codon in CODONS]]
    (found,) = model.likelihoods([row])
    assert np.abs(found[1 - len(begin) :] - wanted).max() < 1e-5
    assert np.isnan(found[0]).all() == (model.begin is None)


def test_vectors_are_the_mean_of_the_last_layer_of_transformers(made):
    import torch

    _, network, model = made
    begin = [] if model.begin is None else [model.begin]
    with torch.inference_mode():
        states = network(torch.tensor([[*begin, *model.tokens(SPLIT)]]), output_hidden_states=True).hidden_states[-1][0]
    assert np.abs(model.embed([GENE])[0] - states[len(begin) :].mean(0).numpy()).max() < 1e-5
    assert np.abs(model.embed([GENE + "AC"]) - model.embed([GENE.lower().replace("t", "u")])).max() < 1e-6
    with pytest.raises(InputError, match="no whole codon"):
        model.embed(["AC"])


def test_the_same_in_any_company_and_nothing_after_a_codon_changes_it(made):
    _, _, model = made
    rows = [model.tokens(SPLIT), model.tokens(SPLIT[:3]), model.tokens(SPLIT[5:9]), model.tokens(SPLIT[::-1])]
    skip = int(model.begin is None)
    in_any_company(lambda some: [found[skip:] for found in model.likelihoods(some)], rows)
    in_any_company(model.embed, [GENE, GENE[:12], "ATGNNNTAA"])
    whole, cut = model.likelihoods([rows[0], rows[0][:10]])
    assert np.abs(whole[skip:10] - cut[skip:]).max() < 1e-5


def test_what_is_written_has_the_likelihood_it_says(made):
    """The quick way, codon by codon on what was kept, gives what one look at the whole gives; the seed decides."""
    _, _, model = made
    written = model.write(SPLIT[:4], most=15, temperature=1.0, seed=3, stops=frozenset())
    assert len(written.codons) == 15
    assert written.ended == "length"
    (whole,) = model.likelihoods([model.tokens([*SPLIT[:4], *written.codons])])
    whole = whole[4:] - np.logaddexp.reduce(whole[4:], axis=1, keepdims=True)  # codons only, no signs
    again = [whole[i, CODONS.index(codon)] for i, codon in enumerate(written.codons)]
    assert np.abs(np.array(again) - written.log_probs).max() < 1e-5
    assert model.write(SPLIT[:4], most=15, temperature=1.0, seed=3, stops=frozenset()) == written
    assert model.write(SPLIT[:4], most=15, temperature=1.0, seed=4, stops=frozenset()).codons != written.codons
    likeliest = model.write(SPLIT[:4], most=1, temperature=0.0, seed=0, stops=frozenset())
    assert likeliest.codons[0] == CODONS[int(np.argmax(whole[0]))]
    stopped = model.write(SPLIT[:4], most=15, temperature=1.0, seed=3, stops=frozenset(written.codons[2:3]))
    assert stopped.codons == written.codons[: 1 + written.codons.index(written.codons[2])]
    assert stopped.ended == "stop"
    with pytest.raises(InputError, match="beyond the"):
        model.write(SPLIT, most=15, temperature=1.0, seed=3, stops=frozenset())


def test_a_long_gene_is_judged_once_everywhere_after_half_a_window_or_more(made):
    _, _, model = made
    assert list(pieces(10, 4)) == [(0, 4, 0), (2, 6, 4), (4, 8, 6), (6, 10, 8)]
    for length in (1, 31, 32, 33, 47, 48, 100):
        judged = [at for start, end, first in pieces(length, 32) for at in range(first, end)]
        assert judged == list(range(length))
        assert all(start == 0 or first - start >= 16 for start, end, first in pieces(length, 32))
    long = model.tokens([*SPLIT, *SPLIT, *SPLIT])
    (found,) = model.likelihoods([long])
    size = model.window
    start, end, first = list(pieces(len(long), size))[2]
    (part,) = model.likelihoods([long[start:end]])
    assert np.abs(found[first:end] - part[first - start :]).max() < 1e-5


def test_weights_under_other_wrappers_are_the_same_weights(folder, config):
    """safetensors of transformers' own making in place of the checkpoint of training."""
    from safetensors.torch import save_file

    first = genslm.load(folder, genslm.CARDS[0], "cpu").embed([GENE])
    network = make_genslm(folder)
    (folder / "small_val_loss_0.57.pt").unlink()
    save_file({name: value.clone() for name, value in network.state_dict().items()}, folder / "model.safetensors")
    card = add_local(config, folder, "genslm")
    assert np.abs(genslm.load(folder, card, "cpu").embed([GENE]) - first).max() == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda held: held.pop("model.gpt_neox.layers.1.mlp.dense_h_to_4h.bias"), "lacks weights"),
        (lambda held: held.update({"model.gpt_neox.layers.2.mlp.dense_h_to_4h.bias": held["model.embed_out.weight"]}), "does not have"),
        (lambda held: held.update({"model.embed_out.weight": held["model.embed_out.weight"][:-1]}), "its architecture says"),
    ],
    ids=["missing", "left over", "of another shape"],
)
def test_weights_that_do_not_fit_are_refused_by_name(folder, change, words):
    import torch

    network = make_genslm(folder)
    held = lightning(network)
    change(held)
    torch.save({"state_dict": held}, folder / "small_val_loss_0.57.pt")
    with pytest.raises(ModelError, match=words):
        genslm.examine(folder)
    with pytest.raises(ModelError, match=words):
        genslm.load(folder, genslm.CARDS[0], "cpu")


class Code:
    """Runs a command when it is unpickled."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)


def test_code_in_a_checkpoint_is_refused_and_never_runs(folder, tmp_path):
    import torch

    torch.save({"state_dict": {}, "hyper_parameters": Code(tmp_path / "ran")}, folder / "small_val_loss_0.57.pt")
    with pytest.raises(ModelError, match="could run code") as caught:
        genslm.examine(folder)
    assert "state_dict" in caught.value.hint
    assert not (tmp_path / "ran").exists()


def test_a_folder_that_lacks_one_of_the_three_files_says_which(folder):
    for name, words in (
        ("neox_small.json", "holds no architecture file"),
        ("codon_wordlevel_69vocab.json", "holds no codon tokenizer"),
        ("small_val_loss_0.57.pt", "holds no file of weights"),
    ):
        aside = (folder / name).rename(folder / "aside")
        with pytest.raises(ModelError, match=words):
            genslm.examine(folder)
        aside.rename(folder / name)
    assert genslm.examine(folder).certainty == 2


def test_the_published_25_billion_architecture_cannot_be_computed_and_says_so():
    settings = {"model_type": "gpt_neox", "hidden_size": 8196, "num_attention_heads": 64, "num_hidden_layers": 64}
    settings |= {"intermediate_size": 8000, "vocab_size": 69, "max_position_embeddings": 2048, "hidden_act": "gelu_fast"}
    with pytest.raises(ModelError, match="no multiple of its 64 heads"):
        read_shape(settings, "GenSLM 25B")


def test_every_task_by_road_and_command_line_and_memory_back(config, folder, tmp_path):
    card = by_folder(config, folder, "genslm")
    assert card.tasks == ("dna.genome", "dna.generate", "sequence.embed")
    (tmp_path / "gene.fasta").write_text(f">gene\n{GENE[:30]}\n")
    for task, more in (("dna.genome", {}), ("dna.generate", {"most": 8})):
        run = through_road(config, task, f">gene\n{GENE[:30]}\n", {"model": card.name, **more})
        told = [f"--set={name}={value}" for name, value in {"model": card.name, **more}.items()]
        made = through_command_line(config, ["analyse", tmp_path / "gene.fasta", "--task", task, *told])
        assert made["prediction"]["results"] == run.prediction["results"]
    memory_back(config, card.name)


@pytest.mark.gpu
def test_half_precision_stays_near_single(folder, monkeypatch):
    half = genslm.load(folder, genslm.CARDS[0], "cuda")
    monkeypatch.setenv("BIOLOOM_PRECISION", "float32")
    single = genslm.load(folder, genslm.CARDS[0], "cuda")
    a, b = half.embed([GENE])[0], single.embed([GENE])[0]
    assert float(a @ b / np.linalg.norm(a) / np.linalg.norm(b)) > 0.99
