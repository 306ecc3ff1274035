"""Write down which questions the readers were trained on: ``python -m backend.training.readers.seen DATA``.

The reader of verdicts ships trained on all of PubMedQA's 500 and of BioASQ's yes/no questions; that of evidence on trials and on
seven tenths of BioASQ, one tenth more served to calibrate it. Their evaluations warn where they meet one of these questions again.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from backend.literature.evidence_cases import trial_question
from backend.literature.seen import FOLDER, NAME, to_json
from backend.training.readers.evidence_data import part_of, read_snippets
from backend.training.readers.verdict_data import read_bioasq, read_pubmedqa


def of_verdict(data: Path) -> list[str]:
    """Labelled questions of the reader of verdicts."""
    items = [*read_pubmedqa(data / "pubmedqa_labelled_500.json"), *read_bioasq(data / "bioasq_7b_9b.json")]
    return [item.question for item in items]


def of_evidence(data: Path) -> list[str]:
    """Questions of the reader of evidence: BioASQ's but for the final part, and those on the trials trained on."""
    asked = [each.question for each in read_snippets(data / "bioasq_7b_9b.json") if part_of(each.id) != "final"]
    lines = (data / "evidence_inference" / "prompts_train.jsonl").read_text(encoding="utf-8").splitlines()
    return [*asked, *(trial_question(json.loads(line)) for line in lines)]


def main() -> None:
    """Read the arguments, write one file beside each reader's weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    given = parser.parse_args()
    for name, questions in (("reader-verdict", of_verdict(given.data)), ("reader-evidence", of_evidence(given.data))):
        file = FOLDER / name / NAME
        file.write_text(to_json(questions), encoding="utf-8")
        print(f"{file.parent.name}: {len(set(questions)):,} questions")


if __name__ == "__main__":
    main()
