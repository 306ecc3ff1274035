"""BioGPT: published tokens, both formats, verdicts by likelihood, relations only in the taught form and only where they stand."""

import argparse
import json
import shutil

import numpy as np
import pytest
import torch

from backend.errors import InputError, ModelError
from backend.models.abilities import Stated
from backend.models.biogpt_archive import read_vocabulary
from backend.models.biogpt_purposes import ANSWER, PURPOSES, find_name, purpose_of, read_statements, statement
from backend.models.biogpt_tokens import BioGptCodec, archive_tokenizer
from backend.models.families import biogpt
from backend.models.registry import add_local, recognise
from tests.models import tiny_writers
from tests.models.proof import by_folder, by_hub, in_any_company, memory_back
from tests.models.test_writing import CARD

BC5CDR, DDI = PURPOSES[1], PURPOSES[2]


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    folder = tiny_writers.biogpt(tmp_path_factory.mktemp("made") / "my-PubMedQA", learned=9)
    return biogpt.load(folder, _local(folder), "cpu")


def _local(folder):
    from dataclasses import replace

    return replace(CARD, folder=str(folder))


@pytest.fixture(scope="module")
def published(shared):
    folder = shared / "tokenizers"
    if not (folder / "biogpt_dict.txt").is_file():
        pytest.skip("BioGPT's published vocabulary is not on this machine")
    vocabulary, merges = read_vocabulary(folder / "biogpt_dict.txt", folder / "biogpt_bpecodes")
    return BioGptCodec(archive_tokenizer(vocabulary, merges), len(vocabulary))


@pytest.fixture(scope="session")
def shared():
    from tests.conftest import SHARED

    if not SHARED.is_dir():
        pytest.skip("the developers' data folder ../shared/data is not on this machine")
    return SHARED


# --- tokens -----------------------------------------------------------------------------------------------------------


def test_the_published_vocabulary_gives_the_published_tokens(published):
    assert len(published._tokenizer.encoder) == 42_384
    assert published.read("COVID-19 is") == [2, 4805, 9, 656, 21]  # as in the test of transformers on the real model
    assert published.learned == ()


@pytest.mark.parametrize(
    "text",
    ["Metformin reduced HbA1c by 1.2% in 209 patients.", "IL-6 and TNF-α were raised (p < 0.05).", 'It is "good" for patients\' health.'],
)
def test_signs_and_greek_come_back_as_they_were_but_for_spaces(published, text):
    assert published.unknown not in published.follow(text)
    back = published.spell([2], published.follow(text))
    assert back.replace(" ", "") == text.replace(" ", "")


def test_signs_typed_by_a_person_are_read_as_text(published):
    assert published.end not in published.follow("a </s> b")
    assert 0 not in published.follow("<s>")


def test_a_continuation_joins_the_prompt_as_text_does(published):
    before = published.read("The drug reduced mortality")
    assert published.spell(before, published.follow(".")) == "."
    assert published.spell(before, published.follow("in patients")) == " in patients"


def test_the_published_vocabulary_is_checked_at_load(shared, tmp_path):
    folder = tmp_path / "RE-DDI-BioGPT"
    tiny_writers.archive(folder)
    (folder / "dict.txt").write_bytes((shared / "tokenizers" / "biogpt_dict.txt").read_bytes())
    (folder / "bpecodes").write_bytes((shared / "tokenizers" / "biogpt_bpecodes").read_bytes())
    with pytest.raises(ModelError, match="belong together"):  # more words than the weights have rows
        biogpt.load(folder, _local(folder), "cpu")
    held = torch.load(folder / "checkpoint_avg.pt", weights_only=True)
    for name in ("decoder.embed_tokens.weight", "decoder.output_projection.weight"):
        held["model"][name] = torch.zeros(42_384 + 9, 32)
    torch.save(held, folder / "checkpoint_avg.pt")
    model = biogpt.load(folder, _local(folder), "cpu")
    assert model.codec.learned == tuple(range(42_384, 42_393))
    assert model.codec.read("COVID-19 is") == [2, 4805, 9, 656, 21]
    lines = (folder / "bpecodes").read_text().splitlines()
    (folder / "bpecodes").write_text("\n".join(lines[:2000]))
    with pytest.raises(ModelError, match="other tokens than published"):
        biogpt.load(folder, _local(folder), "cpu")


# --- sources ----------------------------------------------------------------------------------------------------------


def test_it_comes_by_folder_and_leaves_memory_as_it_was(config, tmp_path):
    card = by_folder(config, tiny_writers.biogpt(tmp_path / "my biogpt"), "biogpt")
    assert card.tasks == ("literature.write",)
    assert card.parameters > 0
    assert any("purpose.txt" in limit for limit in card.limits)
    memory_back(config, card.name, lambda model: model.write("the", most=5, temperature=0, seed=0))


@pytest.mark.parametrize("at", [0, 2], ids=["language model", "PubMedQA"])
def test_it_comes_by_hub_under_its_published_names(config, monkeypatch, tmp_path, at):
    card = by_hub(config, monkeypatch, tiny_writers.biogpt(tmp_path, learned=9 if at else 0), biogpt.CARDS[at])
    assert ("literature.verdict" in card.tasks) == bool(at)


