"""BERT on text against transformers: the same numbers, alone or in any company, and every refusal in words."""

import json
from dataclasses import replace

import numpy as np
import pytest

from backend.errors import InputError, ModelError
from backend.models.abilities import Mention, Stated
from backend.models.bert_checkpoint import read_checkpoint
from backend.models.bert_text import GONE
from backend.models.families import biobert
from tests.models.tiny_bert import make

TEXTS = [
    "Aspirin reduced stroke in patients with diabetes.",
    "TNF-α and naïve β-cells; 2 mg daily, [SEP] was no token.",
    "",
    "insulin",
    "Metformin was given to the patients with breast cancer and heart failure.",
]
PLAIN = [text.replace("[SEP]", "SEP") for text in TEXTS]  # transformers reads a typed '[SEP]' as the special token
CARD = replace(biobert.CARDS[0], source="local", untrained=True, files={})


def load(folder):
    return biobert.load(folder, CARD, "cpu")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("berts")
    return {head: make(root / head, head) for head in ("none", "words", "marks", "relations", "verdict", "spans")}


@pytest.fixture(scope="module")
def models(folders):
    return {head: load(folder) for head, folder in folders.items()}


def reference(folder, kind):
    import transformers

    return (
        getattr(transformers, kind).from_pretrained(folder, local_files_only=True).eval(),
        transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True),
    )


