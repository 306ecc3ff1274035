"""AntiBERTy gives what its publisher's weights give in transformers, and says when a protein is no antibody."""

import numpy as np
import pytest

from backend.config import load_config
from backend.models.families import antiberty
from backend.models.masked import AMINO
from backend.models.runtime import Runtime
from backend.sequences.scan import scan
from tests.prepare import STORE

TRASTUZUMAB = antiberty._GOLDEN
LIGHT = "DIQMTQSPSSLSASVGDRVTITCRASQDVNTAVAWYQQKPGKAPKLLIYSASFLYSGVPSRFSGSRSGTDFTLTISSLQPEDFATYYCQQHYTTPPTFGQGTKVEIK"
CAMEL = "EVQLVESGGGLVQPGGSLRLSCAASGRTFSYNPMGWFRQAPGKGRELVAAISRTGGSTYYPDSVEGRFTISRDNAKRMVYLQMNSLRAEDTAVYYCAAAGVRAEDGRVRTLPSEYTFWGQGTQVTVSS"
RECEPTOR = "NAGVTQTPKFQVLKTGQSMTLQCAQDMNHEYMSWYRQDPGMGLRLIHYSVGAGITDQGEVPNGYNVSRSTTEDFPLRLLSAAPSQTSVYFCASSYVGNTGELFFGEGSRLTVL"
UBIQUITIN = "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG"


@pytest.fixture(scope="module")
def model():
    runtime = Runtime(load_config({"BIOLOOM_DATA": str(STORE), "BIOLOOM_DEVICE": "cpu"}))
    if not runtime.present("antiberty"):
        pytest.skip("AntiBERTy was not fetched: bioloom models fetch antiberty")
    with runtime.use("antiberty") as loaded:
        yield loaded


def test_it_equals_transformers_on_the_published_weights(model):
    import torch
    from transformers import BertForMaskedLM

    folder = STORE / "models" / "antiberty" / antiberty.CARD.sha256[:12]
    theirs = BertForMaskedLM.from_pretrained(folder / "AntiBERTy_md_smooth").eval()
    vocabulary = (folder / "vocab.txt").read_text().split()
    ids = torch.tensor([[vocabulary.index("[CLS]"), *model.tokens(TRASTUZUMAB), vocabulary.index("[SEP]")]])
    ids[0, 51] = model.mask
    with torch.inference_mode():
        logits = theirs(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0, 51, [vocabulary.index(letter) for letter in AMINO]]
    ours = scan(model, TRASTUZUMAB).scores[50]
    assert np.abs(ours - (logits - logits[AMINO.index(TRASTUZUMAB[50])]).numpy()).max() < 1e-4


@pytest.mark.parametrize("method", ["masked", "wildtype"])
@pytest.mark.parametrize("sequence", [TRASTUZUMAB, LIGHT, CAMEL], ids=["VH", "VL", "VHH"])
def test_a_variable_domain_is_taken_for_one(model, sequence, method):
    assert antiberty.suits(sequence)
    assert model.doubts(sequence, scan(model, sequence, method).own) == []


@pytest.mark.parametrize("method", ["masked", "wildtype"])
@pytest.mark.parametrize("sequence", [UBIQUITIN, RECEPTOR], ids=["ubiquitin", "T-cell receptor"])
def test_another_protein_is_warned_of_even_where_its_framework_looks_alike(model, sequence, method):
    (doubt,) = model.doubts(sequence, scan(model, sequence, method).own)
    assert "does not look like an antibody" in doubt


def test_the_cysteine_that_holds_the_fold_is_borne_worst(model):
    mean = scan(model, TRASTUZUMAB).scores.mean(axis=1)
    assert set(np.argsort(mean)[:12]) & {21, 95}  # the disulphide bridge: C22 and C96
