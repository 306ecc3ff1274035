"""Disorder finds p53's known tails, says the rule of its stretches, tells odd letters, and explains itself."""

import numpy as np
import pytest

from backend.errors import InputError
from backend.models.families import metapredict
from backend.sequences import disorder
from backend.sequences.disorder import find_stretches
from backend.sequences.inputs import give_text
from tests.prepare import models_folder

P53 = (
    "MEEPQSDPSVEPPLSQETFSDLWKLLPENNVLSPLPSQAMDDLMLSPDDIEQWFTEDPGPDEAPRMPEAAPPVAPAPAAPTPAAPAPAPSWPLSSSVPSQKTYQGSYGFRLGFLHSGTAKSVTCTYS"
    "PALNKMFCQLAKTCPVQLWVDSTPPPGTRVRAMAIYKQSQHMTEVVRRCPHHERCSDSDGLAPPQHLIRVEGNLRVEYLDDRNTFRHSVVVPYEPPEVGSDCTTIHYNYMCNSSCMGGMNRRPILTI"
    "ITLEDSSGNLLGRNSFEVRVCACPGRDRRTEEENLRKKGEPHHELPPGSTKRALPNNTSSSPQPKKKPLDGEYFTLQIRGRERFEMFRELNEALELKDAQAGKEPGGSRAHSSHLKSKKGQSTSRH"
    "KKLMFKTEGPDSD"
)


@pytest.fixture(autouse=True)
def _weights():
    if not (models_folder() / metapredict.CARD.name / metapredict.CARD.sha256[:12]).is_dir():
        pytest.skip("the embedded model was not fetched: python -m tests.prepare")


def run(bench, text, **more):
    return bench.run("protein.disorder", give_text(bench.context, text), **more)


def test_stretches_follow_their_rule():
    scores = np.array([0.9] * 12 + [0.1] * 10 + [0.9] * 3 + [0.1] * 11 + [0.5] * 12)
    assert find_stretches(scores, 0.5, 12, 10) == [(0, 25), (36, 48)]
    assert find_stretches(scores, 0.5, 12, 9) == [(0, 12), (36, 48)]
    assert find_stretches(scores, 0.51, 13, 10) == [(0, 25)]
    assert find_stretches(np.zeros(0), 0.5, 1, 0) == []


def test_both_tails_of_p53_are_disordered_and_its_core_is_not(bench):
    found = run(bench, f">p53\n{P53}\n").prediction
    (result,) = found["results"]
    inside = {place for each in result["stretches"] for place in range(each["start"], each["end"] + 1)}
    assert set(range(1, 92)) <= inside  # transactivation and proline-rich regions
    assert set(range(364, 394)) <= inside  # C-terminal regulatory domain
    assert not inside & set(range(110, 280))  # the DNA-binding core
    assert len(result["disorder"]) == len(result["plddt"]) == len(P53)
    gff = disorder._gff3(found)
    assert gff.count("intrinsically_unstructured_polypeptide_region") == len(result["stretches"])
    assert len(disorder._csv(found).splitlines()) == len(P53) + 1


def test_letters_that_the_networks_do_not_know_are_told(bench):
    made = run(bench, f">odd\n{P53[:60]}XU{P53[60:90]}\n")
    assert made.prediction["results"][0]["read_as"] == [
        {"place": 61, "letter": "X", "as": "G"},
        {"place": 62, "letter": "U", "as": "C"},
    ]
    assert any("X61 as G" in warning for warning in made.warnings)


def test_a_threshold_outside_zero_to_one_is_refused(bench):
    with pytest.raises(InputError, match="threshold"):
        run(bench, f">p\n{P53}\n", settings={"threshold": 5})


def test_the_explanation_adds_up_and_names_the_residues_of_its_own_stretch(bench):
    made = run(bench, f">tail\n{P53[:150]}\n", explain=True, target={"record": "tail", "start": 1, "end": 90})
    sites, scan = made.explanation["sites"], made.explanation["mutagenesis"]
    shares = sum(item["value"] for item in sites["attributions"])
    assert sites["base_value"] + shares == pytest.approx(sites["score"], abs=1e-6)
    own = sum(item["value"] for item in sites["attributions"] if item["end"] <= 90)
    assert own > 0.8 * shares
    assert "Swiss-Prot" in sites["baseline"]
    for residue, changes in zip(scan["residues"], scan["change"], strict=True):
        assert abs(changes[scan["letters"].index(residue)]) < 1e-4  # a residue in place of itself


def test_a_place_that_is_not_there_cannot_be_explained(bench):
    with pytest.raises(InputError, match="999"):
        run(bench, f">p\n{P53[:60]}\n", explain=True, target={"record": "p", "place": 999})
