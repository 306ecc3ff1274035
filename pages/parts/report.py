"""A run as one HTML file that needs nothing else: to archive, print or send."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from backend.config import ASSETS
from backend.domain import Run
from backend.profiles.wording import HOLDS_MEANS, Level, holds, reading_level, why, why_details
from pages.parts.answer import filter_words, sure
from pages.parts.evidence import by_paper, card
from pages.parts.explanation import coloured
from pages.parts.markup import escape
from pages.parts.meter import meter
from pages.parts.verdict_card import verdict_card

_MOST_READ = 200  # records listed on the page; the exported run has them all
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>:root{{color-scheme:light dark}}body{{font:16px/1.5 Helvetica,Arial,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}}
pre{{white-space:pre-wrap;overflow-wrap:anywhere;font-size:.8rem}}h2{{font-size:1.15rem;margin:1.6rem 0 .4rem}}
table{{border-collapse:collapse;font-size:.9rem;width:100%}}td,th{{text-align:left;vertical-align:top;padding:.15rem .6rem .15rem 0}}
td:last-child{{text-align:right;white-space:nowrap}}{style}
@media print{{:root{{color-scheme:light}}body{{max-width:none;margin:0;font-size:11pt}}article,tr,.bl-notice{{break-inside:avoid}}
h2,h3{{break-after:avoid}}*{{print-color-adjust:exact;-webkit-print-color-adjust:exact}}}}</style></head><body>{body}</body></html>
"""


def report(run: Run, explanations: Sequence[Mapping[str, Any]] = ()) -> str:
    """Question, finding, sources, how sure, why, and the record of a run as HTML; everything in it is escaped.

    Parameters
    ----------
    explanations : sequence of mapping
        What the task's explanations gave, one an evidence sentence: ``{"evidence", "words", "sentences"}``.
    """
    if run.task != "literature.ask":
        return _PAGE.format(title=escape(run.title), style=_style(), body=_task_body(run, explanations))
    found = run.prediction or {}
    answer: dict[str, Any] = found.get("answer", {})
    evidence = answer.get("evidence", [])
    level = reading_level(run.profile)
    among = "; ".join(filter_words(run.settings.get("filters") or {}))
    cards = "".join(card(items) for items in by_paper(evidence).values())
    record = {"settings": run.settings, "model": run.model, "environment": run.environment, "input_sha256": run.input_sha256}
    record["quotes"] = [{name: item.get(name) for name in ("rank", "document", "pmid", "start", "end", "sha256")} for item in evidence]
    body = (
        f"<div class='bl'><h1>{escape(run.title)}</h1><p class='bl-soft'>Bioloom run {escape(run.id)}, {escape(run.created.isoformat())}"
        f"{'. Among: ' + escape(among) if among else ''}. The quotes are verbatim; read the papers before you act on them.</p>"
        f"<h2>Finding</h2><p>{escape(answer.get('reason', ''))}</p>{_judged(answer, level)}{cards}"
        + (f"<h2>How sure</h2>{sure(found, run.warnings, level)}" if answer else "")
        + "".join(_sites(made, found, level) if "sites" in made else _why(made, evidence, level) for made in explanations)
        + f"<h2>Record</h2><pre>{escape(json.dumps(record, indent=2, ensure_ascii=False, default=str))}</pre></div>"
    )
    return _PAGE.format(title=escape(run.title), style=_style(), body=body)


def _judged(answer: Mapping[str, Any], level: Level) -> str:
    """The verdict and what the studies say against each other; unfolded, since paper cannot be clicked on."""
    contradiction = answer.get("contradiction")
    judged = verdict_card(answer, level) + (meter(contradiction, level) if contradiction else "")
    return judged.replace("<details>", "<details open>")


def _style() -> str:
    return (ASSETS / "style.css").read_text(encoding="utf-8")