@pytest.mark.parametrize("cased", [False, True])
def test_pieces_are_those_of_transformers_and_stand_at_their_characters(tmp_path, cased):
    made = make(tmp_path / "m", "none", cased=cased)
    (made / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": not cased}))
    _, tokenizer = reference(made, "BertModel")
    (made / "tokenizer_config.json").unlink()  # early checkpoints say nothing of casing: the vocabulary tells
    model = load(made)
    for text in ("Aspirin reduced HbA1c.", "naïve TNF-α, β-cells (2 mg)", "  spaces\tand\nlines ", ""):
        found = model._pieces.cut([text])[0]
        assert list(found.ids) == tokenizer(text, add_special_tokens=False).input_ids
        assert list(found.places) == tokenizer(text, add_special_tokens=False, return_offsets_mapping=True).offset_mapping


def test_what_a_person_types_is_never_a_special_token(models):
    pieces = models["none"]._pieces
    assert not {pieces.last, pieces.mask, pieces.first} & set(pieces.cut(["[SEP] [MASK] [CLS]"])[0].ids)


def test_tokenizer_json_gives_the_same_pieces(folders, tmp_path):
    import transformers

    made = make(tmp_path / "m", "none")
    transformers.AutoTokenizer.from_pretrained(made, local_files_only=True).save_pretrained(made)
    (made / "vocab.txt").unlink(missing_ok=True)
    assert (made / "tokenizer.json").is_file()
    assert load(made)._pieces.cut(TEXTS) == load(folders["none"])._pieces.cut(TEXTS)


def test_vectors_are_the_mean_of_transformers_last_layer(folders, models):
    import torch

    network, tokenizer = reference(folders["none"], "BertModel")
    for text in (TEXTS[0], TEXTS[3], TEXTS[4]):
        with torch.inference_mode():
            expected = network(**tokenizer(text, return_tensors="pt")).last_hidden_state.mean(1)[0].numpy()
        assert np.abs(models["none"].embed([text])[0] - expected).max() < 1e-5


@pytest.mark.parametrize("head", ["none", "words"])
def test_alone_together_and_in_any_order_give_the_same_vectors(models, head):
    together = models[head].embed(TEXTS)
    alone = np.concatenate([models[head].embed([text]) for text in TEXTS])
    turned = models[head].embed(TEXTS[::-1])[::-1]
    assert max(np.abs(together - alone).max(), np.abs(together - turned).max()) < 1e-5


def test_a_text_beyond_the_window_is_the_mean_of_its_windows(models):
    model, long = models["none"], "insulin " * 100  # 100 pieces; 62 fit beside the special ones
    parts = ["insulin " * 62, "insulin " * 38]
    one, two = model.embed(parts)
    assert model.lengths([long]) == [102]
    assert np.abs(model.embed([long])[0] - (64 * one + 40 * two) / 104).max() < 1e-5


def test_hidden_words_have_the_probabilities_of_transformers(folders, models):
    import torch

    network, tokenizer = reference(folders["words"], "BertForMaskedLM")
    text = "Aspirin reduced [MASK] in patients with [MASK]."
    given = tokenizer(text, return_tensors="pt")
    places = (given.input_ids[0] == tokenizer.mask_token_id).nonzero()[:, 0]
    with torch.inference_mode():
        expected = torch.log_softmax(network(**given).logits[0, places], -1)
    found = models["words"].fill([TEXTS[4], text], 5)
    assert found[0] == []
    for place in (0, 1):
        scores = models["words"].fill_score([text], place, "stroke")
        assert scores[0] == pytest.approx(float(expected[place, tokenizer.convert_tokens_to_ids("stroke")]), abs=1e-5)
        best = found[1][place][0]
        assert best.score == pytest.approx(float(expected[place, tokenizer.convert_tokens_to_ids(best.word)].exp()), abs=1e-6)
        assert not any(each.word.startswith(("##", "[")) for each in found[1][place])


def test_a_word_in_several_pieces_has_no_probability(models):
    with pytest.raises(InputError, match="not one word"):
        models["words"].fill_score(["[MASK] reduced stroke"], 0, "acetylsalicylic")
    with pytest.raises(InputError, match="no hidden place number 2"):
        models["words"].fill_score(["[MASK] reduced stroke"], 1, "aspirin")


def test_marks_follow_the_first_piece_of_each_word(folders, models):
    import torch

    network, tokenizer = reference(folders["marks"], "BertForTokenClassification")
    model = models["marks"]
    assert model.kinds == ("Chemical", "Disease")
    for text, mentions in zip(PLAIN, model.mentions(PLAIN), strict=True):
        given = tokenizer(text, return_tensors="pt")
        with torch.inference_mode():
            shares = torch.softmax(network(**given).logits[0], -1).numpy()
        words = given.word_ids(0)
        marked = {w: shares[at].argmax() for at, w in list(enumerate(words))[::-1] if w is not None}
        covered = [given.word_to_chars(0, w) for w, label in marked.items() if label]
        for place in covered:
            assert any(m.start <= place.start and place.end <= m.end for m in mentions), (text, place)
        for mention in mentions:
            score = model.mention_score([text], [text[mention.start : mention.end]], mention.kind)[0]
            assert 0 < score <= 1
    assert model.mention_score(["insulin", "aspirin"], ["aspirin", "aspirin"], "Chemical")[0] == 0
    alone, together = [model.mentions([text])[0] for text in TEXTS], model.mentions(TEXTS)
    assert [[(m.start, m.end, m.kind) for m in each] for each in alone] == [[(m.start, m.end, m.kind) for m in each] for each in together]


def test_a_verdict_is_that_of_transformers_on_question_and_context(folders, models):
    import torch

    network, tokenizer = reference(folders["verdict"], "BertForSequenceClassification")
    question = "Does aspirin lower the risk of stroke?"
    found = models["verdict"].verdict(question, PLAIN)
    for text, shares in ((text, row) for text, row in zip(PLAIN, found, strict=True) if text):
        with torch.inference_mode():
            expected = torch.softmax(network(**tokenizer(question, text, return_tensors="pt")).logits[0], -1).numpy()
        assert np.abs(shares - expected).max() < 1e-5
    assert found.sum(1) == pytest.approx(1)


def test_verdicts_without_maybe_and_in_another_spelling(tmp_path):
    model = load(make(tmp_path / "m", "verdict", labels=("No", "YES")))
    found = model.verdict("Does it?", ["aspirin"])[0]
    assert found[2] == 0
    assert found.sum() == pytest.approx(1)


def test_relations_mark_the_pair_by_its_kinds(folders, models):
    import torch

    network, tokenizer = reference(folders["relations"], "BertForSequenceClassification")
    model, text = models["relations"], "Aspirin lower TNF in the blood."
    pair = (Mention(0, 7, "Chemical", 1.0), Mention(14, 17, "GENE-Y", 1.0))
    with torch.inference_mode():
        expected = torch.softmax(network(**tokenizer("@CHEMICAL$ lower @GENE$ in the blood.", return_tensors="pt")).logits[0], -1).numpy()
    assert model.relations == ("CPR:3", "CPR:4", "CPR:9")
    labels = ("false", "CPR:3", "CPR:4", "CPR:9")
    stated = Stated("Aspirin", "CPR:4", "TNF", 0.0, head_kind="Chemical", tail_kind="GENE-Y")
    odds = model.relation_score([text, "Aspirin lower in the blood."], stated)
    assert odds[0] == pytest.approx(np.log(expected[2] / (1 - expected[2])), abs=1e-4)
    assert odds[1] == np.float32(GONE)
    found = model.relate([text], [pair])[0]
    assert [each.relation for each in found] == [label for label in [labels[expected.argmax()]] if label != "false"]
    assert model.relate([text], [(pair[0], Mention(3, 9, "Gene", 1.0))]) == [[]]


def test_relations_use_markers_where_the_vocabulary_has_them(tmp_path):
    folder = make(tmp_path / "m", "relations", tokens=("[E1]", "[/E1]", "[E2]", "[/E2]"), labels=("yes it does", "CPR:4"))
    model = load(folder)
    text = "TNF and aspirin"
    row = model._marked(text, Mention(8, 15, "Chemical", 1.0), Mention(0, 3, "Gene", 1.0))
    pieces = {at: piece for piece, at in model._pieces.vocabulary.items()}
    assert [pieces[at] for at in row.ids] == "[CLS] [E2] tnf [/E2] and [E1] aspirin [/E1] [SEP]".split()
    assert model.relate([text], [(Mention(8, 15, "Chemical", 1.0), Mention(0, 3, "Gene", 1.0))])[0][0].head == "aspirin"


def test_answers_are_the_best_spans_of_transformers(folders, models):
    import torch

    network, tokenizer = reference(folders["spans"], "BertForQuestionAnswering")
    question, text = "What reduced stroke?", TEXTS[4]
    given = tokenizer(question, text, return_tensors="pt")
    with torch.inference_mode():
        out = network(**given)
    start, end = out.start_logits[0].double().numpy(), out.end_logits[0].double().numpy()
    words = [at for at, kind in enumerate(given.sequence_ids(0)) if kind == 1]
    firsts = [at for at in words if given.word_ids(0)[at - 1] != given.word_ids(0)[at] or given.sequence_ids(0)[at - 1] != 1]
    lasts = [at for at in words if at + 1 > max(words) or given.word_ids(0)[at + 1] != given.word_ids(0)[at]]
    scores = {(a, b): start[a] + end[b] for i, a in enumerate(firsts) for b in lasts[i : i + 30]}
    null = start[0] + end[0]
    total = np.logaddexp.reduce([*scores.values(), null])
    best = max(scores, key=scores.get)
    found = models["spans"].answer(question, [text, ""], 3)
    assert found[1] == []
    if scores[best] <= null:
        assert found[0] == []
    else:
        assert (found[0][0].start, found[0][0].end) == (given.token_to_chars(best[0]).start, given.token_to_chars(best[1]).end)
        assert found[0][0].score == pytest.approx(np.exp(scores[best] - total), rel=1e-4)
    words = text[given.token_to_chars(best[0]).start : given.token_to_chars(best[1]).end]
    odds = models["spans"].answer_score(question, [text, "insulin"], words)
    assert odds[0] == pytest.approx(max(scores[best] - null, GONE), abs=1e-4)
    assert odds[1] == np.float32(GONE)


def test_an_answer_is_found_in_any_window_of_a_long_text(models):
    model = models["spans"]
    long = " ".join(f"{word} insulin" for word in "the of and in with patients treated were was blood glucose aspirin".split() * 12)
    found = model.answer("What?", [long], 5)[0]
    assert all(long[each.start : each.end].strip() for each in found)
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
    assert model.answer_score("What?", [f"{long} aspirin headache"], "headache")[0] > GONE


def test_what_does_not_fit_the_window_is_refused_with_the_limit(models):
    with pytest.raises(InputError, match="reads 64 at once"):
        models["verdict"].verdict("Does it?", ["insulin " * 100])
    with pytest.raises(InputError, match="Shorten the question"):
        models["spans"].answer("insulin " * 60, ["aspirin"], 1)


def test_a_head_whose_weights_are_missing_is_refused_and_never_made_up(tmp_path):
    folder = make(tmp_path / "m", "words")
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**settings, "architectures": ["BertForTokenClassification"]}))
    with pytest.raises(ModelError, match="weights of that head are missing"):
        load(folder)


