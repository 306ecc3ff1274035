"""Write down what the readers were trained on: ``python -m backend.training.readers.seen DATA``.

The reader of verdicts ships trained on all of PubMedQA's 500 and of BioASQ's yes/no questions; that of evidence on trials and on
seven tenths of BioASQ, one tenth more served to calibrate it. The reader of named things and that of relations know their texts again,
those included that set their temperatures and thresholds. Evaluations warn where they meet one of these questions or texts again.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from backend.literature import seen_texts
from backend.literature.evidence_cases import trial_question
from backend.literature.labelled import read_pairs
from backend.literature.seen import FOLDER, NAME, to_json
from backend.training.readers.entities import corpora
from backend.training.readers.evidence_data import part_of, read_snippets
from backend.training.readers.relations_data import cdr_documents
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


def of_entities(data: Path) -> list[str]:
    """Texts of the reader of chemicals, diseases and genes: all but those kept for its final figures."""
    parts = corpora(data)
    return [document.text for name in ("train", "calibration") for document in parts[name]]


def of_relations(data: Path) -> list[str]:
    """Texts of the reader of relations: BC5CDR's but for the final part, and the sentences of ChemProt's training file."""
    documents = cdr_documents(data)
    pairs = read_pairs(data / "ner_re/chemprot_train.txt")
    return [*(document.text for name in ("train", "check") for document in documents[name]), *(text for text, *_ in pairs)]


def main() -> None:
    """Read the arguments, write one file beside each reader's weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    given = parser.parse_args()
    for name, questions in (("reader-verdict", of_verdict(given.data)), ("reader-evidence", of_evidence(given.data))):
        file = FOLDER / name / NAME
        file.write_text(to_json(questions), encoding="utf-8")
        print(f"{file.parent.name}: {len(set(questions)):,} questions")
    for name, texts in (("reader-entities", of_entities(given.data)), ("reader-relations", of_relations(given.data))):
        file = FOLDER / name / NAME
        file.write_text(seen_texts.to_json(texts), encoding="utf-8")
        print(f"{file.parent.name}: {len(set(texts)):,} texts")


if __name__ == "__main__":
    main()
