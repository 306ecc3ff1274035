"""A report as PDF: A4, the pseudonym and the page number on each page, tables that break between rows with their head repeated."""

from __future__ import annotations

import io
import threading
from functools import partial
from html import escape
from typing import Any

from backend.eeg.report.parts import Block, Drawing, Facts, Lines, Report, Section, Table

_REGULAR, _BOLD = "Report", "Report-Bold"
_INK, _SOFT, _RULE, _WARN = "#1A2426", "#4E5B5D", "#C9D2D1", "#D55E00"
_lock = threading.Lock()  # ReportLab's list of fonts is the whole process's


def to_pdf(report: Report) -> bytes:
    """The whole report; the same report gives the same bytes. Its metadata name neither patient nor machine."""
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.units import mm
    from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate

    writer = _Writer()
    story = writer.story(report)
    out = io.BytesIO()
    document = BaseDocTemplate(
        out, pagesize=A4, leftMargin=18 * mm, rightMargin=18 * mm, topMargin=20 * mm, bottomMargin=18 * mm,
        title=report.title, author="", subject="", creator="Bioloom", invariant=1, lang="en", pageCompression=1,
    )  # fmt: skip
    frame = Frame(document.leftMargin, document.bottomMargin, document.width, document.height, 0, 0, 0, 0)
    document.addPageTemplates([PageTemplate("page", [frame])])
    document.build(story, canvasmaker=_numbered(writer.plain(report.running), report.simulated))
    return out.getvalue()


def _fonts() -> Any:
    """DejaVu Sans as matplotlib ships it: Latin, Greek, Cyrillic, signs of mathematics and units."""
    from pathlib import Path

    import matplotlib as mpl
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    with _lock:
        if _REGULAR not in pdfmetrics.getRegisteredFontNames():
            folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
            pdfmetrics.registerFont(TTFont(_REGULAR, str(folder / "DejaVuSans.ttf")))
            pdfmetrics.registerFont(TTFont(_BOLD, str(folder / "DejaVuSans-Bold.ttf")))
            pdfmetrics.registerFontFamily(_REGULAR, normal=_REGULAR, bold=_BOLD, italic=_REGULAR, boldItalic=_BOLD)
        return pdfmetrics.getFont(_REGULAR)