@pytest.mark.parametrize(("lost", "words"), [("bert.encoder.layer.1.output.dense.weight", "lacks the weight"), ("", "belongs to no part")])
def test_a_weight_missing_or_left_over_is_named(tmp_path, lost, words):
    import torch
    from safetensors.torch import load_file, save_file

    folder = make(tmp_path / "m", "marks")
    held = load_file(folder / "model.safetensors")
    held.pop(lost, None)
    save_file(held if lost else {**held, "bert.extra.weight": torch.zeros(2)}, folder / "model.safetensors")
    with pytest.raises(ModelError, match=words):
        load(folder)


def test_weights_of_another_shape_are_refused(tmp_path):
    folder = make(tmp_path / "m", "words")
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**settings, "intermediate_size": 48}))
    with pytest.raises(ModelError, match=r"shape|do not fit"):
        load(folder)


def test_old_names_of_norms_and_a_bare_encoder_with_prefix_are_read(tmp_path, folders):
    from safetensors.torch import load_file, save_file

    folder = make(tmp_path / "m", "words")
    held = {name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): value
            for name, value in load_file(folder / "model.safetensors").items()}  # fmt: skip
    save_file(held, folder / "model.safetensors")
    settings = json.loads((folder / "config.json").read_text())
    for name in ("architectures", "model_type"):
        settings.pop(name)
    (folder / "config.json").write_text(json.dumps(settings))  # as SciBERT's
    assert read_checkpoint(folder).head == "words"
    assert np.abs(load(folder).embed(TEXTS) - load(folders["words"]).embed(TEXTS)).max() < 1e-6


