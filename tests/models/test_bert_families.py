"""SciBERT, BioBERT, PubMedBERT, BioLinkBERT: every one comes by folder and hub, runs its tasks by road and command line, and leaves."""

import shutil
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from backend.domain import digest
from backend.errors import ModelError
from backend.models.bert_checkpoint import TASKS
from backend.models.families import biobert, biolinkbert, pubmedbert, scibert
from backend.models.registry import add_local, families, file_sha256, recognise
from backend.models.word_pieces import is_cased, read_vocabulary, read_word_pieces
from tests.conftest import SHARED
from tests.models.proof import by_folder, by_hub, in_any_company, memory_back, through_command_line, through_road
from tests.models.tiny_bert import make

FAMILIES = {"scibert": scibert, "biobert": biobert, "pubmedbert": pubmedbert, "biolinkbert": biolinkbert}
VOCABULARY = SHARED / "tokenizers" / "scibert_scivocab_uncased_vocab.txt"
TEXT = "Aspirin reduced [MASK] in patients with diabetes. Metformin was given to lower blood glucose. Heart failure was headache."
QUESTION = "Does aspirin reduce stroke?"


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("head", [head for head in TASKS if head not in ("none", "relations")])
def test_a_folder_serves_what_its_head_can(config, tmp_path, name, head):
    card = by_folder(config, make(tmp_path / "m", head, name=f"{name}-tiny"), name)
    assert card.tasks == TASKS[head]
    assert card.parameters > 10_000
    assert recognise(tmp_path / "m")[0][0].name == name
    for task in card.tasks:
        run = through_road(config, task, {"text": TEXT, "question": QUESTION}, {"model": card.name})
        assert run.model["name"] == card.name
        assert run.prediction["text"]


def test_relations_run_on_the_marks_of_another_checkpoint(config, tmp_path):
    marks = by_folder(config, make(tmp_path / "marks", "marks", name="biobert", seed=3), "biobert")
    card = by_folder(config, make(tmp_path / "relations", "relations", name="biobert"), "biobert")
    run = through_road(config, "literature.relations", {"text": TEXT}, {"model": card.name, "mentions": marks.name, "pairs": "all"})
    assert run.prediction["known"] == ["CPR:3", "CPR:4", "CPR:9"]


@pytest.mark.parametrize("card", [card for module in FAMILIES.values() for card in module.CARDS], ids=lambda card: card.name)
def test_a_card_of_the_hub_is_fetched_loaded_and_read_from_the_command_line(config, monkeypatch, tmp_path, card):
    head = "spans" if "literature.answer" in card.tasks else "words" if "literature.fill" in card.tasks else "none"
    found = by_hub(config, monkeypatch, make(tmp_path / "m", head, name=card.name, pickled=True), card)
    file = tmp_path / "text.txt"
    file.write_text(TEXT, encoding="utf-8")
    task = card.tasks[0]
    why = ["--explain"] if head == "words" else []
    asked = ["read", file, "--task", task, "--question", QUESTION, "--set", f"model={found.name}", *why]
    made = through_command_line(config, asked)
    assert made["task"] == task
    assert (made["explanation"] is not None) == (head == "words")


@pytest.mark.parametrize("name", FAMILIES)
def test_memory_is_given_back(config, tmp_path, name):
    card = by_folder(config, make(tmp_path / "m", "words", name=name), name)
    memory_back(config, card.name, lambda model: model.embed([TEXT]))


def test_any_company_gives_the_same(tmp_path):
    model = biobert.load(make(tmp_path / "m", "none"), replace(biobert.CARDS[0], source="local", untrained=True), "cpu")
    in_any_company(model.embed, [TEXT, "insulin", "Metformin was given."])


