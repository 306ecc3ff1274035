"""How well questions that can be answered yes or no are told from others: `python -m backend.training.yesno BIOASQ.json PUBMEDQA.json`.

All questions of PubMedQA and BioASQ's yes/no questions can be; BioASQ's other types cannot. The rule was written with these sets at
hand, so that the shares describe them and are no promise for other questions.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from backend.domain import Json
from backend.literature.measure import read_bioasq
from backend.literature.yesno import kind_of
from backend.metrics import binomial_interval

_SHOWN = 8  # mistakes of each kind that are listed


def shares(questions: list[str], kind: str) -> dict[str, Json]:
    """Share of questions told rightly, with its Wilson 95% interval, and the first of those that were not."""
    wrong = [question for question in questions if kind_of(question) != kind]
    right = binomial_interval(len(questions) - len(wrong), len(questions))
    return {"told as": kind, **right.json(), "n": len(questions), "wrong": wrong[:_SHOWN]}


def main() -> None:
    """Read the arguments and print the shares as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bioasq", type=Path)
    parser.add_argument("pubmedqa", type=Path)
    chosen = parser.parse_args()
    rows = read_bioasq([chosen.bioasq])
    held = json.loads(chosen.pubmedqa.read_text(encoding="utf-8"))
    found = {
        "PubMedQA": shares([item["QUESTION"] for item in held.values()], "yes/no"),
        "BioASQ, yes/no": shares([row["body"] for row in rows if row["type"] == "yesno"], "yes/no"),
        "BioASQ, other types": shares([row["body"] for row in rows if row["type"] != "yesno"], "open"),
    }
    print(json.dumps(found, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