def test_pickled_weights_give_the_same_vectors(tmp_path, folders):
    assert np.array_equal(load(make(tmp_path / "m", "words", pickled=True)).embed(TEXTS), load(folders["words"]).embed(TEXTS))


def test_labels_without_names_are_refused(tmp_path):
    folder = make(tmp_path / "m", "marks", labels=("LABEL_0", "LABEL_1", "LABEL_2"))
    with pytest.raises(ModelError, match="do not say what they mark"):
        load(folder)


def test_a_vocabulary_that_is_not_the_checkpoints_is_refused(tmp_path):
    folder = make(tmp_path / "m", "none")
    lines = (folder / "vocab.txt").read_text().splitlines()
    (folder / "vocab.txt").write_text("\n".join([*lines, "moreover"]))
    with pytest.raises(ModelError, match="fewer word vectors"):
        load(folder)
    (folder / "vocab.txt").write_text("\n".join(lines[:40]))
    with pytest.raises(ModelError, match="does not know"):
        load(folder)
    (folder / "vocab.txt").write_text("\n".join([*lines[:5], "AAA", "AAC", "AAG"]))
    with pytest.raises(ModelError, match="no English words"):
        load(folder)


def test_a_published_model_that_knows_nothing_is_refused(folders):
    with pytest.raises(ModelError, match="does not foretell"):
        biobert.load(folders["words"], replace(CARD, source="hub", untrained=False), "cpu")


def test_out_of_memory_halves_the_batch_and_changes_nothing(models, monkeypatch):
    model, seen = models["none"], []
    expected, whole = model.embed(TEXTS), model._sums

    def short(ids, kinds, mask):
        seen.append(len(ids))
        if len(ids) > 2:
            raise RuntimeError("out of memory")
        return whole(ids, kinds, mask)

    monkeypatch.setattr(model, "_sums", short)
    assert np.abs(model.embed(TEXTS) - expected).max() < 1e-5
    assert max(seen) > 2 >= min(seen)


@pytest.mark.gpu
def test_bfloat16_on_cuda_stays_near_float32(folders):
    on_gpu = biobert.load(folders["none"], CARD, "cuda").embed(TEXTS)
    exact = biobert.load(folders["none"], CARD, "cpu").embed(TEXTS)
    cosines = (on_gpu * exact).sum(1) / np.linalg.norm(on_gpu, axis=1) / np.linalg.norm(exact, axis=1)
    assert cosines.min() > 0.99