class _Writer:
    """Turns the parts of a report into ReportLab's flowables, and counts the letters that the font lacks."""

    def __init__(self) -> None:
        from reportlab.lib.colors import HexColor
        from reportlab.lib.styles import ParagraphStyle
        from reportlab.lib.units import mm

        self._known = _fonts().face.charToGlyph
        self.lacking: set[str] = set()
        self._mm = mm
        self.wide = 174 * mm
        base = ParagraphStyle("base", fontName=_REGULAR, fontSize=8.6, leading=11.8, textColor=HexColor(_INK), spaceAfter=3)
        make = partial(ParagraphStyle, parent=base)
        self._styles = {
            "text": base,
            "title": make("title", fontName=_BOLD, fontSize=16, leading=20, spaceAfter=4),
            "h2": make("h2", fontName=_BOLD, fontSize=10.5, leading=13, spaceBefore=10, spaceAfter=3),
            "h3": make("h3", fontName=_BOLD, fontSize=8.6, spaceBefore=5, spaceAfter=2),
            "quiet": make("quiet", fontSize=7.2, leading=9.4, textColor=HexColor(_SOFT)),
            "cell": make("cell", fontSize=7.6, leading=9.6, spaceAfter=0),
            "number": make("number", fontSize=7.6, leading=9.6, spaceAfter=0, alignment=2),
            "head": make("head", fontName=_BOLD, fontSize=7.4, leading=9.4, spaceAfter=0),
            "headnumber": make("headnumber", fontName=_BOLD, fontSize=7.4, leading=9.4, spaceAfter=0, alignment=2),
            "name": make("name", fontSize=8, leading=10.6, textColor=HexColor(_SOFT), spaceAfter=0),
            "value": make("value", fontSize=8, leading=10.6, spaceAfter=0),
            "list": make("list", leftIndent=9, bulletIndent=0, spaceAfter=2),
            "status": make("status", fontName=_BOLD, spaceAfter=0),
        }

    def story(self, report: Report) -> list[Any]:
        """All flowables, in order."""
        from reportlab.platypus import KeepTogether

        found: list[Any] = [self._say(report.title, "title"), *self._facts(Facts(report.head))]
        if report.simulated:
            found.append(self._framed("SIMULATED. Made by a program, not recorded from a person.", _WARN, "status"))
        found.append(self._framed(report.status, _INK, "status"))
        for title, text in (("Clinical question", report.question), ("Impression", report.impression)):
            found.append(KeepTogether([self._heading(title), self._framed(text, _RULE, "text")]))
        found.append(self._signature(report))
        found.append(self._heading("Measured, in short"))
        found += [self._bullet(line) for line in report.summary]
        if report.left_out:
            found.append(self._say(f"Not part of this report, or not measured: {', '.join(report.left_out)}.", "quiet"))
        for section in report.sections:
            found += self._section(section)
        if self.lacking:
            found.append(
                self._say(f"{len(self.lacking)} letters that this document's font lacks stand as □; the HTML report shows them.", "quiet")
            )
        return found

    def plain(self, text: str) -> str:
        """The text with □ for what the font lacks."""
        made = "".join(letter if ord(letter) in self._known or letter in "\n\t" else "□" for letter in text)
        self.lacking |= {letter for letter in text if ord(letter) not in self._known and letter not in "\n\t"}
        return made

    def _section(self, section: Section) -> list[Any]:
        from reportlab.platypus import CondPageBreak, KeepTogether

        blocks = section.blocks
        words = self._block(blocks[0])
        # a heading stays with what it is over: with the figure, where the words below it are about one
        if isinstance(blocks[0], Lines) and len(blocks) > 1 and isinstance(blocks[1], Drawing):
            first, rest, after = [*words, *self._drawing(blocks[1])], [], blocks[2:]
        elif isinstance(blocks[0], Table):
            return [CondPageBreak(40 * self._mm), self._heading(section.title), *(part for block in blocks for part in self._block(block))]
        else:
            first, rest, after = words[:2], words[2:], blocks[1:]
        return [KeepTogether([self._heading(section.title), *first]), *rest, *(part for block in after for part in self._block(block))]

    def _block(self, block: Block) -> list[Any]:
        from reportlab.platypus import KeepTogether

        if isinstance(block, Facts):
            return self._facts(block)
        if isinstance(block, Table):
            return self._table(block)
        if isinstance(block, Drawing):
            return [KeepTogether(self._drawing(block))]
        return self._lines(block)

    def _lines(self, block: Lines) -> list[Any]:
        if block.kind == "note":
            return [self._framed(line, _WARN, "cell") for line in block.lines]
        if block.kind == "list":
            return [self._bullet(line) for line in block.lines]
        return [self._say(line, block.kind) for line in block.lines]

    def _facts(self, block: Facts) -> list[Any]:
        from reportlab.platypus import Spacer
        from reportlab.platypus import Table as Grid

        rows = [[self._say(name, "name"), self._say(value, "value")] for name, value in block.rows]
        grid = Grid(rows, colWidths=[self.wide * 0.27, self.wide * 0.73], style=[*_TIGHT, ("LEFTPADDING", (0, 0), (-1, -1), 0)])
        return [grid, Spacer(1, 4)]

    def _table(self, block: Table) -> list[Any]:
        from reportlab.lib.colors import HexColor
        from reportlab.platypus import Spacer
        from reportlab.platypus import Table as Grid

        shares = block.widths or tuple(1.0 for _ in block.head)
        widths = [self.wide * share / sum(shares) for share in shares]
        head = [self._say(cell, "headnumber" if n in block.numbers else "head") for n, cell in enumerate(block.head)]
        rows = [[self._say(cell, "number" if n in block.numbers else "cell") for n, cell in enumerate(row)] for row in block.rows]
        lines = [("LINEABOVE", (0, n + 1), (-1, n + 1), 0.3, HexColor(_RULE)) for n, row in enumerate(block.rows) if row[0] and n]
        style = [*_TIGHT, ("LINEBELOW", (0, 0), (-1, 0), 0.7, HexColor(_SOFT)), ("LEFTPADDING", (0, 0), (-1, -1), 0),
                 ("RIGHTPADDING", (0, 0), (-1, -1), 6), *lines]  # fmt: skip
        grid = Grid([head, *rows], colWidths=widths, repeatRows=1, style=style)
        return [*([self._say(block.caption, "quiet")] if block.caption else []), grid, Spacer(1, 6)]

    def _drawing(self, block: Drawing) -> list[Any]:
        from reportlab.platypus import Image

        picture = Image(io.BytesIO(block.png), width=block.width_mm * self._mm, height=block.height_mm * self._mm, hAlign="LEFT")
        return [self._say(block.title, "h3"), picture, *([self._say(block.note, "quiet")] if block.note else [])]

    def _signature(self, report: Report) -> Any:
        from reportlab.lib.colors import HexColor
        from reportlab.platypus import KeepTogether, Spacer
        from reportlab.platypus import Table as Grid

        reader = f"Read and signed by: {report.reader}" if report.reader else "Read and signed by"
        grid = Grid(
            [[self._say(reader, "quiet"), "", self._say("Date", "quiet")]],
            colWidths=[self.wide * 0.55, self.wide * 0.05, self.wide * 0.4],
            style=[("LINEABOVE", (0, 0), (0, 0), 0.7, HexColor(_INK)), ("LINEABOVE", (2, 0), (2, 0), 0.7, HexColor(_INK)), *_TIGHT],
        )
        return KeepTogether([Spacer(1, 30), grid, Spacer(1, 4)])

    def _framed(self, text: str, colour: str, style: str) -> Any:
        from reportlab.lib.colors import HexColor
        from reportlab.platypus import Table as Grid

        box = [("BOX", (0, 0), (-1, -1), 0.8, HexColor(colour))] if style != "cell" else [
            ("LINEBEFORE", (0, 0), (0, -1), 2.5, HexColor(colour))
        ]  # fmt: skip
        room = [("LEFTPADDING", (0, 0), (-1, -1), 6), ("TOPPADDING", (0, 0), (-1, -1), 3), ("BOTTOMPADDING", (0, 0), (-1, -1), 4)]
        grid = Grid([[part] for part in self._paragraphs(text, style)], colWidths=[self.wide], style=[*box, *room])
        grid.spaceBefore = grid.spaceAfter = 3
        return grid

    def _heading(self, text: str) -> Any:
        return self._say(text, "h2")

    def _bullet(self, line: str) -> Any:
        from reportlab.platypus import Paragraph

        return Paragraph(escape(self.plain(line)), self._styles["list"], bulletText="\u2022")

    def _paragraphs(self, text: str, style: str) -> list[Any]:
        return [self._say(line, style) for line in text.splitlines() if line.strip()] or [self._say("", style)]

    def _say(self, text: str, style: str) -> Any:
        from reportlab.platypus import Paragraph

        return Paragraph(escape(self.plain(text)).replace("\n", "<br/>"), self._styles[style])


