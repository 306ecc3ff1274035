"""The splice task on the gene of human beta-globin: its four sites, its textbook mutations, and why."""

import json

import pytest

from backend.config import ROOT
from backend.errors import Cancelled, InputError
from backend.sequences.inputs import give_file, give_text
from backend.tasks import find_task

GENE = ROOT / "assets/examples/hbb-gene.fasta"
LETTERS = "".join(GENE.read_text().splitlines()[1:])
SET = {"exons": "1-142, 273-495, 1346-1606", "cds_start": 51}


@pytest.fixture
def run(bench):
    if not bench.runtime.present("cispliceai"):
        pytest.skip("the weights of cispliceai are not on this machine")

    def made(text=None, records=(), **settings):
        given = give_text(bench.context, text) if text else give_file(bench.context, GENE, records=records)
        return bench.run("dna.splice", given, settings=settings)

    return made


def sites(found):
    return {(site["kind"], site["place"]): site["probability"] for site in found["sites"]}


def test_all_four_sites_of_beta_globin_at_the_exact_base(run):
    (found,) = run(**SET).prediction["results"]
    given = sites(found)
    for site in (("donor", 142), ("acceptor", 273), ("donor", 495), ("acceptor", 1346)):
        assert given[site] >= 0.9
    assert {place for (_, place), value in given.items() if value >= 0.5} == {142, 273, 495, 1346}
    assert found["missed"] == []
    assert [site["known"] for site in found["sites"] if site["probability"] >= 0.5] == [True] * 4
    assert found["tracks"]["form"] == "full"
    assert len(found["tracks"]["donor"]) == len(LETTERS)


def test_the_other_strand_gives_the_same_sites_at_the_same_bases(run):
    turned = LETTERS[::-1].translate(str.maketrans("ACGT", "TGCA"))
    forward, backward = run().prediction["results"][0], run(f">turned\n{turned}\n", strand="-").prediction["results"][0]
    mirrored = {(kind, len(LETTERS) + 1 - place): value for (kind, place), value in sites(backward).items()}
    assert mirrored == pytest.approx(sites(forward), abs=2e-4)
    assert {place for _, place in sites(run(strand="-").prediction["results"][0])}.isdisjoint({142, 273, 495, 1346})


def test_textbook_mutations_of_beta_globin(run):
    named = ["143G>A", "c.93-21G>A", "c.315+1G>A", "70A>T"]
    first, cryptic, second, sickle = run(**SET, variants=named).prediction["results"][0]["variants"]
    assert first["effect"] == "donor_loss"
    assert first["donor_loss"]["place"] == 142
    assert first["score"] > 0.9
    assert first["donor_gain"]["place"] == 126  # the cryptic donor that patients' transcripts use, 16 bases upstream
    assert first["donor_gain"]["delta"] > 0.5
    assert (second["effect"], second["donor_loss"]["place"]) == ("donor_loss", 495)
    assert second["score"] > 0.9
    # IVS-I-110 makes a new acceptor: the networks point at the right base, and stay below every cut-off without the gene's flanks
    assert (cryptic["effect"], cryptic["acceptor_gain"]["place"]) == ("acceptor_gain", 254)
    assert cryptic["verdict"] == "Below the cut-off, not ruled out"
    assert sickle["score"] < 0.2  # the sickle mutation changes the protein, not the splicing


def test_insertions_and_deletions_at_the_border(run):
    made = run(variants="143_145del\n144_145insT\n1_3del").prediction["results"][0]["variants"]
    assert [item["donor_loss"]["place"] for item in made[:2]] == [142, 142]
    assert made[0]["score"] > 0.8
    assert made[1]["score"] > 0.8
    assert made[2]["score"] < 0.2


def test_several_records_give_what_each_gives_alone_in_any_order(run):
    cut = LETTERS[:700]
    texts = {"a": LETTERS, "b": cut}
    both = run("".join(f">{name}\n{letters}\n" for name, letters in texts.items())).prediction["results"]
    turned = run("".join(f">{name}\n{texts[name]}\n" for name in "ba")).prediction["results"]
    alone = run(f">b\n{cut}\n").prediction["results"]
    assert both[1]["tracks"]["donor"] == pytest.approx(alone[0]["tracks"]["donor"], abs=1e-5)
    assert both == [turned[1], turned[0]]


def test_unknown_letters_are_told_and_seen_as_none(run):
    made = run(">x\n" + LETTERS[:60] + "NRY" + LETTERS[63:] + "\n")
    assert any("3 letters are not A, C, G or T (N at 61, R at 62, Y at 63)" in warning for warning in made.warnings)
    assert sites(made.prediction["results"][0])[("donor", 142)] > 0.9


def test_a_long_record_keeps_only_what_is_not_next_to_nothing(run):
    long = LETTERS + "ACGT" * 4700
    found = run(f">long\n{long}\n").prediction["results"][0]
    assert found["tracks"]["form"] == "sparse"
    kept = dict(zip(found["tracks"]["donor"]["index"], found["tracks"]["donor"]["value"], strict=True))
    assert kept[141] > 0.9
    assert min(kept.values()) >= 0.01


