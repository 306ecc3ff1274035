"""Known sites are found at their place and strand; chance is computed exactly; what is left out is told; a match explains itself."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.config import ASSETS, load_config
from backend.errors import Cancelled, InputError
from backend.figures import motifs as figures
from backend.models.families import jaspar
from backend.sequences import motifs_words
from backend.sequences.inputs import give_file, give_text
from backend.sequences.motifs_scan import STEP, UNIFORM, encode, prepare, scan, tails, weights
from backend.workbench import Workbench
from tests.prepare import models_folder

CTCF = "TGGCCACCAGGGGGCGCTA"  # the classical site of the insulators (Kim et al. 2007, doi:10.1016/j.cell.2006.12.048)
P53 = "GAACATGTCCCAACATGTTG"  # the 5' response element of CDKN1A, p21 (el-Deiry et al. 1993, doi:10.1016/0092-8674(93)90500-P)
LATE = "GGGGGGCTATAAAAGGGGGT"  # TATA box of the adenovirus major late promoter
FLAT = np.array(UNIFORM)
_TURN = str.maketrans("ACGT", "TGCA")


def dna(length, seed=0):
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), length))


def turned(sequence):
    return sequence.translate(_TURN)[::-1]


@pytest.fixture(scope="module")
def matrices():
    folder = models_folder() / jaspar.CARD.name / jaspar.CARD.sha256[:12]
    if not folder.is_dir():
        pytest.skip("the matrices were not fetched: python -m tests.prepare")
    return jaspar.load(folder, jaspar.CARD, "cpu")


@pytest.fixture(scope="module")
def bench(matrices, tmp_path_factory):
    """One workbench for all: nothing here hangs on what was saved before, and the matrices are read once."""
    folder = tmp_path_factory.mktemp("motifs")
    (folder / "models").symlink_to(models_folder(), target_is_directory=True)
    opened = Workbench(load_config({"BIOLOOM_DATA": str(folder), "BIOLOOM_DEVICE": "cpu"}))
    yield opened
    opened.close()


def ready(matrices, names, p_value=1e-4):
    return [prepare(matrices.get(name), FLAT, p_value, np.stack([FLAT, FLAT])) for name in names]


def run(bench, text, **more):
    return bench.run("dna.motifs", give_text(bench.context, text, kind="dna"), **more)


# --- chance ----------------------------------------------------------------------------------------------------------


def test_the_distribution_of_scores_is_that_of_all_words(matrices):
    terms = weights(matrices.get("MA0139.2"), FLAT)[2:8]
    shares = np.array([[0.25] * 4, [0.4, 0.1, 0.2, 0.3]])
    found = tails(terms, shares)
    lowest = terms.min(axis=1).sum()
    words = np.array(list(itertools.product(range(4), repeat=6)))
    scores = terms[np.arange(6), words].sum(axis=1)
    for bound in np.quantile(scores, [0, 0.1, 0.5, 0.9, 1]).astype(int):
        for chances, row in zip(shares, found, strict=True):
            assert row[bound - lowest] == pytest.approx(chances[words].prod(axis=1)[scores >= bound].sum(), rel=1e-9)


@pytest.mark.parametrize("motif", ["MA0139.2", "MA0106.3", "MA0108.3", "MA0493.3"])
def test_a_threshold_is_passed_by_random_dna_as_often_as_it_says(matrices, motif):
    (scored,) = ready(matrices, [motif], 1e-3)
    assert scored.p_value <= 1e-3
    hits = scan(encode(dna(400_000, 3)), [scored], both=False)
    expected = scored.p_value * hits.windows[0]
    assert abs(hits.found[0] - expected) < 5 * expected**0.5


def test_no_lower_score_would_keep_the_p_value(matrices):
    for motif in ("MA0139.2", "MA0035.5"):
        whole = tails(weights(matrices.get(motif), FLAT), FLAT[None])[0]
        (scored,) = ready(matrices, [motif])
        reached = np.unique(whole)[::-1]
        assert scored.p_value == max(value for value in reached if value <= 1e-4)


def test_a_motif_that_cannot_be_that_unlikely_is_left_out_and_told(bench, matrices):
    short = matrices.get("MA0004.1")  # Arnt, CACGTG: one of 4,096 words
    assert prepare(short, FLAT, 1e-4, FLAT[None]) is None
    assert prepare(short, FLAT, 1e-3, FLAT[None]) is not None
    made = run(bench, f">r\n{dna(200)}CACGTG{dna(200)}\n", settings={"motifs": ["MA0004", "CTCF"]})
    assert any("Arnt (MA0004.1)" in warning and "p-value" in warning for warning in made.warnings)


def test_found_and_expected_agree_on_random_dna(bench):
    (result,) = run(bench, f">r\n{dna(20_000, 1)}\n").prediction["results"]
    assert result["found"] == pytest.approx(result["expected"], rel=0.15)
    assert result["expected_by_composition"] == pytest.approx(result["expected"], rel=0.1)


def test_a_composition_that_suits_the_motifs_is_told_and_can_be_the_background(bench):
    rng = np.random.default_rng(2)
    text = ">at\n" + "".join(rng.choice(list("ACGT"), 20_000, p=[0.4, 0.1, 0.1, 0.4])) + "\n"
    uniform, own = (run(bench, text, settings={"background": name, "group": "insects"}) for name in ("uniform", "record"))
    (first,), (second,) = uniform.prediction["results"], own.prediction["results"]
    assert first["found"] > 1.5 * first["expected"]
    assert first["found"] == pytest.approx(first["expected_by_composition"], rel=0.15)
    assert second["found"] == pytest.approx(second["expected"], rel=0.15)
    assert any("base shares" in warning for warning in uniform.warnings)
    assert not any("base shares" in warning for warning in own.warnings)


# --- places ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "motif", "site"), [("CTCF", "MA0139.2", CTCF), ("TP53", "MA0106.3", P53), ("TBP", "MA0108.3", LATE)])
@pytest.mark.parametrize("strand", ["+", "-"])
def test_a_textbook_site_is_found_where_it_was_planted(bench, name, motif, site, strand):
    planted = site if strand == "+" else turned(site)
    text = f">p\n{dna(300, 4)}{planted}{dna(300, 5)}\n"
    (result,) = run(bench, text, settings={"motifs": [name], "p_value": 1e-3}).prediction["results"]
    best = next(hit for hit in result["hits"] if hit["motif"] == motif)
    assert 301 <= best["start"] < best["end"] <= 300 + len(site)
    assert best["match"] in site
    both_ways = turned(best["match"]) == best["match"] or name == "TP53"  # p53's element reads nearly alike both ways
    assert best["strand"] == strand or both_ways


def test_ctcf_stands_out_among_all_vertebrate_motifs(bench):
    (result,) = run(bench, f">p\n{dna(300, 4)}{CTCF}{dna(300, 5)}\n").prediction["results"]
    assert any(hit["name"] == "CTCF" and hit["strand"] == "+" and hit["by_chance"] < 0.5 for hit in result["hits"][:5])


def test_the_octamer_in_the_second_intron_of_beta_globin_is_found(bench):
    value = give_file(bench.context, ASSETS / "examples" / "hbb-gene.fasta")
    (result,) = bench.run("dna.motifs", value).prediction["results"]
    octamer = next(hit for hit in result["hits"] if hit["name"] == "POU2F2")
    assert "ATGCAAAT" in octamer["match"]
    assert 496 <= octamer["start"] <= octamer["end"] <= 1_345
    assert result["sequence"][octamer["start"] - 1 : octamer["end"]] == turned(octamer["match"])


def test_places_follow_the_users_numbering(bench):
    plain = run(bench, f">p\n{dna(60, 6)}{CTCF}{dna(60, 7)}\n", settings={"motifs": ["MA0139"]}).prediction["results"][0]["hits"][0]
    gapped = run(bench, f">p\n-----{dna(60, 6)}{CTCF[:9]}--{CTCF[9:]}{dna(60, 7)}\n", settings={"motifs": ["MA0139"]})
    hit = gapped.prediction["results"][0]["hits"][0]
    assert (hit["start"], hit["end"], hit["score"]) == (plain["start"] + 5, plain["end"] + 7, plain["score"])


def test_letters_that_are_no_base_never_match_and_are_told(bench):
    made = run(bench, f">n\n{dna(60, 6)}{CTCF[:9]}N{CTCF[10:]}{dna(60, 7)}RYNNN\n", settings={"motifs": ["CTCF"], "p_value": 0.01})
    (result,) = made.prediction["results"]
    assert result["unread"] == 6
    assert all(set(hit["match"]) <= set("ACGT") for hit in result["hits"])
    assert any("6 letters" in warning for warning in made.warnings)


def test_one_strand_alone_gives_its_half(bench):
    text = f">r\n{dna(3_000, 8)}\n"
    both, one = (run(bench, text, settings={"both_strands": way}).prediction["results"][0] for way in (True, False))
    kept = [hit for hit in both["hits"] if hit["strand"] == "+"]
    assert [(h["motif"], h["start"], h["score"]) for h in kept] == [(h["motif"], h["start"], h["score"]) for h in one["hits"]]
    assert one["expected"] == pytest.approx(both["expected"] / 2, rel=1e-3)


MOTIFS = ["MA0139.2", "MA0106.3", "MA0108.3", "MA0035.5", "MA0493.3"]


def found(hits):
    return sorted(zip(hits.motif.tolist(), hits.start.tolist(), hits.reverse.tolist(), hits.score.tolist(), hits.p.tolist(), strict=True))


@settings(max_examples=15, deadline=None)
@given(st.text("ACGTN", max_size=400), st.integers(1, 20_000))
def test_blocks_company_and_strand_change_nothing(matrices, sequence, block):
    scored = ready(matrices, MOTIFS, 0.01)
    whole = scan(encode(sequence), scored)
    assert found(scan(encode(sequence), scored, block=block)) == found(whole)
    for index, each in enumerate(scored):
        alone = scan(encode(sequence), [each])
        assert [row[1:] for row in found(alone)] == [row[1:] for row in found(whole) if row[0] == index]
        assert alone.windows[0] == whole.windows[index]
    other = scan(encode(turned(sequence)), scored)
    widths = [each.motif.width for each in scored]
    mirrored = [(m, len(sequence) - start - widths[m], not reverse, score, p) for m, start, reverse, score, p in found(other)]
    assert sorted(mirrored) == found(whole)


def test_of_too_many_the_strongest_are_kept_and_all_are_counted(matrices):
    scored, codes = ready(matrices, MOTIFS, 0.01), encode(dna(20_000, 9))
    whole, few = scan(codes, scored), scan(codes, scored, most=50, block=3_000)
    assert len(few.start) == 50
    assert few.found.tolist() == whole.found.tolist()
    assert few.found.sum() == len(whole.start) > 200
    assert np.array_equal(few.p, whole.p[:50])
    assert np.array_equal(few.start, whole.start[:50])
    assert np.array_equal(few.best, whole.best)


def test_a_sequence_shorter_than_every_motif_has_no_match(bench):
    (result,) = run(bench, ">s\nACG\n", settings={"motifs": ["CTCF"]}).prediction["results"]
    assert (result["found"], result["expected"], result["hits"]) == (0, 0, [])


def test_a_scan_can_be_stopped(matrices):
    class Stop:
        def update(self, *_):
            pass

        def check(self):
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        scan(encode(dna(1_000)), ready(matrices, MOTIFS), progress=Stop())


# --- questions that cannot be answered -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "message", "hint"),
    [
        ({"motifs": ["MA0139.1"]}, "MA0139.1", "MA0139.2"),
        ({"motifs": ["CTCFF"]}, "CTCFF", "CTCF"),
        ({"motifs": ["ABF1"]}, "ABF1", "fungi"),
        ({"group": "birds"}, "birds", "vertebrates"),
        ({"p_value": 0.5}, "0.5", "0.0001"),
        ({"p_value": "low"}, "low", "0.0001"),
        ({"background": "genome"}, "genome", "uniform"),
    ],
)
def test_what_is_not_known_is_answered_with_what_is(bench, asked, message, hint):
    with pytest.raises(InputError, match=message) as refused:
        run(bench, f">r\n{dna(100)}\n", settings=asked)
    assert hint in refused.value.hint


def test_a_protein_is_refused(bench):
    with pytest.raises(InputError, match="DNA"):
        bench.run("dna.motifs", give_file(bench.context, ASSETS / "examples" / "ubiquitin.fasta"))


def test_what_is_too_long_is_left_out_and_told(bench, monkeypatch):
    monkeypatch.setattr("backend.sequences.motifs.MOST_BASES", 300)
    made = run(bench, f">a\n{dna(200)}\n>b\n{dna(200, 1)}\n", settings={"motifs": ["CTCF"]})
    assert [result["record"] for result in made.prediction["results"]] == ["a"]
    assert any("b with 200 bases was left out" in warning for warning in made.warnings)
    with pytest.raises(InputError, match="400 bases"):
        run(bench, f">a\n{dna(400)}\n", settings={"motifs": ["CTCF"]})


# --- why -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("site", [CTCF, turned(CTCF)])
def test_a_match_is_the_sum_of_its_bases_and_an_exchange_does_what_is_said(bench, matrices, site):
    text = f">p\n{dna(100, 4)}{site}{dna(100, 5)}\n"
    made = run(bench, text, settings={"motifs": ["MA0139"]}, explain=True)
    hit, why = made.prediction["results"][0]["hits"][0], made.explanation
    sites, scan_ = why["sites"], why["mutagenesis"]
    assert why["target"] == {"record": "p", "motif": "MA0139.2", "start": hit["start"], "strand": hit["strand"]}
    assert sites["score"] == pytest.approx(hit["score"]) == scan_["score"]
    terms = weights(matrices.get("MA0139.2"), FLAT) * STEP
    exact = [terms[i]["ACGT".index(base)] - terms[i].mean() for i, base in enumerate(hit["match"])]
    shares = [item["value"] for item in sites["attributions"]]
    assert shares == pytest.approx(exact if hit["strand"] == "+" else exact[::-1], abs=1e-6)
    assert sites["base_value"] + sum(shares) == pytest.approx(sites["score"])
    assert sites["faithfulness"]["reliable"]
    for item in sites["attributions"]:  # the shares stand at the letters that are shown
        assert why["sequence"][item["start"] : item["end"]] == item["label"][0]
    at = hit["start"] - 1
    sequence = made.prediction["results"][0]["sequence"]
    for place, changes in list(enumerate(scan_["change"]))[::4]:
        for base, change in zip("ACGT", changes, strict=True):
            letters = sequence[at : at + place] + base + sequence[at + place + 1 : at + len(hit["match"])]
            read = letters if hit["strand"] == "+" else turned(letters)
            score = sum(terms[i]["ACGT".index(letter)] for i, letter in enumerate(read))
            assert hit["score"] + change == pytest.approx(score, abs=0.006)


def test_the_conserved_core_of_ctcf_carries_the_score(bench):
    made = run(bench, f">p\n{dna(100, 4)}{CTCF}{dna(100, 5)}\n", settings={"motifs": ["MA0139"]}, explain=True)
    items = sorted(made.explanation["sites"]["attributions"], key=lambda item: -item["value"])
    core = {100 + CTCF.index("CCACCAGGGGGCGC") + offset + 1 for offset in range(14)}
    assert {int(item["label"][1:]) for item in items[:5]} <= core


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ({"motif": "MA9999.1", "start": 5}, "MA9999"),
        ({"motif": "MA0139.2", "start": 999}, "999"),
        ({"motif": "MA0139.2", "start": 218}, "bases long"),
        ({"motif": "MA0139.2", "start": 5, "strand": "up"}, "strand"),
        ({"record": "q", "motif": "MA0139.2", "start": 5}, "'q'"),
        ({"motif": "MA0139.2", "start": 1}, "'N' at 2"),
        ({"start": 5}, "which match"),
    ],
)
def test_what_is_not_there_cannot_be_explained(bench, target, message):
    text = f">p\nAN{dna(98, 4)}{CTCF}{dna(101, 5)}\n"
    with pytest.raises(InputError, match=message):
        run(bench, text, settings={"motifs": ["MA0139"]}, explain=True, target=target)


# --- files and figures -----------------------------------------------------------------------------------------------


def test_files_carry_every_match_at_its_place(bench):
    found = run(bench, f">p\n{dna(300, 4)}{CTCF}{dna(300, 5)}\n").prediction
    (result,) = found["results"]
    lines = [line.split("\t") for line in motifs_words.gff3(found).splitlines() if not line.startswith("#")]
    assert len(lines) == result["kept"] == len(motifs_words.csv(found).splitlines()) - 1
    first, hit = lines[0], result["hits"][0]
    assert (first[0], first[2], int(first[3]), int(first[4]), first[6]) == ("p", "TF_binding_site", hit["start"], hit["end"], hit["strand"])
    assert f"motif={hit['motif']}" in first[8]


def test_figures_show_the_numbers_and_say_them(bench):
    made = run(bench, f">p\n{dna(300, 4)}{CTCF}{dna(300, 5)}\n", explain=True)
    (result,), catalogue = made.prediction["results"], made.prediction["motifs"]
    figure = figures.plot_matches(result, catalogue)
    assert sum(len(trace.x) for trace in figure.data) == len(figures.match_rows(result))
    words = figures.describe_matches(result, catalogue)
    assert f"{result['found']:,} matches" in words
    assert result["hits"][0]["name"] in words
    track = figures.strongest_track(result)
    best = result["hits"][0]
    assert len(track) == result["length"]
    assert track[best["start"] - 1] == pytest.approx(-np.log10(best["p_value"]), abs=0.01)
    scan_ = made.explanation["mutagenesis"]
    figures.plot_exchanges(scan_, best["name"])
    assert len(figures.exchange_rows(scan_)) == 3 * len(scan_["letters"])
    assert "below the threshold" in figures.describe_exchanges(scan_, best["name"])
