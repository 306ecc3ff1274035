"""Cards of the readers that ship: what they learned from, what they were measured at, what they do not know."""

from __future__ import annotations

from backend.domain import ModelCard, Quality

_BASE = "minilm"
_LICENCE = "Apache-2.0, as Bioloom; its base: Apache-2.0"
_SHARED = "Base: Wang et al. 2020, arXiv:2002.10957; adapters: Hu et al. 2021, arXiv:2106.09685; data: "

_OURS = "measured by us"
_BY_NAMES = "bioloom evaluate literature.entities"
_BY_FOLDS = "python -m backend.training.readers.calibrate"
_BY_EVIDENCE = "bioloom evaluate literature.evidence"
_BY_SIDES = "python -m backend.training.readers.evidence"
_UNSEEN = "283 questions of BioASQ kept apart, their sentences among 80 near ones of other papers"
_TRIALS = "112 questions on trials kept apart, the sentence that tells among those of its abstract"
_BY_RELATIONS = "bioloom evaluate literature.relations"
_BY_PRECISION = "python -m backend.training.readers.relations_precision"
_BY_TRAINING = "python -m backend.training.readers.relations"
_CHEMPROT = "ChemProt's development part"
_BC5CDR = "240 abstracts of BC5CDR kept apart from training"
_SEEN = "other sentences of the same abstracts were trained on"
_PUBMEDQA = "500 questions of PubMedQA, each judged by a reader that was not trained on it"
_BIOASQ = "409 yes/no questions of BioASQ 7b-9b, each judged by a reader that was not trained on it"


ENTITIES = ModelCard(
    name="reader-entities",
    title="Bioloom's reader of chemicals, diseases and genes",
    family="readers",
    modality="literature",
    tasks=("literature.entities",),
    source="bundled",
    licence=_LICENCE,
    summary="Marks chemicals, diseases and genes or proteins in biomedical English. Small; runs on any laptop.",
    revision="1",
    base=_BASE,
    files={
        "entities.json": "afe130cf510e9e3860c3abe08d6aa48f4f9b64f002a67ccd940d2850ef9ab905",
        "entities.safetensors": "b8ec617c6a42a59cbe159e3a752b3d69361ad51539c5e0ec256ac9c9b37a8df3",
        "seen.json": "c7aa3933a20e7a9c2531bec5b677500f4f0b74da1536cc5e40dfd96078e28a2c",
    },
    parameters=24_000_000,
    disk_bytes=2_828_712,
    peak_bytes=620_187_648,  # python -m backend.models.measure reader-entities (libraries included)
    peak_is_measured=True,
    paper=_SHARED + "BC5CDR (Li et al. 2016), "
    "NCBI-disease (Dogan et al. 2014), ChemProt (Krallinger et al. 2017), JNLPBA (Collier and Kim 2004)",
    quality=(
        Quality("F1, chemicals", 0.892, _BC5CDR, _OURS, 0.871, 0.911, _BY_NAMES),
        Quality("F1, diseases", 0.772, _BC5CDR, _OURS, 0.747, 0.796, _BY_NAMES),
        Quality("expected calibration error", 0.047, _BC5CDR, _OURS, 0.036, 0.061, _BY_NAMES),
        Quality("F1, diseases", 0.861, "172 sentences of NCBI-disease; " + _SEEN, _OURS, 0.809, 0.911, _BY_NAMES),
        Quality("F1, genes and proteins", 0.766, "368 sentences of JNLPBA; " + _SEEN, _OURS, 0.736, 0.794, _BY_NAMES),
    ),
    limits=(
        "Learned from abstracts of PubMed; clinical notes and full texts are unlike what it knows.",
        "Genes and proteins are its weakest kind, and are one kind to it.",
        "Names are marked, not linked to a database.",
        "How sure it says it is was set on 352 texts kept apart, and holds within about .05 on the abstracts it was measured on.",
    ),
)


VERDICT = ModelCard(
    name="reader-verdict",
    title="Bioloom's reader of verdicts",
    family="readers",
    modality="literature",
    tasks=("literature.verdict",),
    source="bundled",
    licence=_LICENCE,
    summary="Reads what a study says to a question: yes, no or maybe, with a probability and a 90% prediction set.",
    revision="1",
    base=_BASE,
    files={
        "seen.json": "5c6f032ea2b73f3f873a14dc04da28ec72292bdc521f6130d2ad8099a6a13430",
        "verdict.json": "c9e5ecb1ee84c59b7409d0fcbcad8f636bbf6f9b1fd3ea09ed0203f07ca416a4",
        "verdict.safetensors": "21ed5dfce53a70729c3eac4f0e93017e944bd8b2d314dcf6fc80b232dced578b",
    },
    parameters=24_000_000,
    disk_bytes=2_679_993,
    peak_bytes=599_351_296,  # python -m backend.models.measure reader-verdict (libraries included)
    peak_is_measured=True,
    paper=_SHARED + "PubMedQA (Jin et al. 2019), "
    "BioASQ 7b-9b (Krithara et al. 2023), Evidence Inference 2.0 (DeYoung et al. 2020), and titles and conclusions of embedded abstracts",
    quality=(
        Quality("accuracy", 0.590, _PUBMEDQA, _OURS, 0.546, 0.632, _BY_FOLDS),
        Quality("macro-F1", 0.401, _PUBMEDQA, _OURS, 0.370, 0.430, _BY_FOLDS),
        Quality("expected calibration error", 0.030, _PUBMEDQA, _OURS, 0.020, 0.079, _BY_FOLDS),
        Quality("90% sets cover", 0.904, _PUBMEDQA, _OURS, 0.875, 0.927, _BY_FOLDS),
        Quality("accuracy", 0.768, _BIOASQ, _OURS, 0.724, 0.804, _BY_FOLDS),
        Quality("macro-F1", 0.709, _BIOASQ, _OURS, 0.656, 0.755, _BY_FOLDS),
    ),
    limits=(
        "On one study it is right a little more often than always saying yes (.55 of PubMedQA's answers): its sets often hold two answers.",
        "It called none of 500 questions 'maybe': that answer shows only in the probabilities and the sets.",
        "On BioASQ, where several snippets answer one question, it is right more often than it says (calibration error .11).",
        "Learned from abstracts of PubMed; full texts and clinical notes are unlike what it knows.",
        "Knows only what the text says: it does not weigh how a study was done.",
    ),
)