def test_settings_that_cannot_be_used_are_refused(run):
    for settings in ({"strand": "both"}, {"threshold": 0}, {"threshold": "high"}, {"exons": "1-9999"}, {"cds_start": "x"}):
        with pytest.raises(InputError):
            run(**settings)
    with pytest.raises(InputError, match="Variants belong to one record"):
        run(f">a\n{LETTERS}\n>b\n{LETTERS[:900]}\n", variants=["143G>A"])
    with pytest.raises(InputError, match="1,000,000"):
        run(">big\n" + "ACGT" * 250_001 + "\n")


def test_work_stops_when_asked(bench, run):
    class Impatient:
        def update(self, *_):
            pass

        def check(self):
            raise Cancelled

    with pytest.raises(Cancelled):
        bench.run("dna.splice", give_file(bench.context, GENE), progress=Impatient())


def test_exports_name_the_sites_in_the_fields_own_terms(run):
    made = run(**SET, variants=["143G>A"])
    writers = find_task("dna.splice").exports
    gff3 = writers["gff3"](made.prediction)
    assert "HBB\tCI-SpliceAI\tfive_prime_cis_splice_site\t142\t142\t0.99" in gff3
    assert "three_prime_cis_splice_site\t273\t273" in gff3
    assert "HBB,forward,donor,142,0.99" in writers["csv"](made.prediction)
    assert "143G>A,143,substitution,G,A" in writers["variants.csv"](made.prediction)
    assert writers["variants.csv"](run().prediction).startswith("record,strand,variant")


def shares(explanation):
    letters = {}
    for item in explanation["sites"]["attributions"]:
        for at in range(item["start"], item["end"]):
            letters[at + 1] = item["value"] / (item["end"] - item["start"])
    return letters


@pytest.mark.slow
def test_the_known_motif_comes_out_at_textbook_sites(bench, run):
    made = run(variants=["143G>A"])
    donor = bench.explain(made.id, {"record": "HBB", "site": "donor", "place": 142}).explanation
    value = shares(donor)
    assert LETTERS[142:144] == "GT"
    assert set(sorted(value, key=value.get)[-2:]) == {143, 144}
    assert donor["sites"]["faithfulness"]["reliable"]

    acceptor = bench.explain(made.id, {"record": "HBB", "site": "acceptor", "place": 273}).explanation
    value = shares(acceptor)
    assert LETTERS[270:272] == "AG"
    assert set(sorted(value, key=value.get)[-2:]) == {271, 272}
    tract = sum(value[place] for place in range(255, 269))  # CTATTTTCCCACCC: the polypyrimidine tract
    assert tract > 0.1
    assert tract > abs(sum(value[place] for place in range(285, 299)))  # as many bases of the exon
    changes = acceptor["mutagenesis"]["change"]
    worst = sorted(range(len(changes)), key=lambda at: min(changes[at]))[:2]
    assert {acceptor["mutagenesis"]["places"][at] for at in worst} == {271, 272}

    loss = bench.explain(made.id, {}).explanation
    assert loss["target"] == {"record": "HBB", "variant": "143G>A", "effect": "donor_loss"}
    assert loss["sites"]["score"] == pytest.approx(made.prediction["results"][0]["variants"][0]["score"], abs=1e-3)
    assert set(sorted(shares(loss), key=shares(loss).get)[-2:]) == {143, 144}


@pytest.mark.slow
def test_the_explained_delta_of_an_insertion_is_the_one_that_was_told(bench, run):
    made = run(variants=["144_145insT"])
    loss = bench.explain(made.id, {"variant": "144_145insT", "effect": "donor_loss"}).explanation
    assert loss["sites"]["score"] == pytest.approx(made.prediction["results"][0]["variants"][0]["donor_loss"]["delta"], abs=1e-3)


def test_what_is_not_in_the_result_cannot_be_explained(bench, run):
    made = run()
    for target in (
        {"record": "other"},
        {"site": "donor"},
        {"site": "exon", "place": 3},
        {"site": "donor", "place": 99999},
        {"variant": "1A>C"},
    ):
        with pytest.raises(InputError):
            bench.explain(made.id, target)


def test_measured_on_known_sites(bench, run, tmp_path):
    from backend.evaluate import evaluate

    rows = [{"id": "HBB", "sequence": LETTERS, "acceptors": "273 1346", "donors": "142 495"}]
    rows.append({"id": "part", "sequence": LETTERS[:700], "acceptors": [273], "donors": [142, 495]})
    (tmp_path / "known.json").write_text(json.dumps(rows))
    (tmp_path / "known.csv").write_text(f"id,sequence,acceptors,donors\nHBB,{LETTERS},273 1346,142;495\n")
    made = evaluate(bench.context, "dna.splice", [tmp_path / "known.json"])
    assert made["n"] == 2
    for name in ("top-k acceptor", "PR-AUC acceptor", "top-k donor", "PR-AUC donor"):
        assert made["systems"]["CI-SpliceAI"][name]["value"] == 1
    alone = evaluate(bench.context, "dna.splice", [tmp_path / "known.csv"])
    assert alone["systems"]["CI-SpliceAI"]["top-k donor"]["low"] is None
    wrong = tmp_path / "wrong.csv"
    for text in ("sequence,donors\nACGT,1\n", "sequence,acceptors,donors\nACGT,,9\n", "sequence,acceptors,donors\nAC!T,,1\n", "x"):
        wrong.write_text(text)
        with pytest.raises(InputError):
            evaluate(bench.context, "dna.splice", [wrong])
