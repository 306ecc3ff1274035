"""A protein language model of our own, up to its training: the data as it is read and split, batches, and the network's loss."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from backend.errors import InputError
from backend.models import esm_cards
from backend.models.esm_cards import CARDS
from backend.models.packed import attend
from backend.training.proteins import blast, clusters, source
from backend.training.proteins.attention import disagreement, pick_attention
from backend.training.proteins.batches import Batch, Batches
from backend.training.proteins.network import SHAPES, build, logits, loss, to_packed
from backend.training.proteins.proteins import PARTS, Proteins
from backend.training.proteins.tokens import FIRST, IS_TWENTY, LAST, MASK, TOKENS, to_letters, to_tokens

TINY = (2, 32, 4)
BLAT = "HPETLVKVKDAEDQLGARVGYIELDLNSGKILESFRPEERFPMMSTFKVLLCGAVLSRIDAGQEQLGRRIHYSQNDLVEYSPVTEKHLTDGMTVRELCSAAITMSDNTAANLLLTTIGGPKE"
UBIQUITIN = "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG"


def tokens(sequence: str) -> np.ndarray:
    return to_tokens(np.frombuffer(sequence.encode(), np.uint8))


def as_set(folder: Path, sequences: list[str], part: list[int] | None = None) -> Proteins:
    residues = np.concatenate([tokens(each) for each in sequences])
    offsets = np.concatenate([[0], np.cumsum([len(each) for each in sequences])])
    n = len(sequences)
    return Proteins(folder, residues, offsets, np.arange(n, dtype=np.int32), np.array(part or [0] * n, dtype=np.uint8), {})


@pytest.fixture
def proteins(tmp_path: Path) -> Proteins:
    drawn = np.random.default_rng(0)
    made = ["".join(drawn.choice(list("ACDEFGHIKLMNPQRSTVWY"), size)) for size in drawn.integers(5, 90, 40)]
    return as_set(tmp_path, [BLAT, UBIQUITIN, *made])


# --- a BLAST volume -----------------------------------------------------------------------------------------------


def write_volume(stem: Path, entries: list[tuple[str, str]], version: int = 4) -> None:
    """A volume as makeblastdb writes it."""
    headers, codes, places = b"", b"\0", [[0], [1]]
    for title, sequence in entries:
        size = len(title)
        length = bytes([size]) if size < 128 else bytes([0x82, size >> 8, size & 255])
        headers += b"\x30\x80\x30\x80\xa0\x80\x1a" + length + title.encode() + bytes(9)
        codes += bytes(blast.LETTERS.index(letter) for letter in sequence) + b"\0"
        places[0].append(len(headers))
        places[1].append(len(codes))
    index = np.array([version, 1, 4], ">i4").tobytes() + b"name" + np.array([4], ">i4").tobytes() + b"date"
    index += np.array([len(entries)], ">i4").tobytes() + np.array([len(codes) - 1 - len(entries)], "<i8").tobytes()
    index += np.array([max(len(sequence) for _, sequence in entries)], ">i4").tobytes() + np.array(places, ">i4").tobytes()
    stem.parent.mkdir(parents=True, exist_ok=True)
    for ending, content in ((".pin", index), (".phr", headers), (".psq", codes)):
        stem.with_name(stem.name + ending).write_bytes(content)


def test_a_volume_gives_titles_and_sequences_also_where_a_title_is_long(tmp_path):
    entries = [("P1|GO:1", "MKVX"), ("P2|" + ",".join(["GO:0000001"] * 40), "ACDUOBZ")]
    write_volume(tmp_path / "v", entries)
    found = blast.read_volume(tmp_path / "v")
    read = ["".join(blast.LETTERS[code] for code in found.codes[a:b]) for a, b in zip(found.starts, found.ends, strict=True)]
    assert list(zip(found.titles, read, strict=True)) == entries


@pytest.mark.parametrize("spoil", ["version", "cut", "missing"])
def test_a_damaged_volume_is_refused_with_its_name(tmp_path, spoil):
    write_volume(tmp_path / "v", [("P1|GO:1", "MKV"), ("P2|GO:2", "ACD")], version=5 if spoil == "version" else 4)
    if spoil == "cut":
        (tmp_path / "v.psq").write_bytes((tmp_path / "v.psq").read_bytes()[:-3])
    if spoil == "missing":
        (tmp_path / "v.phr").unlink()
    with pytest.raises(InputError, match="v"):
        blast.read_volume(tmp_path / "v")


def test_identical_sequences_are_one_protein_with_all_names_and_terms(tmp_path):
    write_volume(tmp_path / "BPO" / "goasp.fasta", [("P1|GO:1,GO:1", "MKVL"), ("P2|GO:2", "MKVL")])
    write_volume(tmp_path / "MFO" / "goasp.fasta", [("P1|GO:3", "MKVL"), ("P3|GO:4", "ACDU")])
    write_volume(tmp_path / "CCO" / "goasp.fasta", [("P3|GO:5", "ACDU")])
    read = source.read_source(tmp_path)
    assert read.names == [["P1", "P2"], ["P3"]]
    assert read.terms[0] == {"BPO": {"GO:1", "GO:2"}, "MFO": {"GO:3"}}
    assert to_letters(read.residues[read.offsets[1] :]) == "ACDU"
    assert read.counts["letters beyond the twenty"] == {"U": 1}


# --- the split ----------------------------------------------------------------------------------------------------


def test_whole_clusters_are_held_out_and_the_draw_never_changes():
    owner = np.repeat(np.arange(0, 5000, 5), 5).astype(np.int32)
    names = [f"P{at:05d}" for at in range(5000)]
    part = clusters.split(names, owner)
    assert (part.reshape(-1, 5) == part.reshape(-1, 5)[:, :1]).all()
    assert (part == clusters.split(names, owner)).all()
    assert {PARTS[at] for at in np.unique(part)} == {"training", "validation", "test"}
    assert 0.003 < (part == 1).mean() < 0.02
    clusters.check_apart(owner, part)


def test_a_cluster_in_two_parts_is_refused():
    with pytest.raises(InputError, match="1 clusters lie in two parts"):
        clusters.check_apart(np.array([0, 0, 1]), np.array([0, 1, 0], dtype=np.uint8))


def test_without_mmseqs_the_remedy_is_named(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match="apt-get install mmseqs2"):
        clusters.find_program()


# --- batches ------------------------------------------------------------------------------------------------------


def test_an_epoch_gives_each_protein_once_between_its_signs(proteins):
    batches, seen = Batches(proteins, proteins.of("training"), budget=300, window=200), []
    for number in range(batches.count(0)):
        batch = batches.get(0, number)
        whole = batch.ids.copy()
        whole[batch.asked] = batch.truth
        for row in np.split(whole, np.cumsum(batch.lengths)[:-1]):
            assert (row[0], row[-1]) == (FIRST, LAST)
            seen.append(to_letters(row[1:-1]))
        assert batch.lengths.sum() <= 300
    everyone = [proteins.letters(at) for at in proteins.of("training")]
    assert len(seen) == len(set(seen))
    assert set(seen) <= set(everyone)
    assert len(everyone) - len(seen) < 8  # those of a last batch less than half full


def test_long_proteins_are_cropped_elsewhere_each_epoch(tmp_path):
    batches = Batches(as_set(tmp_path, [BLAT * 5]), np.array([0]), budget=64, window=62)
    found = set()
    for epoch in range(8):
        batch = batches.get(epoch, 0)
        whole = batch.ids.copy()
        whole[batch.asked] = batch.truth
        assert to_letters(whole[1:-1]) in BLAT * 5
        found.add(to_letters(whole[1:-1]))
    assert len(found) > 4


def test_of_the_residues_asked_four_fifths_are_hidden_and_only_the_twenty_are_asked(tmp_path):
    large = as_set(tmp_path, ["ACDEFGHIKLMNPQRSTVWYXBZU" * 40] * 40)
    batch = Batches(large, np.arange(40), budget=10**6).get(0, 0)
    assert abs(len(batch.asked) / len(batch.ids) - 0.15 * 20 / 24) < 0.01
    assert abs((batch.ids[batch.asked] == MASK).mean() - 0.8) < 0.02
    assert 0.08 < (batch.ids[batch.asked] == batch.truth).mean() < 0.13  # a twentieth of those swapped draws itself again
    assert IS_TWENTY[batch.truth].all()


# --- the network --------------------------------------------------------------------------------------------------


def padded(network, batch):
    """The same proteins one a row under an attention mask, through transformers' own forward."""
    import torch

    rows = np.split(batch.ids, np.cumsum(batch.lengths)[:-1])
    truth = np.full(len(batch.ids), -100)
    truth[batch.asked] = batch.truth
    labels = np.split(truth, np.cumsum(batch.lengths)[:-1])
    shape = (len(rows), max(batch.lengths))
    ids, real, wanted = torch.ones(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long), torch.full(shape, -100)
    for at, (row, label) in enumerate(zip(rows, labels, strict=True)):
        ids[at, : len(row)], real[at, : len(row)] = torch.tensor(row), 1
        wanted[at, : len(row)] = torch.tensor(label)
    return network(input_ids=ids, attention_mask=real, labels=wanted).loss