EVIDENCE = ModelCard(
    name="reader-evidence",
    title="Bioloom's reader of evidence",
    family="readers",
    modality="literature",
    tasks=("literature.evidence",),
    source="bundled",
    licence=_LICENCE,
    summary="Ranks sentences by whether they bear on a question, and tells those that support it from those that oppose it.",
    revision="1",
    base=_BASE,
    files={
        "evidence.json": "a6e15c8b3132c5dac942df99280184885fdf7b8c3b5d1828272f3d2192e7bcc0",
        "evidence.safetensors": "8493f47e3d8adb69754694fe1fbbaa5d284e946f9d8061abda04b9408a482739",
        "seen.json": "04d9eaffec7a2875b50be9b8749a473ae20932da196aca19949ca88f5f7b53c8",
    },
    parameters=24_000_000,
    disk_bytes=2_706_206,
    peak_bytes=600_240_128,  # python -m backend.models.measure reader-evidence (libraries included)
    peak_is_measured=True,
    paper=_SHARED + "BioASQ 7b-9b (Krithara et al. "
    "2023), Evidence Inference 2.0 (DeYoung et al. 2020), and titles with conclusions of embedded abstracts",
    quality=(
        Quality("mean average precision", 0.767, f"{_UNSEEN}; similarity of meaning reaches .706", _OURS, 0.738, 0.796, _BY_EVIDENCE),
        Quality("mean average precision", 0.894, f"{_TRIALS}; similarity of meaning reaches .425", _OURS, 0.850, 0.933, _BY_EVIDENCE),
        Quality(
            "accuracy, supports or opposes",
            0.768,
            "664 sentences of BioASQ's unseen questions; always saying the commoner side reaches .743",
            _OURS,
            command=_BY_SIDES,
        ),
        Quality(
            "accuracy, supports or opposes",
            0.750,
            "88 sentences of unseen trials; always saying the commoner side reaches .591",
            _OURS,
            command=_BY_SIDES,
        ),
    ),
    limits=(
        "Reads one sentence at a time: what a sentence leaves to its neighbours it does not see.",
        "For and against are meant for questions that can be answered with yes; there every fourth is on the wrong side.",
    ),
)

RELATIONS = ModelCard(
    name="reader-relations",
    title="Bioloom's reader of relations",
    family="readers",
    modality="literature",
    tasks=("literature.relations",),
    source="bundled",
    licence=_LICENCE,
    summary="Reads in a sentence whether a chemical induces a disease, and how a chemical acts on a gene or protein.",
    revision="1",
    base=_BASE,
    files={
        "relations.json": "93a2824ae56dc96f9d2ca2223557babbbddfd88424ea4ac8a09fca365d8a92cb",
        "relations.safetensors": "0bb934697217cb7e63f87aab981aa84f84848ad980b2fdc2939e9a18c44c9125",
        "seen.json": "ffe0aade1f6a92a1b67cc7a1b55ecacdca4ed85e367d4fba20446d71650337c2",
    },
    parameters=24_000_000,
    disk_bytes=2_777_604,
    peak_bytes=599_465_984,  # python -m backend.models.measure reader-relations (libraries included)
    peak_is_measured=True,
    paper=_SHARED.removesuffix("data: ") + "markers: Zhou and Chen 2022, "
    "arXiv:2102.01373; data: BC5CDR (Li et al. 2016), ChemProt (Krallinger et al. 2017)",
    quality=(
        Quality(
            "precision of what is shown, chemical induces disease",
            0.726,
            f"350 relations shown unasked on {_BC5CDR}, names by the reader of named things",
            _OURS,
            0.656,
            0.792,
            _BY_PRECISION,
        ),
        Quality(
            "precision of what is shown, chemical and gene",
            0.795,
            f"224 relations shown unasked on {_CHEMPROT}, whose sentences all hold one; names by the reader of named things",
            _OURS,
            0.727,
            0.857,
            _BY_PRECISION,
        ),
        Quality(
            "F1, chemical induces disease",
            0.556,
            f"{_BC5CDR}; calling every pair of a sentence related reaches .444",
            _OURS,
            0.511,
            0.600,
            _BY_RELATIONS,
        ),
        Quality(
            "F1, chemical and gene",
            0.465,
            f"7,171 pairs of {_CHEMPROT}, most of them unrelated; calling every pair the commonest relation reaches .163",
            _OURS,
            0.436,
            0.495,
            _BY_TRAINING,
        ),
        Quality(
            "F1, kind of a known relation",
            0.661,
            f"2,427 pairs of {_CHEMPROT}; always the commonest kind reaches .335",
            _OURS,
            0.643,
            0.680,
            _BY_RELATIONS,
        ),
    ),
    limits=(
        "Reads one sentence at a time: what a text says over several sentences it does not see.",
        "That a chemical induces a disease was learned from lists of whole abstracts, not from the sentences that state it.",
        "What a chemical does to a gene was learned from sentences that hold such a relation: elsewhere it may see too many.",
        "A relation is read even where the sentence denies it or asks after it: a rule of words tells these apart. Read the sentence.",
    ),
)
