"""What a file is, by its first bytes and never by its name alone."""

from __future__ import annotations

from typing import Literal

from backend.eeg.diagnosis import Refused

Format = Literal["edf", "brainvision", "eeglab", "fif", "table"]
EXTENSIONS: dict[Format, tuple[str, ...]] = {
    "edf": (".edf", ".bdf", ".rec"),
    "brainvision": (".vhdr", ".ahdr"),
    "eeglab": (".set",),
    "fif": (".fif",),
    "table": (".csv", ".tsv", ".txt"),
}
READ = "EDF, EDF+, BDF, BrainVision (.vhdr), EEGLAB (.set), FIF, or a table of numbers (CSV)"

_OTHERS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF", "a PDF document"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"\x89PNG", "a PNG picture"),
    (0, b"GIF8", "a GIF picture"),
    (128, b"DICM", "a DICOM image"),
    (0, b"PK\x03\x04", "a ZIP archive or an Office document"),
    (0, b"Rar!", "a RAR archive"),
    (0, b"7z\xbc\xaf", "a 7z archive"),
    (0, b"SQLite format 3", "a database"),
    (0, b"RIFF", "a sound or video file"),
    (4, b"ftyp", "a video"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a program"),
    (0, b"<!DOCTYPE", "a web page"),
    (0, b"<html", "a web page"),
    (0, b"{\\rtf", "a text document"),
)
_UNSUPPORTED: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"GDF ", "a GDF recording", "Export it as EDF."),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file, such as EEGLAB saves as MATLAB version 7.3", "Save it in EEGLAB without the option for v7.3."),
    (0, b"Version 3.0", "a Neuroscan recording", "Export it as EDF."),
    (0, b"BrainVision Recorder", "a part of a BrainVision recording", "Choose the .vhdr file that belongs to it."),
    (0, b"Brain Vision Data Exchange Marker", "the markers of a BrainVision recording", "Choose the .vhdr file that belongs to it."),
    (0, b"BrainVision Data Exchange Marker", "the markers of a BrainVision recording", "Choose the .vhdr file that belongs to it."),
    (0, b"EEG-1", "a Nihon Kohden recording", "Export it as EDF."),
)
_COMPANIONS = {".vmrk": ".vhdr", ".eeg": ".vhdr", ".dat": ".vhdr", ".fdt": ".set"}


def sniff(head: bytes, suffix: str) -> Format:
    """The format of a file that begins with `head` (at least 512 bytes where there are so many).

    Parameters
    ----------
    suffix : str
        The extension in lower case; only tells parts of a recording, which have no mark of their own.

    Raises
    ------
    Refused
        When it is nothing that is read, with what it is instead.
    """
    if not head:
        raise Refused("empty-file", "file", "The file is empty.", "Copy it again.")
    for at, magic, what in _OTHERS:
        if head[at : at + len(magic)].lower() == magic.lower():
            raise Refused("not-eeg", "file", f"This is {what}, no recording.", f"Choose {READ}.")
    for at, magic, what, remedy in _UNSUPPORTED:
        if head[at : at + len(magic)] == magic:
            word = "companion-chosen" if "belongs" in remedy else "unsupported"
            raise Refused(word, "file", f"This is {what}.", remedy)
    if head[:8] == b"\xffBIOSEMI" or (head[:8] == b"0       " and (len(head) < 256 or _numbers(head))):
        return "edf"
    if head.lstrip(b"\xef\xbb\xbf")[:12].lower() == b"brain vision" or head.lstrip(b"\xef\xbb\xbf")[:11].lower() == b"brainvision":
        return "brainvision"
    if head[:6] == b"MATLAB":
        return "eeglab"
    if head[:12] == b"\x00\x00\x00\x64\x00\x00\x00\x1f\x00\x00\x00\x14":  # tag FIFF_FILE_ID of type ID, 20 bytes
        return "fif"
    if suffix in _COMPANIONS:
        text = f"A {suffix} file holds one part of a recording and cannot be read without the other."
        raise Refused("companion-chosen", "file", text, f"Choose the {_COMPANIONS[suffix]} file that belongs to it.")
    if _tabular(head):
        return "table"
    raise Refused("not-eeg", "file", "What this file holds is no recording that can be read, whatever its name ends in.", f"Choose {READ}.")


def _numbers(head: bytes) -> bool:
    return all(byte < 0x80 for byte in head[168:192]) and any(48 <= byte < 58 for byte in head[252:256])


def _tabular(head: bytes) -> bool:
    if b"\0" in head:
        return False
    try:
        text = head.decode("utf-8-sig", "ignore")
    except UnicodeDecodeError:
        return False
    lines = [line for line in text.splitlines()[:-1] or text.splitlines() if line.strip() and not line.startswith(("#", "%"))]
    rows = [sum(c.isdigit() for c in line) / len(line) for line in lines[1:]]
    return bool(rows) and sum(share > 0.3 for share in rows) > len(rows) / 2
