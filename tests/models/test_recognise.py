"""Whatever lies in a folder, every family says in words that it is not its own, or takes it; nothing else comes out."""

from __future__ import annotations

import contextlib
import json
import struct
import threading

import pytest

from backend.config import load_config
from backend.errors import ModelError
from backend.models.registry import add_local, cards, families, recognise
from tests.models import untrained_esm

LOOKING = sorted(name for name, each in families().items() if each.examine is not None)

_HEADER = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
_WEIGHTS = struct.pack("<Q", len(_HEADER)) + _HEADER + bytes(8)

HOSTILE = {
    "nothing": {},
    "a list for settings": {"config.json": b"[1, 2]", "model.safetensors": _WEIGHTS},
    "a number for settings": {"config.json": b"7", "model.safetensors": _WEIGHTS},
    "settings that are no text": {"config.json": b"\xff\xfe\x00", "model.safetensors": _WEIGHTS},
    "settings without a kind": {"config.json": b"{}", "model.safetensors": _WEIGHTS, "vocab.txt": b""},
    "settings of wrong kinds": {
        "config.json": b'{"model_type": 5, "architectures": "Bert", "vocab_size": "many", "id2label": [1], "num_labels": null}',
        "model.safetensors": _WEIGHTS,
        "vocab.txt": b"[PAD]\n",
    },
    "architectures of nothing": {
        "config.json": b'{"model_type": "bert", "architectures": [null], "id2label": {"x": null}}',
        "model.safetensors": _WEIGHTS,
        "vocab.txt": b"[PAD]\n",
    },
    "weights that are none": {"config.json": b'{"model_type": "bert"}', "model.safetensors": b"PK", "vocab.txt": b"a\nb\n"},
    "weights whose header is too long": {
        "config.json": b'{"model_type": "esm", "architectures": ["EsmForMaskedLM"]}',
        "model.safetensors": struct.pack("<Q", 2**60) + b"{}",
        "vocab.txt": b"<cls>\n",
    },
    "an empty file of weights": {"config.json": b'{"model_type": "opt"}', "model.safetensors": b"", "tokenizer.json": b"{}"},
    "a vocabulary that is no text": {"config.json": b'{"model_type": "bert"}', "model.safetensors": _WEIGHTS, "vocab.txt": b"\xff\xfe\x00"},
    "a tokenizer that is none": {"config.json": b'{"model_type": "opt"}', "model.safetensors": _WEIGHTS, "tokenizer.json": b"[]"},
    "a text-to-text without its pieces": {"config.json": b'{"model_type": "t5"}', "model.safetensors": _WEIGHTS, "spiece.model": b"\x00"},
    "an archive that is none": {"checkpoint.pt": b"PK\x03\x04junk", "arch.json": b"{", "tokenizer.json": b""},
    "other people's archives": {"bert_mul_2.pth": b"junk", "RNA_bert_config.json": b"[]", "dict.txt": b"x", "bpecodes": b"\xff"},
    "an index without its parts": {
        "config.json": b'{"model_type": "esm"}',
        "model.safetensors.index.json": b'{"weight_map": {"w": "model-00001-of-00002.safetensors"}}',
    },
}


@pytest.fixture
def folder(tmp_path, request):
    made = tmp_path / "folder"
    made.mkdir()
    for name, content in HOSTILE[request.param].items():
        (made / name).write_bytes(content)
    return made


@pytest.mark.parametrize("name", LOOKING)
@pytest.mark.parametrize("folder", HOSTILE, indirect=True)
def test_no_family_stumbles_over_a_folder(folder, name):
    with contextlib.suppress(ModelError, OSError):
        assert families()[name].examine(folder).tasks


@pytest.mark.parametrize("name", LOOKING)
def test_no_family_takes_an_empty_folder_or_a_missing_one_for_its_own(name, tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises((ModelError, OSError)):
            families()[name].examine(folder)


@pytest.mark.parametrize("folder", HOSTILE, indirect=True)
def test_recognising_a_folder_never_fails(folder):
    assert isinstance(recognise(folder), list)


def test_many_who_add_folders_of_one_name_at_once_each_get_a_name_of_their_own(tmp_path):
    config = load_config({"BIOLOOM_DATA": str(tmp_path / "data"), "BIOLOOM_DEVICE": "cpu"})
    folders = [tmp_path / str(i) / "esm" for i in range(6)]
    for folder in folders:
        folder.mkdir(parents=True)
        untrained_esm.make(folder)
    start, names = threading.Barrier(len(folders)), []

    def add(folder):
        start.wait()
        names.append(add_local(config, folder, "esm").name)

    threads = [threading.Thread(target=add, args=(folder,)) for folder in folders]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(names) == sorted(set(names) & set(cards(config)))
    assert len(names) == 6
