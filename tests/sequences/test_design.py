"""Sequences designed for a backbone: what stays, what is drawn, and what is told of the structure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.config import ROOT
from backend.errors import InputError
from backend.sequences.design import entropy
from backend.sequences.design_backbone import parse_fixed, pose
from backend.sequences.inputs import give_file
from backend.sequences.structures import read_structure
from backend.tasks import find_task

UBIQUITIN = ROOT / "assets" / "examples" / "ubiquitin-1ubi.pdb"


@pytest.fixture
def given(bench: Any) -> dict[str, Any]:
    if not bench.runtime.present("proteinmpnn"):
        pytest.skip("ProteinMPNN is not fetched")
    return give_file(bench.context, UBIQUITIN)


def write(tmp_path: Path, change: Any) -> Path:
    """The example with its lines changed."""
    path = tmp_path / "changed.pdb"
    path.write_text("\n".join(line for row in UBIQUITIN.read_text().splitlines() if (line := change(row)) is not None) + "\n")
    return path


def test_the_same_seed_gives_the_same_designs_however_many_are_asked_for(bench: Any, given: dict[str, Any]) -> None:
    two = bench.run("protein.design", given, settings={"designs": 2}).prediction
    four = bench.run("protein.design", given, settings={"designs": 4}).prediction
    assert two["designs"] == four["designs"][:2]
    other = bench.run("protein.design", given, settings={"designs": 2, "seed": 1}).prediction
    assert other["designs"][0]["sequence"] != two["designs"][0]["sequence"]


def test_ubiquitin_is_recovered_as_published_backbones_are(bench: Any, given: dict[str, Any]) -> None:
    found = bench.run("protein.design", given, settings={"designs": 4}).prediction
    assert 0.45 < found["recovery"]["value"] < 0.65
    assert found["recovery"]["low"] <= found["recovery"]["value"] <= found["recovery"]["high"]
    assert found["native"]["score"] == pytest.approx(1.33, abs=0.05)
    assert all(each["score"] < found["native"]["score"] for each in found["designs"])
    result = found["results"][0]
    np.testing.assert_allclose(np.sum(result["alone"], axis=1), 1, atol=0.02)
    assert min(result["entropy"]) < 1 < 2.5 < max(result["entropy"])  # some places are settled, others are open


def test_fixed_residues_keep_their_letter_and_omitted_ones_never_come(bench: Any, given: dict[str, Any]) -> None:
    settings = {"designs": 3, "fixed": "1-10 A:48 A:76", "omit": "KE", "temperature": 1.0}
    found = bench.run("protein.design", given, settings=settings).prediction
    native = found["results"][0]["sequence"]
    stays = [*range(10), 47, 75]
    for each in found["designs"]:
        assert all(each["sequence"][at] == native[at] for at in stays)
        assert not {letter for at, letter in enumerate(each["sequence"]) if at not in stays} & set("KE")
    assert sum(found["results"][0]["designed"]) == 76 - len(stays)


def test_a_hotter_draw_is_more_various(bench: Any, given: dict[str, Any]) -> None:
    cold, hot = (
        bench.run("protein.design", given, settings={"designs": 4, "temperature": each}).prediction["designs"] for each in (0.1, 1.0)
    )
    differing = [np.mean([a["sequence"][i] != b["sequence"][i] for a in made for b in made for i in range(76)]) for made in (cold, hot)]
    assert differing[1] > 1.5 * differing[0]


def test_exports_are_read_back(bench: Any, given: dict[str, Any]) -> None:
    found = bench.run("protein.design", given, settings={"designs": 2}).prediction
    exports = find_task("protein.design").exports
    lines = exports["fasta"](found).splitlines()
    assert lines[0].startswith(">native_A")
    assert "".join(lines[1:3]) == found["results"][0]["sequence"]
    assert exports["csv"](found).count("\r\n") == 3


def test_why_a_residue_was_chosen_is_told_with_its_test(bench: Any, given: dict[str, Any]) -> None:
    run = bench.run("protein.design", given, settings={"designs": 1})
    made = bench.explain(run.id, {"residue": "A:27", "design": 1}).explanation
    sites = made["sites"]
    shares = [each["value"] for each in sites["attributions"]]
    assert len(shares) == 16
    assert sites["base_value"] + sum(shares) == pytest.approx(sites["score"], abs=1e-3)
    assert sites["faithfulness"]["random_areas"]
    assert made["target"] == {"residue": "A:27", "design": 1}
    assert sum(each["backbone"] for each in made["substitutions"]) == pytest.approx(1, abs=0.01)


def test_residues_without_a_whole_backbone_are_named_and_left_out(tmp_path: Path) -> None:
    path = write(tmp_path, lambda row: None if row.startswith("ATOM") and row[12:16] == " O  " and row[22:26] == "  20" else row)
    problem = pose(read_structure(path), ["A"], "")
    assert len(problem.sites) == 75
    assert any("20 has no whole backbone" in text for text in problem.warnings)
    assert np.diff(problem.numbers)[18] == 2  # the step over the residue left out is seen by the network


def test_missing_residues_leave_a_step_and_are_told(tmp_path: Path) -> None:
    cut = {f"{number:4d}" for number in range(30, 36)}
    path = write(tmp_path, lambda row: None if row.startswith(("ATOM", "SEQRES")) and (row[22:26] in cut or row[0] == "S") else row)
    problem = pose(read_structure(path), [], "")
    assert len(problem.sites) == 70
    assert np.diff(problem.numbers).max() == 7
    assert any("gap" in text for text in problem.warnings)


def test_insertion_codes_take_a_step_each_and_are_fixed_by_their_name(tmp_path: Path) -> None:
    def change(row: str) -> str | None:
        if row.startswith("SEQRES"):
            return None
        return f"{row[:22]}  52A{row[27:]}" if row.startswith("ATOM") and row[22:26] == "  53" else row

    problem = pose(read_structure(write(tmp_path, change)), ["A"], "52A")
    at = [site.label for site in problem.sites].index("52A")
    assert not problem.designed[at]
    assert problem.designed.sum() == 75
    assert problem.numbers[at] - problem.numbers[at - 1] == 1
    assert any("insertion code" in text for text in problem.warnings)


def test_of_two_chains_the_other_one_stays_and_is_seen(tmp_path: Path) -> None:
    rows = [row for row in UBIQUITIN.read_text().splitlines() if row.startswith("ATOM")]
    other = [f"{row[:21]}B{row[22:30]}{float(row[30:38]) + 40:8.3f}{row[38:]}" for row in rows]
    path = tmp_path / "two.pdb"
    path.write_text("\n".join([*rows, "TER", *other, "TER", "END", ""]))
    structure = read_structure(path)
    problem = pose(structure, ["B"], "")
    assert [site.chain for site in problem.sites if site.chain == "A"]
    assert problem.designed.sum() == 76
    assert any("Chain A keeps its sequence" in text for text in problem.warnings)
    with pytest.raises(InputError, match="names no chain"):
        pose(structure, ["A", "B"], "5")
    assert len(parse_fixed("B A:3-5", {chain.name: chain for chain in structure.chains}, {"A", "B"})) == 79


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"fixed": "A:500"}, "no residue 500"),
        ({"fixed": "1-76"}, "nothing to design"),
        ({"fixed": "here"}, "names no residue"),
        ({"chains": "Q"}, "no protein chain Q"),
        ({"omit": "B"}, "cannot be left out"),
        ({"omit": "ACDEFGHIKLMNPQRSTVWY"}, "cannot be left out"),
        ({"temperature": 0}, "temperature"),
        ({"designs": 0}, "designs"),
        ({"noise": "050"}, "noise"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_in_words(bench: Any, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        bench.run("protein.design", give_file(bench.context, UBIQUITIN), settings=settings)


def test_a_sequence_file_has_no_backbone(bench: Any) -> None:
    with pytest.raises(InputError, match="not a structure"):
        bench.run("protein.design", give_file(bench.context, ROOT / "assets" / "examples" / "ubiquitin.fasta"))


def test_openness_is_zero_for_one_letter_and_greatest_for_all() -> None:
    shares = np.vstack([np.eye(21)[0], np.r_[np.full(20, 0.05), 0]])
    np.testing.assert_allclose(entropy(shares), [0, np.log2(20)], atol=1e-6)
