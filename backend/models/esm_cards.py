"""Cards of the published ESM language models: ESM-2, ESM-1b, ESM-1v."""

from __future__ import annotations

from collections.abc import Mapping

from backend.domain import ModelCard, Quality

CONTACTS = "protein.contacts"
TASKS = ("protein.variants", "protein.similar", "sequence.embed")
_VOCABULARY = "0b82cc0a7c7cf9e567b1e5892d793285b9fbae822c964ca48696f7db44598e03"
_PROTEINGYM = "mean over 214 assays of ProteinGym"
_ORIGIN = "published scores of ProteinGym (Notin et al. 2023, doi:10.1101/2023.12.07.570727); not measured here"
BASELINE = "Spearman of a site-independent model"
LIMITS = (
    "Reads at most 1,022 residues at once; longer proteins are read in overlapping windows.",
    "Knows single chains: no partners, ligands, or membranes.",
    "Scores what evolution keeps, which is not always what an assay or a disease measures.",
)
_ESM2 = "Lin et al. 2023, doi:10.1126/science.ade2574; variant scores: Meier et al. 2021, doi:10.1101/2021.07.09.450648"
_ESM1B = "Rives et al. 2021, doi:10.1073/pnas.2016239118; contacts: Rao et al. 2021, doi:10.1101/2020.12.15.422761"
_ESM1V = "Meier et al. 2021, doi:10.1101/2021.07.09.450648"
_ESM1V_REVISIONS = (
    "8bfdb1892536cc77bd0760b9c25ddced2cd0b4c8",
    "3c1e9e64480f069b163e456c361bfd80a8bab04c",
    "0b00fd112e63f6b5e70a9cd8484d4e660312ce70",
    "443968f644da132d323bbc6321a6d443149fa57b",
    "fb2e51cb0f605cbad2c4ca3bb784be7bc8e2f4a8",
)


def _card(
    name: str,
    title: str,
    hub_id: str,
    summary: str,
    *,
    revision: str,
    files: Mapping[str, str],
    parameters: int,
    download: int,
    paper: str,
    quality: tuple[tuple[str, float], ...],
    contacts: bool = True,
    limits: tuple[str, ...] = (),
) -> ModelCard:
    return ModelCard(
        name=name,
        title=title,
        family="esm",
        modality="sequences",
        kinds=("protein",),
        tasks=(*TASKS, CONTACTS) if contacts else TASKS,
        source="hub",
        licence="MIT",
        summary=summary,
        revision=revision,
        hub_id=f"facebook/{hub_id}",
        files=files,
        parameters=parameters,
        download_bytes=download,
        disk_bytes=download,
        peak_bytes=600_000_000 + 2 * download,  # computed: libraries, and the weights twice while loading
        paper=paper,
        quality=tuple(Quality(metric, value, _PROTEINGYM, _ORIGIN) for metric, value in quality),
        limits=(*LIMITS, *limits),
    )


def _esm2(size: str, revision: str, weights: str, parameters: int, download: int, spearman: float) -> ModelCard:
    layers = {"8M": 6, "35M": 12, "150M": 30, "650M": 33}[size]
    return _card(
        f"esm2-{size.lower()}",
        f"ESM-2 {size}",
        f"esm2_t{layers}_{size}_UR50D",
        "A masked language model of 65 million natural proteins; scores every substitution of a protein from its sequence alone.",
        revision=revision,
        files={"model.safetensors": weights, "vocab.txt": _VOCABULARY},
        parameters=parameters,
        download=download + 93,
        paper=_ESM2,
        quality=(("Spearman", spearman), (BASELINE, 0.367)),
    )


def count(layers: int, width: int, places: int = 0) -> int:
    """Parameters of an ESM of this shape with its heads; `places` rows of learned places and the norm before the first layer."""
    block = 12 * width**2 + 13 * width
    head = width**2 + 3 * width + 33
    return layers * block + 33 * width + 2 * width + head + places * width + (2 * width if places else 0)


def _large(size: str, layers: int, width: int, revision: str, shards: int, spearman: float) -> ModelCard:
    parameters = count(layers, width)
    parts = {f"pytorch_model-{part:05d}-of-{shards:05d}.bin": "" for part in range(1, shards + 1)}
    return _card(
        f"esm2-{size.lower()}",
        f"ESM-2 {size}",
        f"esm2_t{layers}_{size}_UR50D",
        f"The {'second largest' if size == '3B' else 'largest'} ESM-2; no better on variants than ESM-2 650M, and far slower.",
        revision=revision,
        files={"config.json": "", "pytorch_model.bin.index.json": "", **parts, "vocab.txt": ""},
        parameters=parameters,
        download=4 * parameters,  # computed from the shape, in float32
        paper=_ESM2,
        quality=(("Spearman", spearman), (BASELINE, 0.367)),
    )


def _first(name: str, title: str, hub_id: str, revision: str, summary: str, paper: str, spearman: float, contacts: bool) -> ModelCard:
    parameters = count(33, 1280, 1026)
    limits = () if contacts else ("Serves no contacts: its makers fitted no regression on its attention.",)
    return _card(
        name,
        title,
        hub_id,
        summary,
        revision=revision,
        files={"config.json": "", "pytorch_model.bin": "", "vocab.txt": ""},
        parameters=parameters,
        download=4 * parameters,  # computed from the shape, in float32
        paper=paper,
        quality=(("Spearman", spearman), (BASELINE, 0.367)),
        contacts=contacts,
        limits=limits,
    )


CARDS = (
    _esm2(
        "8M",
        "c731040fcd8d73dceaa04b0a8e6329b345b0f5df",
        "24c5fa474c48f3b754b86efe752d5f189d2bcd88190fa2270fc92b2ef3034189",
        7_840_794,
        31_384_292,
        0.204,
    ),
    _esm2(
        "35M",
        "6fbf070e65b0b7291e7bbcd451118c216cff79d8",
        "e35647818e0e064351d4531ed480d225a002567b4b2b93ad3a9246d753150fc0",
        33_992_882,
        136_008_798,
        0.317,
    ),
    _esm2(
        "150M",
        "a695f6045e2e32885fa60af20c13cb35398ce30c",
        "c3f1da8aea53bddd32c246c86168c23b9fd72341fb9db9a94436f855f5053566",
        148_795_482,
        595_257_706,
        0.399,
    ),
    _esm2(
        "650M",
        "08e4846e537177426273712802403f7ba8261b6c",
        "a08adabb949fa67ad3c14b509d04fd60368b35007b0095e3358f81200c4f4db0",
        652_356_507,
        2_609_506_392,
        0.436,
    ),
    _large("3B", 36, 2560, "476b639933c8baad5ad09a60ac1a87f987b656fc", 2, 0.431),
    _large("15B", 48, 5120, "5fbca39631164edc1d402a5aa369f982f72ee282", 7, 0.425),
    _first(
        "esm1b",
        "ESM-1b",
        "esm1b_t33_650M_UR50S",
        "7b37824baec4d3658e1df7479222a7c79b465b76",
        "ESM-2's forerunner, a masked language model of 250 million proteins; much published work rests on it.",
        _ESM1B,
        0.418,
        contacts=True,
    ),
    *(
        _first(
            f"esm1v-{number}",
            f"ESM-1v ({number} of 5)",
            f"esm1v_t33_650M_UR90S_{number}",
            revision,
            "One of five networks made to foretell effects of variants; its makers average all five (Spearman 0.427 on the same assays).",
            _ESM1V,
            0.395,
            contacts=False,
        )
        for number, revision in enumerate(_ESM1V_REVISIONS, 1)
    ),
)
