"""XML read safely: streamed, without entities, external files or network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree

from backend.errors import InputError
from backend.literature.formats.source import Damaged, Source

_AGAIN = "Download or export it again, then import the new file."


def elements(source: Source, *tags: str) -> Iterator[Any]:
    """Every element called one of `tags`, complete, in order; each is freed when the next one is asked for.

    Raises
    ------
    InputError
        When the XML is malformed (says the line), cut short (says the record), or declares entities of its own.
    """
    number = 0
    with source.open() as stream:
        events = etree.iterparse(
            stream,
            events=("start", "end"),
            tag=tags,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        try:
            for event, element in events:
                if event == "start":
                    if not number:
                        _refuse_entities(element, source.name)
                    continue
                number += 1
                yield element
                element.clear()
                parent = element.getparent()
                while parent is not None and element.getprevious() is not None:
                    del parent[0]
        except Damaged as error:
            raise InputError(f"'{source.name}' ends in the middle of record {number + 1}: it {error}.", _AGAIN) from error
        except etree.XMLSyntaxError as error:
            line = error.lineno or 1
            raise InputError(
                f"'{source.name}' is not well-formed XML at line {line:,}, in record {number + 1}: {error.msg}.", _AGAIN
            ) from error


def _refuse_entities(element: Any, name: str) -> None:
    dtd = element.getroottree().docinfo.internalDTD
    if dtd is not None and any(True for _ in dtd.iterentities()):
        raise InputError(
            f"'{name}' defines entities of its own, which can hide or multiply text; it was not read.",
            "PubMed and journal files never do this. Export the records again from the original source.",
        )


def text_of(element: Any) -> str:
    """All text inside an element; inline markup such as <i> keeps its words."""
    if element is None:
        return ""
    return "".join(element.itertext()) if len(element) else element.text or ""
