"""Measure a protein language model: ``python -m backend.training.proteins.measure MODEL DATA --dms FOLDER --out measures.json``.

On one processor core about 15 minutes for the 8M shape and an hour for 35M. Held-out perplexity against letter frequencies and shuffled
proteins; GO terms by nearest neighbour against composition and three-letter words; with --dms also measured effects of substitutions in
three proteins against BLOSUM62 and the published ESM-2. Every figure has a 95% interval.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from backend.domain import Json
from backend.errors import BioloomError
from backend.models.published import is_untrained
from backend.training.proteins.effects import measure_effects
from backend.training.proteins.opening import open_model
from backend.training.proteins.perplexity import measure_perplexity
from backend.training.proteins.proteins import read_proteins
from backend.training.proteins.transfer import measure_transfer


def measure(folder: Path, data: Path, dms: Path | None = None, queries: int = 500, references: int = 5_000) -> dict[str, Json]:
    """All measures of the model in `folder`.

    Raises
    ------
    BioloomError
        When the model, the set or a table cannot be read.
    """
    began = time.monotonic()
    model, proteins = open_model(folder), read_proteins(data)
    made: dict[str, Json] = {"model": folder.name, "untrained": is_untrained(folder), "data": proteins.facts["sha256"]}
    if made["untrained"]:
        made["note"] = "UNTRAINED: this model has not read its training set once; its figures say nothing but that the measures run."
    made["held-out perplexity"] = measure_perplexity(model, proteins)
    made["GO terms by nearest neighbour"] = dict(measure_transfer(model, proteins, queries, references))
    if dms is not None:
        made["effects of substitutions"] = dict(measure_effects(model, dms, proteins))
    made["seconds"] = round(time.monotonic() - began)
    return made


def main() -> None:
    """Read the arguments, measure, print and save."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="folder of the exported model")
    parser.add_argument("data", type=Path, help="folder of the training set")
    parser.add_argument("--dms", type=Path, help="folder with the three tables of measured effects")
    parser.add_argument("--queries", type=int, default=500, help="test proteins whose GO terms are foretold")
    parser.add_argument("--references", type=int, default=5_000, help="training proteins among which the nearest is sought")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, help="file for the figures (JSON)")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    try:
        text = json.dumps(measure(given.model, given.data, given.dms, given.queries, given.references), indent=1)
    except BioloomError as error:
        raise SystemExit(str(error)) from error
    print(text)
    if given.out is not None:
        given.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
