"""A run as one HTML file that needs nothing else: to archive, print or send."""

from __future__ import annotations

import json
from typing import Any

from backend.config import ASSETS
from backend.domain import Run
from pages.parts.evidence import by_paper, card
from pages.parts.markup import escape

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>:root{{color-scheme:light dark}}body{{font:16px/1.5 Helvetica,Arial,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}}
pre{{white-space:pre-wrap;font-size:.8rem}}{style}</style></head><body>{body}</body></html>
"""


def report(run: Run) -> str:
    """The run's question, finding, confidence and record as HTML; everything in it is escaped."""
    answer: dict[str, Any] = (run.prediction or {}).get("answer", {})
    cards = "".join(card(items) for items in by_paper(answer.get("evidence", [])).values())
    confidence = answer.get("confidence")
    sure = f"<p>Chance that the library holds an answer: {confidence:.2f}</p>" if confidence is not None else ""
    record = {"settings": run.settings, "model": run.model, "environment": run.environment, "input_sha256": run.input_sha256}
    body = (
        f"<div class='bl'><h1>{escape(run.title)}</h1><p class='bl-soft'>Bioloom run {escape(run.id)}, {escape(run.created.isoformat())}. "
        f"For research.</p><p>{escape(answer.get('reason', ''))}</p>{sure}"
        + "".join(f"<div class='bl-notice'>{escape(line)}</div>" for line in run.warnings)
        + f"{cards}<h2>Record</h2><pre>{escape(json.dumps(record, indent=2, ensure_ascii=False, default=str))}</pre></div>"
    )
    return _PAGE.format(title=escape(run.title), style=(ASSETS / "style.css").read_text(encoding="utf-8"), body=body)
