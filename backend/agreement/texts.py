"""Agreement of two readings of one text: named things, relations, verdicts, answers, hidden words, quoted sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from backend.agreement.measures import Agreement, both, of, share


def mentions(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Agreement]:
    """Mentions count as the same with the same characters and, for the share, the same kind."""
    found = both(first, second, "mentions")
    if found is None or "relations" in first:
        return
    spans = [{(item["start"], item["end"]): str(item["kind"]).lower() for item in each} for each in found]
    shared, every = spans[0].keys() & spans[1].keys(), spans[0].keys() | spans[1].keys()
    if not every:
        yield Agreement("Named things", "Neither names anything.")
        return
    same = sum(spans[0][at] == spans[1][at] for at in shared)
    crossing = sum(any(at[0] < end and start < at[1] for start, end in spans[1]) for at in spans[0].keys() - shared)
    text = (
        f"The first names {len(spans[0])}, the second {len(spans[1])}: {len(shared)} at exactly the same words, {same} of them of the same "
        f"kind; {crossing} more of the first overlap with one of the second. "
        f"{of(same, len(every))} of all that either names are the same in both."
    )
    yield share("Named things", text, same, len(every))


def relations(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Agreement]:
    """Relations are the same with the same head, name and tail, capitals aside."""
    found = both(first, second, "relations")
    if found is None:
        return
    sets = [{tuple(str(item.get(part, "")).lower() for part in ("head", "relation", "tail")) for item in each} for each in found]
    shared, every = sets[0] & sets[1], sets[0] | sets[1]
    if not every:
        yield Agreement("Relations", "Neither reads a relation.")
        return
    text = f"The first reads {len(sets[0])} relations, the second {len(sets[1])}: {of(len(shared), len(every))} of all are in both."
    yield share("Relations", text, len(shared), len(every))


def verdict(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Agreement]:
    """The joined verdict, and how many parts of the text have the same one."""
    joined: list[Any] = [each.get("joined") for each in (first, second)]
    if not all(isinstance(each, Mapping) for each in joined):
        return
    said = [
        f"{each['verdict']} ({'highest ' if each['verdict'] == 'open' else ''}probability {max(each['probabilities']):.2f})"
        for each in joined
    ]
    same = joined[0]["verdict"] == joined[1]["verdict"]
    yield Agreement(
        "Verdict", f"Both say {said[0]}; the second with {said[1]}." if same else f"The first says {said[0]}, the second {said[1]}."
    )
    parts = both(first, second, "contexts")
    if parts is not None and len(parts[0]) == len(parts[1]) > 1:
        alike = sum(one["verdict"] == other["verdict"] for one, other in zip(*parts, strict=True))
        yield share("Parts", f"{of(alike, len(parts[0]))} of the parts get the same verdict.", alike, len(parts[0]))


def answer(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Agreement]:
    """Whether the likeliest spans are the same, or overlap."""
    found = both(first, second, "spans")
    if found is None:
        return
    if not found[0] or not found[1]:
        silent = (
            "Neither finds an answer."
            if not found[0] and not found[1]
            else f"Only the {'first' if found[0] else 'second'} finds an answer."
        )
        yield Agreement("Answer", silent)
        return
    one, other = found[0][0], found[1][0]
    quotes = f"“{one['text']}” ({one['score']:.2f}) and “{other['text']}” ({other['score']:.2f})"
    if _spot(one) == _spot(other):
        yield Agreement("Answer", f"Both answer with the same words: {quotes}.")
    elif one["paper"] == other["paper"] and one["start"] < other["end"] and other["start"] < one["end"]:
        yield Agreement("Answer", f"The answers overlap: {quotes}.")
    else:
        yield Agreement("Answer", f"The answers are different words: {quotes}.")
    lists = [{_spot(item) for item in each} for each in found]
    shared, every = len(lists[0] & lists[1]), len(lists[0] | lists[1])
    yield share("All answers", f"{of(shared, every)} of all listed answers are in both lists.", shared, every)


def hidden(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Agreement]:
    """How often both expect the same word first in a hidden place."""
    found = both(first, second, "hidden")
    if not found or len(found[0]) != len(found[1]):
        return
    tops = [[each["candidates"][0]["word"].strip().lower() if each["candidates"] else "" for each in side] for side in found]
    if not tops[0]:
        return
    alike = sum(one == other for one, other in zip(*tops, strict=True))
    text = f"In {of(alike, len(tops[0]))} of the hidden places both expect the same word first."
    yield share("Hidden words", text, alike, len(tops[0]))


def evidence(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Agreement]:
    """Sentences that both quote, of an answer or of a list of the nearest."""
    lists = [each.get("answer", {}).get("evidence") if isinstance(each.get("answer"), Mapping) else None for each in (first, second)]
    found = (lists[0], lists[1]) if lists[0] is not None and lists[1] is not None else both(first, second, "found")
    if found is None:
        return
    sets = [{(item.get("sha256", item.get("paper")), item["start"], item["end"]) for item in each} for each in found]
    shared, every = len(sets[0] & sets[1]), len(sets[0] | sets[1])
    text = f"The first quotes {len(sets[0])} sentences, the second {len(sets[1])}; {shared} are the same."
    yield share("Sentences", text, shared, every) if every else Agreement("Sentences", "Neither quotes a sentence.")


def _spot(item: Mapping[str, Any]) -> tuple[Any, ...]:
    return item.get("paper"), item["start"], item["end"]


MEASURES = (mentions, relations, verdict, answer, hidden, evidence)