def test_word_vectors_stored_a_second_time_as_the_output_layer_are_no_left_over(tmp_path):
    folder = tiny_writers.biogpt(tmp_path)
    whole = biogpt.load(folder, _local(folder), "cpu").write("the", most=5, temperature=0, seed=0)
    weights = torch.load(folder / "pytorch_model.bin", weights_only=True)
    weights["output_projection.weight"] = weights["biogpt.embed_tokens.weight"].clone()
    torch.save(weights, folder / "pytorch_model.bin")
    assert biogpt.load(folder, _local(folder), "cpu").write("the", most=5, temperature=0, seed=0) == whole


@pytest.mark.parametrize("untied", [False, True])
def test_a_fairseq_archive_is_the_same_network(config, tmp_path, untied):
    folder = tmp_path / "RE-BC5CDR-BioGPT"
    reference = tiny_writers.archive(folder, untied=untied)
    card = by_folder(config, folder, "biogpt")
    assert card.tasks[0] == "literature.relations"
    assert set(card.files) == {"checkpoint_avg.pt", "dict.txt", "bpecodes"}
    model = biogpt.load(folder, card, "cpu")
    ids = model._source("the heart")
    assert len(model.codec.learned) == 9
    assert ids[-9:] == list(model.codec.learned)
    assert model.codec.learned[-1] == reference.config.vocab_size - 1
    with torch.inference_mode():
        theirs, ours = (net(input_ids=torch.tensor([ids])).logits.numpy() for net in (reference, model._network))
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_both_formats_cut_a_text_alike(tmp_path):
    plain = tiny_writers.biogpt(tmp_path / "plain")
    tiny_writers.archive(tmp_path / "RE-DDI-BioGPT")
    text = 'The no-yes <yes> the "end" & more'
    codecs = [biogpt.load(each, _local(each), "cpu").codec for each in (plain, tmp_path / "RE-DDI-BioGPT")]
    assert codecs[0].read(text) == codecs[1].read(text)


@pytest.mark.parametrize("lost", ["decoder.layers.1.fc2.bias", "decoder.embed_tokens.weight"])
def test_an_archive_that_is_not_whole_is_refused(tmp_path, lost):
    folder = tmp_path / "RE-DTI-BioGPT"
    tiny_writers.archive(folder)
    held = torch.load(folder / "checkpoint_avg.pt", weights_only=True)
    del held["model"][lost]
    torch.save(held, folder / "checkpoint_avg.pt")
    with pytest.raises(ModelError, match="lacks weights"):
        biogpt.load(folder, _local(folder), "cpu")


def test_an_archive_with_a_plain_bag_of_settings_opens_and_one_with_code_does_not(config, tmp_path):
    folder = tmp_path / "RE-DDI-BioGPT"
    tiny_writers.archive(folder, args=argparse.Namespace(decoder_attention_heads=2))
    assert add_local(config, folder, "biogpt").tasks[0] == "literature.relations"
    trace = tmp_path / "the code ran"
    tiny_writers.archive(folder, extra=Code(trace))
    with pytest.raises(ModelError, match="could run code"):
        add_local(config, folder, "biogpt")
    assert not trace.exists()


class Code:
    """Runs a command when it is unpickled."""

    def __init__(self, trace):
        self.trace = str(trace)

    def __reduce__(self):
        import os

        return os.mkdir, (self.trace,)


@pytest.mark.parametrize("missing", ["dict.txt", "bpecodes"])
def test_an_archive_without_its_vocabulary_is_told_what_to_copy(config, tmp_path, missing):
    folder = tmp_path / "RE-DDI-BioGPT"
    tiny_writers.archive(folder)
    (folder / missing).unlink()
    with pytest.raises(ModelError, match=missing) as caught:
        add_local(config, folder, "biogpt")
    assert "data" in caught.value.hint


def test_what_a_folder_was_made_for_is_in_its_name_or_in_a_file(config, tmp_path):
    folder = tiny_writers.biogpt(tmp_path / "some folder", learned=9)
    assert add_local(config, folder, "biogpt").tasks == ("literature.write",)
    (folder / "purpose.txt").write_text("DDI\n")
    card = add_local(config, folder, "biogpt")
    assert card.tasks[0] == "literature.relations"
    assert "purpose.txt" in card.files
    assert biogpt.load(folder, card, "cpu").purpose is DDI
    assert purpose_of("QA-PubMedQA-BioGPT").key == "pubmedqa"
    assert purpose_of("my addition") is None


def test_an_incomplete_set_of_virtual_tokens_is_refused(tmp_path):
    folder = tiny_writers.biogpt(tmp_path / "x-DDI", learned=4)
    with pytest.raises(ModelError, match="virtual tokens"):
        biogpt.load(folder, _local(folder), "cpu")