def test_every_card_is_honest_about_what_is_known():
    for name, module in FAMILIES.items():
        assert families()[name].examine is not None
        for card in module.CARDS:
            assert card.source == "hub"
            assert card.licence
            assert card.paper
            assert card.limits
            assert not card.peak_is_measured
            assert all("not measured here" in quality.origin for quality in card.quality)
    assert scibert.CARDS[0].files["vocab.txt"] == scibert.VOCABULARY


def test_other_kinds_of_checkpoint_are_not_taken(tmp_path):
    folder = make(tmp_path / "kmers", "words")
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "AAA", "AAC"]))
    assert not {found.name for found, _ in recognise(folder)} & set(FAMILIES)
    with pytest.raises(ModelError, match="no English words"):
        scibert_examine()(folder)


def scibert_examine():
    return families()["scibert"].examine


def test_a_damaged_weight_file_is_refused_when_added(config, tmp_path):
    folder = make(tmp_path / "m", "words", name="scibert")
    (folder / "model.safetensors").write_bytes(b"\x10" * 40)
    with pytest.raises(ModelError, match="cannot be read"):
        add_local(config, folder, "scibert")


@pytest.fixture
def vocabulary(tmp_path):
    if not VOCABULARY.is_file():
        pytest.skip("SciBERT's vocabulary is not on this machine: ../shared/data/tokenizers")
    folder = tmp_path / "scivocab"
    folder.mkdir()
    shutil.copy(VOCABULARY, folder / "vocab.txt")
    return folder


def test_scibert_cuts_words_as_published(vocabulary):
    import transformers

    assert file_sha256(vocabulary / "vocab.txt") == scibert.VOCABULARY
    pieces = read_word_pieces(vocabulary, "SciBERT")
    assert not is_cased(pieces.vocabulary)
    assert tuple(pieces.cut([scibert._TEXT])[0].ids) == scibert._IDS
    (vocabulary / "config.json").write_text('{"model_type": "bert"}')
    reference = transformers.AutoTokenizer.from_pretrained(vocabulary, local_files_only=True)
    for text in ("TNF-α in naïve β-cells (p<0.05)", "Lipopolysaccharide-induced IL-1β", "5′-GMP, 37 °C; x\u0301", "ＨｂＡ１ｃ 中国"):
        assert list(pieces.cut([text])[0].ids) == reference(text, add_special_tokens=False).input_ids
    assert pieces.unknown_share("Aspirin inhibits cyclooxygenase.") == 0


def test_scibert_is_known_by_its_vocabulary(vocabulary, config):
    found = read_vocabulary(vocabulary)
    listed = "\n".join(piece for piece in sorted(found, key=found.__getitem__) if piece)
    assert digest(listed) == scibert._LISTED
    import json

    import torch
    from safetensors.torch import save_file

    weights = {"embeddings.word_embeddings.weight": torch.zeros(31_090, 2)}
    save_file(weights, vocabulary / "model.safetensors")
    (vocabulary / "config.json").write_text(json.dumps({"model_type": "bert", "hidden_size": 2, "untrained": True}))
    sure = {family.name: seen.certainty for family, seen in recognise(vocabulary)}
    assert sure["scibert"] == 2
    assert Counter(sure.values())[2] == 1


def test_a_bare_head_is_never_made_up_for_a_task(config, tmp_path):
    card = by_folder(config, make(tmp_path / "m", "words", name="biobert"), "biobert")
    for task in ("literature.entities", "literature.verdict", "literature.answer", "literature.relations"):
        with pytest.raises(Exception, match="does not serve"):
            through_road(config, task, {"text": TEXT, "question": QUESTION}, {"model": card.name})


def test_vectors_of_a_checkpoint_do_not_depend_on_its_form(tmp_path):
    card = replace(scibert.CARDS[0], source="local", untrained=True, files={})
    one = scibert.load(make(tmp_path / "a", "words"), card, "cpu").embed([TEXT])
    other = scibert.load(make(tmp_path / "b", "words", pickled=True), card, "cpu").embed([TEXT])
    assert np.array_equal(one, other)