_TIGHT = [("VALIGN", (0, 0), (-1, -1), "TOP"), ("TOPPADDING", (0, 0), (-1, -1), 1.2), ("BOTTOMPADDING", (0, 0), (-1, -1), 1.6)]


def _numbered(running: str, simulated: bool) -> Any:
    """A canvas that knows how many pages there are when it writes their feet."""
    from reportlab.lib.colors import HexColor
    from reportlab.lib.units import mm
    from reportlab.pdfgen.canvas import Canvas

    class Numbered(Canvas):  # type: ignore[misc]  # ReportLab is untyped
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802  # ReportLab's own name
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, page in enumerate(self._pages, 1):
                self.__dict__.update(page)
                self._foot(number)
                super().showPage()
            super().save()

        def _foot(self, number: int) -> None:
            self.setFont(_REGULAR, 7)
            self.setFillColor(HexColor(_SOFT))
            self.drawString(18 * mm, 10 * mm, running if len(running) <= 110 else f"{running[:109]}…")
            self.drawRightString(192 * mm, 10 * mm, f"page {number} of {len(self._pages)}")
            self.drawString(18 * mm, 285 * mm, "EEG report. Measured by software.")
            if simulated:
                self.setFillColor(HexColor(_WARN))
                self.drawRightString(192 * mm, 285 * mm, "SIMULATED")
            self.setStrokeColor(HexColor(_RULE))
            self.line(18 * mm, 283 * mm, 192 * mm, 283 * mm)

    return Numbered
