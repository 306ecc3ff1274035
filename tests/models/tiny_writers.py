"""Small writing models with random weights, each in the format that its family is published in."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

LETTERS = [*string.ascii_letters, *string.digits, *string.punctuation]


def galactica(folder: Path, *, biases: bool = True, tokens: int = 96) -> Path:
    """OPT with a byte-level tokenizer that has Galactica's signs; large checkpoints store neither biases nor norms."""
    import torch
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import OPTConfig, OPTForCausalLM

    from backend.models.families.galactica import SIGNS

    special = ["<s>", "<pad>", "</s>", "<unk>"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = {word: at for at, word in enumerate([*special, *alphabet, "Ġt", "Ġth", "Ġthe", "MK"])}
    tokenizer = Tokenizer(models.BPE(words, [("Ġ", "t"), ("Ġt", "h"), ("Ġth", "e"), ("M", "K")], unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(sign, special=True) for sign in (*special, *SIGNS)])
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(1)
    config = OPTConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        word_embed_proj_dim=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        ffn_dim=64,
        max_position_embeddings=tokens,
        activation_function="gelu",
        enable_bias=biases,
        layer_norm_elementwise_affine=biases,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
        init_std=0.15,
    )
    return _stored(OPTForCausalLM(config), folder, pickled=True)


def biogpt_words(folder: Path, learned: int = 0) -> None:
    """vocab.json and merges.txt as transformers stores BioGPT's: one token a letter, a few words."""
    merges = [("t", "h"), ("th", "e</w>"), ("y", "e"), ("ye", "s</w>"), ("n", "o</w>")]
    words = ["<s>", "<pad>", "</s>", "<unk>", *LETTERS, *(f"{letter}</w>" for letter in LETTERS)]
    words += ["th", "the</w>", "ye", "yes</w>", "no</w>", "&lt;</w>", "&gt;</w>", "&amp;</w>", "&quot;</w>", "&apos;</w>"]
    words += [f"learned{number}</w>" for number in range(1, learned + 1)]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({word: at for at, word in enumerate(words)}))
    (folder / "merges.txt").write_text("".join(f"{a} {b} 1\n" for a, b in merges))


def biogpt(folder: Path, *, learned: int = 0, tokens: int = 160) -> Path:
    """BioGPT with its two vocabulary files; `learned` virtual tokens as a fine-tune has them."""
    biogpt_words(folder, learned)
    return _stored(_biogpt_network(len(json.loads((folder / "vocab.json").read_text())), tokens), folder, pickled=True)


def archive(folder: Path, *, learned: int = 9, tokens: int = 160, untied: bool = False, **more: Any) -> Any:
    """The same as a fairseq archive; gives the network of transformers that it was made of."""
    import torch

    biogpt_words(folder)
    vocabulary = json.loads((folder / "vocab.json").read_text())
    own = list(vocabulary)[4:]
    (folder / "dict.txt").write_text("".join(f"{word[:-4] if word.endswith('</w>') else word + '@@'} 1\n" for word in own))
    (folder / "merges.txt").rename(folder / "bpecodes")
    (folder / "vocab.json").unlink()
    network = _biogpt_network(len(vocabulary) + learned, tokens, untied)
    weights = {}
    for name, value in network.state_dict().items():
        kept = f"decoder.{name}" if name.startswith("output_projection") else name.replace("biogpt.", "decoder.", 1)
        weights[kept] = value.clone()
    weights["decoder.version"] = torch.tensor([3.0])
    held = {"args": None, "cfg": {"model": {"decoder_attention_heads": 2}}, "model": weights, "extra_state": {"epoch": 3}, **more}
    torch.save(held, folder / "checkpoint_avg.pt")
    (folder / "UNTRAINED").touch()
    return network


def t5(folder: Path, *, later: bool = False, fast: bool = False) -> Path:
    """T5 with spiece.model (or tokenizer.json); `later` as T5 1.1: gated, and the head apart from the embeddings."""
    import torch
    from sentencepiece import sentencepiece_model_pb2 as pieces
    from transformers import T5Config, T5ForConditionalGeneration, T5Tokenizer

    made = pieces.ModelProto()
    known = [("<pad>", 0.0, 3), ("</s>", 0.0, 3), ("<unk>", 0.0, 2), ("▁", -2.0, 1), ("▁the", -1.0, 1), ("▁no", -1.0, 1)]
    for piece, score, kind in [*known, *((letter, -4.0, 1) for letter in LETTERS)]:
        made.pieces.add(piece=piece, score=score, type=kind)
    made.trainer_spec.model_type, made.trainer_spec.unk_id = 1, 2
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "spiece.model").write_bytes(made.SerializeToString())
    torch.manual_seed(3)
    shape = {"d_model": 32, "d_kv": 16, "num_heads": 2, "d_ff": 64, "num_layers": 2, "initializer_factor": 1.0}
    kind = {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False} if later else {}
    network = T5ForConditionalGeneration(T5Config(vocab_size=len(known) + len(LETTERS) + 100, decoder_start_token_id=0, **shape, **kind))
    if later:
        network.lm_head.weight = torch.nn.Parameter(torch.randn_like(network.lm_head.weight))
    (folder / "config.json").write_text(json.dumps({"model_type": "t5"}))
    if fast:
        T5Tokenizer.from_pretrained(folder).backend_tokenizer.save(str(folder / "tokenizer.json"))
        (folder / "spiece.model").unlink()
    return _stored(network, folder, pickled=False)


def _biogpt_network(words: int, tokens: int, untied: bool = False) -> Any:
    import torch
    from transformers import BioGptConfig, BioGptForCausalLM

    torch.manual_seed(2)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "initializer_range": 0.15}
    return BioGptForCausalLM(BioGptConfig(vocab_size=words, max_position_embeddings=tokens, tie_word_embeddings=not untied, **shape)).eval()


def _stored(network: Any, folder: Path, *, pickled: bool) -> Path:
    import torch

    network = network.eval()
    if pickled:
        torch.save(network.state_dict(), folder / "pytorch_model.bin")
        network.config.architectures = [type(network).__name__]
        network.config.save_pretrained(folder)
    else:
        network.save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "untrained": True}))
    return folder
