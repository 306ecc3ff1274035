"""A report as one HTML file that needs nothing else: to read, print or send."""

from __future__ import annotations

from base64 import b64encode
from html import escape

from backend.eeg.report.parts import Block, Drawing, Facts, Lines, Report, Section, Table

_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 "DejaVu Sans", Verdana, Helvetica, Arial, sans-serif; color: #1A2426; background: #fff; max-width: 186mm;
  margin: 8mm auto; padding: 0 6mm; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; margin: 0 0 .2rem; } h2 { font-size: 1.1rem; margin: 1.7rem 0 .4rem; border-bottom: 1px solid #C9D2D1; }
h3 { font-size: .95rem; margin: 1rem 0 .3rem; } p { margin: 0 0 .45rem; white-space: pre-line; }
dl { display: grid; grid-template-columns: minmax(9rem, max-content) 1fr; gap: .12rem 1rem; margin: .3rem 0 .8rem; font-size: .92rem; }
dt { color: #4E5B5D; } dd { margin: 0; }
table { border-collapse: collapse; width: 100%; font-size: .86rem; margin: .3rem 0 1rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: #4E5B5D; padding-bottom: .25rem; }
th { text-align: left; border-bottom: 1px solid #4E5B5D; } th, td { padding: .14rem .7rem .14rem 0; vertical-align: top; }
.n { text-align: right; } tr.g td { border-top: 1px solid #DDE4E3; }
figure { margin: .6rem 0 1rem; } figure img { display: block; max-width: 100%; height: auto; }
figcaption { font-size: .82rem; color: #4E5B5D; } figcaption b { color: #1A2426; font-size: .92rem; display: block; }
.status { border: 1.5px solid #1A2426; padding: .3rem .7rem; margin: .8rem 0; font-weight: 600; }
.note { border-left: 4px solid #D55E00; background: #FBEDE4; padding: .3rem .7rem; margin: .4rem 0; font-size: .92rem; }
.own { border: 1px solid #C9D2D1; padding: .5rem .8rem; min-height: 2.2rem; } .quiet { font-size: .82rem; color: #4E5B5D; }
.sign { display: grid; grid-template-columns: 3fr 2fr; gap: 2rem; margin-top: 3rem; font-size: .85rem; color: #4E5B5D; }
.sign span { border-top: 1px solid #1A2426; padding-top: .2rem; }
@page { size: A4; margin: 16mm 14mm 18mm; @bottom-left { content: RUNNING; font-size: 8pt; color: #4E5B5D; }
  @bottom-right { content: "page " counter(page) " of " counter(pages); font-size: 8pt; color: #4E5B5D; } }
@media print { body { font-size: 10pt; margin: 0; padding: 0; max-width: none; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } h2, h3, caption { break-after: avoid; }
  tr, figure, .status, .note, .own, .sign { break-inside: avoid; } thead { display: table-header-group; } }
"""


def to_html(report: Report) -> str:
    """The whole report; everything in it is escaped, and nothing is fetched from anywhere."""
    running = '"' + "".join(f"\\{ord(letter):x} " if not letter.isalnum() else letter for letter in report.running) + '"'
    head = _facts(Facts(report.head))
    simulated = "<div class='note'><b>SIMULATED.</b> Made by a program, not recorded from a person.</div>" if report.simulated else ""
    left_out = (
        f"<p class='quiet'>Not part of this report, or not measured: {escape(', '.join(report.left_out))}.</p>" if report.left_out else ""
    )
    body = (
        f"<h1>{escape(report.title)}</h1>{head}{simulated}<div class='status'>{escape(report.status)}</div>"
        f"<h2>Clinical question</h2><p class='own'>{escape(report.question)}</p>"
        f"<h2>Impression</h2><p class='own'>{escape(report.impression)}</p>"
        f"<div class='sign'><span>Read and signed by{_reader(report)}</span><span>Date</span></div>"
        f"<h2>Measured, in short</h2><ul>{''.join(f'<li>{escape(line)}</li>' for line in report.summary)}</ul>{left_out}"
        + "".join(_section(section) for section in report.sections)
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<title>{escape(report.title)}</title><meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        f"style-src 'unsafe-inline'; img-src data:\"><style>{_STYLE.replace('RUNNING', running)}</style></head><body>{body}</body></html>\n"
    )


def _section(section: Section) -> str:
    return f"<section><h2>{escape(section.title)}</h2>{''.join(_block(block) for block in section.blocks)}</section>"


def _block(block: Block) -> str:
    if isinstance(block, Facts):
        return _facts(block)
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Drawing):
        return _drawing(block)
    return _lines(block)


def _lines(block: Lines) -> str:
    if block.kind == "list":
        return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in block.lines)}</ul>"
    if block.kind == "note":
        return "".join(f"<div class='note'>{escape(line)}</div>" for line in block.lines)
    return "".join(f"<p{' class=quiet' if block.kind == 'quiet' else ''}>{escape(line)}</p>" for line in block.lines)


def _facts(block: Facts) -> str:
    return f"<dl>{''.join(f'<dt>{escape(name)}</dt><dd>{escape(value)}</dd>' for name, value in block.rows)}</dl>"


def _table(block: Table) -> str:
    mark = [" class=n" if n in block.numbers else "" for n in range(len(block.head))]
    head = "".join(f"<th scope=col{kind}>{escape(cell)}</th>" for cell, kind in zip(block.head, mark, strict=True))
    rows = "".join(
        f"<tr{' class=g' if row[0] else ''}>{''.join(f'<td{kind}>{escape(cell)}</td>' for cell, kind in zip(row, mark, strict=True))}</tr>"
        for row in block.rows
    )
    caption = f"<caption>{escape(block.caption)}</caption>" if block.caption else ""
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _drawing(block: Drawing) -> str:
    kind, data = ("svg+xml", block.svg.encode("utf-8")) if block.svg else ("png", block.png)
    source = f"data:image/{kind};base64,{b64encode(data).decode()}"
    return (
        f'<figure><figcaption><b>{escape(block.title)}</b></figcaption><img alt="{escape(block.words)}" src="{source}" '
        f'style="width:{block.width_mm:.1f}mm"><figcaption>{escape(block.note)}</figcaption></figure>'
    )


def _reader(report: Report) -> str:
    return f": {escape(report.reader)}" if report.reader else ""