@pytest.mark.parametrize("shape", [TINY, (3, 48, 2)])
def test_packed_proteins_give_the_loss_and_the_gradients_of_padded_ones(proteins, shape):
    import torch

    network = build(shape, seed=1)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(torch.randn_like(weight) * 0.1)  # wide enough that every part matters
    batch = Batches(proteins, proteins.of("training"), budget=900).get(0, 0)
    assert len(batch.lengths) > 5
    made = []
    for compute in (lambda: loss(network, batch, "cpu"), lambda: padded(network, batch)):
        network.zero_grad()
        value = compute()
        value.backward()
        gradients = {name: each.grad.clone() for name, each in network.named_parameters() if each.grad is not None}
        made.append((float(value.detach()), gradients))
    (ours, our_gradients), (theirs, their_gradients) = made
    assert abs(ours - theirs) < 1e-5
    trained = {name for name, each in network.named_parameters() if each.requires_grad}
    assert set(our_gradients) == set(their_gradients) == trained
    for name, gradient in our_gradients.items():
        assert float((gradient - their_gradients[name]).abs().max()) < 1e-5, name


def test_a_protein_is_read_the_same_alone_and_beside_others(tmp_path):
    network = build(TINY, seed=0).eval()
    alone = Batches(as_set(tmp_path, [UBIQUITIN]), np.array([0]), budget=100).get(0, 0)
    ids = np.concatenate([tokens(BLAT).astype(np.int64), alone.ids])
    beside = Batch(ids, np.array([len(BLAT), *alone.lengths]), alone.asked + len(BLAT), alone.truth)
    one, two = (logits(network, *to_packed(each, "cpu")[:2]).detach() for each in (alone, beside))
    assert float((one - two).abs().max()) < 1e-5


def test_the_vocabulary_and_the_sizes_are_the_published_ones():
    from transformers.models.esm.configuration_esm import get_default_vocab_list

    assert list(TOKENS) == list(get_default_vocab_list())
    assert hashlib.sha256("\n".join(TOKENS).encode()).hexdigest() == CARDS[0].files["vocab.txt"]
    for name, (layers, width, _) in SHAPES.items():
        fitted = sum(each.numel() for each in build(name, 0).parameters() if each.requires_grad)
        assert fitted == esm_cards.count(layers, width)


def test_attention_over_lengths_is_taken_where_its_gradients_agree_and_padded_where_not():
    import torch

    assert pick_attention("cpu", 4, 16, torch.float32) is attend

    def wrong(query, key, value, packed):
        return attend(query, key, value * 1.1, packed)

    def failing(query, key, value, packed):
        raise NotImplementedError

    assert disagreement(attend, "cpu", 4, 16, torch.float32) < 1e-5
    assert disagreement(wrong, "cpu", 4, 16, torch.float32) > 0.05
    assert disagreement(failing, "cpu", 4, 16, torch.float32) == float("inf")
