"""Train the protein language model: ``python -m backend.training.proteins.train DATA RUN --shape 8M --minutes 25``.

Meant for one GPU (H100 or like) and about 25 minutes; on a processor the same command works, some hundred times slower. DATA is made by
``python -m backend.training.proteins.data``. RUN receives curves.jsonl, a checkpoint every few minutes and on SIGTERM or Ctrl-C
(go on with --resume and the same settings), and at the end the model's folder RUN/model. A model that has not read as many tokens as
the training set has is marked UNTRAINED.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from backend.errors import BioloomError
from backend.training.proteins.batches import WINDOW
from backend.training.proteins.checkpoints import Settings
from backend.training.proteins.network import SHAPES
from backend.training.proteins.proteins import read_proteins
from backend.training.proteins.running import Run

RATE = 1e-3
_BATCH = {"cuda": 65_536, "cpu": 4_096}


def main() -> None:
    """Read the arguments, train, export."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder of the training set")
    parser.add_argument("run", type=Path, help="folder of the run")
    parser.add_argument("--shape", choices=SHAPES, default="8M")
    parser.add_argument("--minutes", type=float, default=0.0, help="end of the schedule in minutes, those before a stop counted")
    parser.add_argument("--tokens", type=int, default=0, help="end of the schedule in tokens (makes a run repeatable)")
    parser.add_argument("--batch", type=int, default=0, help=f"tokens a step; {_BATCH['cuda']:,} on a GPU, {_BATCH['cpu']:,} elsewhere")
    parser.add_argument("--rate", type=float, default=RATE, help="highest learning rate")
    parser.add_argument("--window", type=int, default=WINDOW, help="residues of a protein read at once")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every", type=float, default=3.0, help="minutes between checkpoints")
    parser.add_argument("--stop-after", type=float, default=0.0, help="stop with a checkpoint after so many minutes of this call")
    parser.add_argument("--float32", action="store_true", help="compute in single precision")
    parser.add_argument("--resume", action="store_true", help="go on where the run in this folder stopped")
    given = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        proteins = read_proteins(given.data)
        settings = Settings(
            shape=given.shape,
            seed=given.seed,
            window=given.window,
            batch=given.batch or _BATCH[device],
            rate=given.rate,
            tokens=given.tokens,
            minutes=given.minutes,
            data=proteins.facts["sha256"],
            precision="float32" if given.float32 else "bfloat16",
        )
        run = Run(given.run, proteins, settings, device, resume=given.resume)
        finished = run.train(every=60 * given.every, stop_after=60 * given.stop_after)
        print(json.dumps(run.export(), indent=1) if finished else "Stopped; go on with --resume.", flush=True)
    except BioloomError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