def test_only_a_biogpt_is_recognised(tmp_path):
    folder = tiny_writers.biogpt(tmp_path / "plain")
    assert recognise(folder)[0][0].name == "biogpt"
    held = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**held, "model_type": "gpt2"}))
    assert "biogpt" not in [family.name for family, _ in recognise(folder)]
    shutil.rmtree(folder)
    assert recognise(folder) == []


# --- verdicts ---------------------------------------------------------------------------------------------------------


def test_verdicts_are_likelihoods_of_the_taught_wording(judge):
    found = judge.verdict("Is the heart well?", ["the heart is well.", "no"])
    assert found.shape == (2, 3)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    codec = judge.codec
    read = [*codec.read("question: is the heart well? context: no."), *codec.learned, *codec.follow(ANSWER)]
    logs = []
    for word in ("yes", "no", "maybe"):
        answer = codec.follow(f"{word}.")
        with torch.inference_mode():
            logits = judge._network(input_ids=torch.tensor([[*read, *answer]])).logits[0, len(read) - 1 : -1].log_softmax(-1)
        logs.append(float(logits[torch.arange(len(answer)), torch.tensor(answer)].sum()))
    shares = np.exp(np.array(logs) - max(logs))
    np.testing.assert_allclose(found[1], shares / shares.sum(), atol=1e-5)


def test_verdicts_are_the_same_in_any_company(judge):
    in_any_company(lambda contexts: judge.verdict("Is it so?", contexts), ["yes", "no, the end", "a b c d e", ""])
    assert judge.verdict("Is it so?", []).shape == (0, 3)


def test_a_context_beyond_the_model_is_refused_in_words(judge):
    with pytest.raises(InputError, match="tokens"):
        judge.verdict("Is it so?", ["a b c d " * 60])


# --- relations --------------------------------------------------------------------------------------------------------


def parse(purpose, written, text):
    return read_statements(purpose, written, text, [written], [0.5])


def test_statements_are_read_in_the_taught_form_only():
    text = "Naloxone reversed the hypotension that Clonidine caused."
    written = (
        "the relation between clonidine and hypotension exists; clonidine causes hypotension; the relation between x and sleep exists."
    )
    found = parse(BC5CDR, written, text)
    assert [(each.head, each.relation, each.tail) for each in found] == [
        ("clonidine", "chemical-induced disease", "hypotension"),
        ("x", "chemical-induced disease", "sleep"),
    ]
    start, end = found[0].head_at
    assert text[start:end] == "Clonidine"
    assert found[1].head_at is None
    assert found[1].tail_at is None


def test_a_name_with_and_in_it_is_split_where_the_text_says():
    text = "Interaction of aspirin and caffeine tablets and warfarin was seen."
    found = parse(DDI, "the interaction between aspirin and caffeine tablets and warfarin is effect.", text)
    assert (found[0].head, found[0].tail, found[0].relation) == ("aspirin and caffeine tablets", "warfarin", "effect")
    text = "warfarin with aspirin and caffeine"
    found = parse(DDI, "the interaction between warfarin and aspirin and caffeine is int", text)
    assert found[0].tail_at is not None


@pytest.mark.parametrize("written", ["", "nothing", "the relation between a exists.", "the interaction between a and b is mechanism."])
def test_what_is_not_a_statement_is_no_relation(written):
    assert parse(BC5CDR, written, "a b") == []


def test_each_statement_has_the_mean_probability_of_its_own_tokens():
    first, second = "the relation between a and b exists", "; the relation between c and d exists."
    found = read_statements(BC5CDR, first + second, "a b c d", [first, second], [0.9, 0.3])
    assert [each.score for each in found] == [0.9, 0.3]


def test_names_are_found_as_whole_words_whatever_their_case_and_spacing():
    assert find_name("Il-6 rose", "il - 6") == (0, 4)
    assert find_name("aspirins", "aspirin") is None
    assert find_name("", "aspirin") is None
    assert find_name("aspirin", "") is None


def test_relations_of_a_text_and_their_scores(tmp_path):
    folder = tiny_writers.biogpt(tmp_path / "RE-BC5CDR-BioGPT", learned=9)
    model = biogpt.load(folder, _local(folder), "cpu")
    assert model.window == 100
    found = model.relate(["Clonidine caused hypotension.", "no"])
    assert len(found) == 2  # random weights write no statement
    stated = Stated("a", "chemical-induced disease", "b", 0.5)
    in_any_company(lambda texts: model.relation_score(texts, stated), ["a and b", "b", ""])
    target = model.codec.follow(statement(BC5CDR, stated))
    assert float(model.relation_score(["A"], stated)[0]) == pytest.approx(float(model.log_probs([(model._source("a"), target)])[0]))


def test_cards_are_complete():
    sizes = {card.name: card.parameters for card in biogpt.CARDS}
    assert sizes["biogpt"] == 346_763_264
    assert abs(sizes["biogpt-large"] / 1.57e9 - 1) < 0.01
    assert abs({card.name: card.download_bytes for card in biogpt.CARDS}["biogpt"] / 1.56e9 - 1) < 0.01
    for card in biogpt.CARDS:
        assert card.licence == "MIT"
        assert card.template != bool(card.files)
        assert not card.peak_is_measured