def _task_body(run: Run, explanations: Sequence[Mapping[str, Any]]) -> str:
    """What any task found, in its own words; what was read; why; the whole record."""
    from backend.tasks import find_task

    found, level = run.prediction or {}, reading_level(run.profile)
    lines = "".join(f"<p>{escape(line)}</p>" for line in found.get("text", []))
    notes = "".join(f"<li>{escape(warning)}</li>" for warning in run.warnings)
    read = "".join(
        f"<tr><td>{escape(entry['id'])}</td><td>{escape(entry['refused'] or entry['kind'])}"
        f"{''.join('<br>' + escape(alteration['text']) for alteration in entry['alterations'])}</td><td>{entry['length']:,}</td></tr>"
        for entry in found.get("records", [])[:_MOST_READ]
    )
    why = "".join(_sites(made, found, level) for made in explanations)
    record = {"settings": run.settings, "model": run.model, "environment": run.environment, "input": run.input}
    return (
        f"<div class='bl'><h1>{escape(find_task(run.task).title)}: {escape(run.title)}</h1>"
        f"<p class='bl-soft'>Bioloom run {escape(run.id)}, {escape(run.created.isoformat())}. For research use only.</p>"
        f"<h2>Finding</h2>{lines}"
        + (f"<h2>How sure</h2><ul>{notes}</ul>" if notes else "")
        + why
        + (f"<h2>What was read</h2><table><tr><th>Record</th><th>Kind and changes</th><th>Letters</th></tr>{read}</table>" if read else "")
        + f"<h2>Record</h2><pre>{escape(json.dumps(record, indent=2, ensure_ascii=False, default=str))}</pre></div>"
    )


def _sites(made: Mapping[str, Any], found: Mapping[str, Any], level: Level) -> str:
    """An explanation on the letters of a sequence."""
    sites = made.get("sites")
    if not sites:
        return ""
    named = (made.get("target") or {}).get("record")
    results = found.get("results") or [{}]
    result = next((one for one in results if one.get("record") == named), results[0])
    sequence = str(made.get("sequence") or result.get("sequence") or "")
    drawn = f"<div class='bl-attr' style='overflow-wrap:anywhere'>{coloured(sites, sequence)}</div>" if sequence else ""
    return f"<h2>Why: {escape(sites['target'])}</h2>{drawn}{_trust(sites, level)}"


def _why(made: Mapping[str, Any], evidence: Sequence[Mapping[str, Any]], level: Level) -> str:
    """The explanation of one sentence: its words coloured, the sentences of its passage as a table, and the test of both."""
    item = next((one for one in evidence if one["rank"] == made["evidence"]), None)
    if item is None:
        return ""
    start, end = int(item["start"]), int(item["end"])
    text = " " * start + str(item["quote"])  # places count characters of the stored text, which the report does not carry
    rows = "".join(
        f"<tr><td>{escape(part['label'])}</td><td>{'not seen' if part['value'] is None else format(part['value'], '+.3f')}</td></tr>"
        for part in made["sentences"]["attributions"]
    )
    return (
        f"<h2>Why sentence {int(item['rank'])}</h2><h3>Words of the sentence</h3>"
        f"<div class='bl-attr'>{coloured(made['words'], text, (start, end))}</div>{_trust(made['words'], level)}"
        f"<h3>Sentences of the passage</h3><table><tr><th>Sentence</th><th>Share, {escape(made['sentences']['unit'])}</th></tr>"
        f"{rows}</table>"
        f"{_trust(made['sentences'], level)}"
    )


def _trust(explanation: Mapping[str, Any], level: Level) -> str:
    trust = explanation["faithfulness"]
    told = why(explanation, level) if level == "expert" else [*why(explanation, level), *why_details(explanation, level)]
    lines = "".join(f"<dt>{escape(line.words)}</dt><dd>{escape(line.figure)}</dd>" for line in told)
    word, css = holds(bool(trust["reliable"])), "" if trust["reliable"] else " bl-no"
    return f"<p><span class='bl-label{css}'>{escape(word)}</span> {escape(trust['reason'])} {escape(HOLDS_MEANS)}</p><dl>{lines}</dl>"
