"""Files that a person gave are kept once, whole, under their digest."""

import hashlib

import pytest

from backend.config import load_config
from backend.errors import InputError
from backend.storage.files import Files


@pytest.fixture
def files(config):
    return Files(config)


def test_the_same_bytes_are_kept_once_whatever_their_name(files, tmp_path):
    path = tmp_path / "a.fasta"
    path.write_bytes(b">x\nMKV\n")
    first, second = files.keep(path), files.put(b">x\nMKV\n", "b.fasta")
    assert first.sha256 == second.sha256 == hashlib.sha256(b">x\nMKV\n").hexdigest()
    assert (first.name, second.name) == ("a.fasta", "b.fasta")
    assert first.path == second.path
    assert files.path(first.sha256).read_bytes() == b">x\nMKV\n"
    assert [file.name for file in first.path.parent.iterdir()] == [first.sha256]


def test_a_file_that_is_larger_than_allowed_is_refused_before_it_is_copied(tmp_path):
    from dataclasses import replace

    config = load_config({"BIOLOOM_DATA": str(tmp_path / "data")})
    small = Files(replace(config, limits=replace(config.limits, upload_bytes=10)))
    path = tmp_path / "big.fasta"
    path.write_bytes(b"x" * 11)
    with pytest.raises(InputError, match="at most"):
        small.keep(path)
    with pytest.raises(InputError, match="at most"):
        small.put(b"x" * 11, "big.fasta")


@pytest.mark.parametrize("digest", ["../../etc/passwd", "", "A" * 64, "0" * 63])
def test_a_digest_that_is_none_leads_nowhere(files, digest):
    with pytest.raises(InputError):
        files.path(digest)


def test_a_missing_file_and_a_folder_are_named(files, tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        files.keep(tmp_path / "nothing.fasta")
    with pytest.raises(InputError, match="folder"):
        files.keep(tmp_path)


def test_a_name_never_carries_a_folder(files):
    assert files.put(b"x", "/home/someone/patient.fasta").name == "patient.fasta"
