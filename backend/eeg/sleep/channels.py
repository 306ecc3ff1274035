"""Which channels a night is staged from: the best EEG, eye and chin derivations of a recording, and what speaks against them.

The AASM manual (Berry et al.) recommends C4-M1, with C3-M2 as its backup, E1-M2 and E2-M2, and a chin EMG; YASA's classifiers learned
from central electrodes against the opposite mastoid or Fpz (doi:10.7554/eLife.70092).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backend.eeg.channels import OLD_NAMES, electrode
from backend.eeg.recording import Channel
from backend.errors import InputError

LEAST_RATE = 100.0
_COMMON = ("", "Ref")  # against one electrode of the amplifier, the same for all channels that say so
_LEFT, _RIGHT = ("M1", "A1"), ("M2", "A2")
_EYES = ("E1", "E2", "LOC", "ROC")  # single electrodes, recorded against what the others are
_NEAR_EYES = ("Fp1", "Fp2", "AF7", "AF8", "F7", "F8")
_LEGS = ("leg", "tib", "plm", "arm", "delt")
_NOT_CENTRAL = "The classifiers learned from central electrodes; on this one they are less accurate."


@dataclass(frozen=True)
class Lead:
    """A derivation: one channel, or one less another.

    Attributes
    ----------
    name : str
        Such as C4-M1.
    channels : tuple of str
        The recording's channels: the second is taken from the first.
    doubt : str
        What speaks against it, in one sentence; '' for what is recommended.
    """

    name: str
    channels: tuple[str, ...]
    doubt: str = ""


@dataclass(frozen=True)
class Leads:
    """The derivations of a night; eyes and chin may be missing."""

    eeg: Lead
    eog: Lead | None
    emg: Lead | None
    notes: tuple[str, ...] = ()

    def chosen(self) -> list[tuple[str, Lead]]:
        """Kind and lead of those that are there, EEG first."""
        found = (("eeg", self.eeg), ("eog", self.eog), ("emg", self.emg))
        return [(kind, lead) for kind, lead in found if lead is not None]


def choose(channels: Sequence[Channel], bad: Sequence[str] = (), eeg: str = "", eog: str = "", emg: str = "") -> Leads:
    """The derivations to stage a recording from.

    Parameters
    ----------
    channels : sequence of Channel
        As the person corrected them.
    bad : sequence of str
        Channels that are not chosen unless named.
    eeg, eog, emg : str
        A channel, or two with a hyphen between for the first less the second; '' chooses, 'none' does without.

    Raises
    ------
    InputError
        When no EEG channel can be used, or a named one is not there.
    """
    notes: list[str] = []
    usable = [channel for channel in channels if channel.name not in bad]
    fast = [channel for channel in usable if channel.rate >= LEAST_RATE]
    if eeg:
        found = _named(channels, eeg, "eeg")
    else:
        leads = eeg_leads(fast)
        if not leads:
            raise InputError(*_no_eeg(channels, usable))
        found = leads[0]
    chosen: dict[str, Lead | None] = {}
    for kind, asked, offered in (("eog", eog, eog_leads(fast)), ("emg", emg, emg_leads(fast))):
        if asked == "none":
            chosen[kind] = None
        elif asked:
            chosen[kind] = _named(channels, asked, kind)
        else:
            chosen[kind] = offered[0] if offered else None
            slow = [channel for channel in usable if channel.kind == kind and channel.rate < LEAST_RATE]
            if not offered and slow:
                notes.append(f"{slow[0].name} was left out: it has {slow[0].rate:g} samples a second, and {LEAST_RATE:g} are needed.")
    near = [channel for channel in fast if channel.kind == "eeg" and _place(channel) in _NEAR_EYES and channel.name not in found.channels]
    if chosen["eog"] is None and eog != "none" and near:
        notes.append(f"{near[0].name} lies near the eyes and can be named in their place; how well that stages sleep is not published.")
    return Leads(found, chosen["eog"], chosen["emg"], tuple(notes))


def eeg_leads(channels: Sequence[Channel]) -> list[Lead]:
    """What the EEG may be taken from, the best first."""
    eeg = [channel for channel in channels if channel.kind == "eeg"]
    ranked: list[tuple[int, Lead]] = []
    common = {_place(channel): channel for channel in reversed(eeg) if channel.electrode and channel.reference in _COMMON}
    for channel in eeg:
        ranked.append(_as_recorded(channel))
        place = _place(channel)
        if channel.reference not in _COMMON or place in (*_LEFT, *_RIGHT):
            continue
        for against in (*_LEFT, *_RIGHT, "Fpz"):
            other = common.get(against)
            if other is not None and other.rate == channel.rate and other.reference == channel.reference and other is not channel:
                rank, doubt = _judge(place, against)
                ranked.append((rank, Lead(f"{place}-{against}", (channel.name, other.name), doubt)))
    ranked.sort(key=lambda pair: pair[0])
    return [lead for rank, lead in ranked if rank < 100]


def eog_leads(channels: Sequence[Channel]) -> list[Lead]:
    """What the eyes may be taken from: the left eye against the opposite mastoid first."""
    eyes = [channel for channel in channels if channel.kind == "eog"]
    mastoids = {_place(channel): channel for channel in reversed(channels) if channel.kind == "eeg" and channel.reference in _COMMON}
    ranked: list[tuple[int, Lead]] = []
    for channel in eyes:
        words = channel.name.casefold()
        left = any(word in words for word in ("e1", "loc", "left", "eog l", "eogl", "l-eog", "lhc"))
        ranked.append((2 if left else 3, Lead(channel.name, (channel.name,))))
        if "-" in channel.name or channel.reference not in _COMMON:
            continue
        for place in _RIGHT if left else _LEFT:
            other = mastoids.get(place)
            alike = other is not None and (other.reference == channel.reference or channel.name.upper() in _EYES)
            if other is not None and alike and other.rate == channel.rate:
                ranked.append((0 if left else 1, Lead(f"{channel.name}-{place}", (channel.name, other.name))))
    ranked.sort(key=lambda pair: pair[0])
    return [lead for _, lead in ranked]


def emg_leads(channels: Sequence[Channel]) -> list[Lead]:
    """What the chin may be taken from; legs and arms say nothing of muscle tone in REM sleep."""
    chins = [channel for channel in channels if channel.kind == "emg" and not any(word in channel.name.casefold() for word in _LEGS)]
    words = ("chin", "ment", "sub")
    chins.sort(key=lambda channel: not any(word in channel.name.casefold() for word in words))
    return [Lead(channel.name, (channel.name,)) for channel in chins]


def all_bipolar(channels: Sequence[Channel]) -> bool:
    """Whether every EEG channel is one electrode of the scalp against another, so that none can be read against a mastoid."""
    eeg = [channel for channel in channels if channel.kind == "eeg"]
    return bool(eeg) and all(electrode(channel.reference) not in ("", *_LEFT, *_RIGHT, "Fpz") for channel in eeg)


def _place(channel: Channel) -> str:
    return OLD_NAMES.get(channel.electrode, channel.electrode)


def _judge(place: str, against: str) -> tuple[int, str]:
    """Rank of an electrode against a mastoid or Fpz, and what speaks against it."""
    opposite = (place[-1:] in "2468" and against in _LEFT) or (place[-1:] in "13579" and against in _RIGHT)
    middle = place.endswith("z")
    if place in ("C3", "C4"):
        if opposite:
            return (0 if place == "C4" else 1), ""
        if against == "Fpz":
            return (2 if place == "C4" else 3), ""
        return 5, "Measured against the mastoid of the same side, signals are smaller than those that the classifiers learned from."
    if place == "Cz":
        return 6, "Cz stands between the electrodes that the classifiers learned from."
    region = "F" if place[:1] == "F" else place[:1]
    rank = {"F": 20, "P": 22, "O": 24, "T": 26}.get(region, 28) + (0 if opposite or middle else 1)
    return rank, f"{place} is no central electrode. {_NOT_CENTRAL}"


def _as_recorded(channel: Channel) -> tuple[int, Lead]:
    place, against = _place(channel), channel.reference
    name = channel.name
    if place in (*_LEFT, *_RIGHT):
        return 100, Lead(name, (name,))
    if electrode(against) in (*_LEFT, *_RIGHT, "Fpz") and place:
        rank, doubt = _judge(place, electrode(against))
        return rank, Lead(name, (name,), doubt)
    central = place in ("C3", "C4", "Cz")
    if electrode(against):
        words = f"{name} is bipolar, one scalp electrode against another: slow waves are smaller there than the classifiers expect."
        return (12 if central else 40), Lead(name, (name,), words)
    if against == "LE":
        words = "Linked ears are not the opposite mastoid, but near it." if central else f"{name} is no central electrode. {_NOT_CENTRAL}"
        return (4 if central else 30), Lead(name, (name,), words)
    if against == "Avg":
        words = f"{name} is measured against the average of all electrodes, not against a mastoid. Amplitudes differ from those learned."
        return (10 if central else 36), Lead(name, (name,), words)
    if not place:
        return 50, Lead(name, (name,), f"Where {name} lies is not known. Say so in the channel map if it is a central electrode.")
    if central:
        return 8, Lead(name, (name,), f"What {name} is measured against is not known; the opposite mastoid is expected.")
    return 32, Lead(name, (name,), f"{name} is no central electrode, and what it is measured against is not known. {_NOT_CENTRAL}")


def _named(channels: Sequence[Channel], asked: str, kind: str) -> Lead:
    """The derivation that a person named."""
    by_name = {channel.name: channel for channel in channels}
    pairs = [(asked[:at], asked[at + 1 :]) for at, letter in enumerate(asked) if letter == "-"]
    found = next((pair for pair in pairs if pair[0] in by_name and pair[1] in by_name), ())
    names: tuple[str, ...] = (asked,) if asked in by_name else found
    if not names:
        known = ", ".join(by_name)
        raise InputError(f"The recording has no channel '{asked}'.", f"Name one of these, or two with a hyphen between: {known}.")
    of = [by_name[name] for name in names]
    if slow := [channel for channel in of if channel.rate < LEAST_RATE]:
        raise InputError(
            f"{slow[0].name} has {slow[0].rate:g} samples a second, and staging needs {LEAST_RATE:g}.", "Take another channel."
        )
    if len({channel.rate for channel in of}) > 1:
        raise InputError(f"{' and '.join(names)} have different sampling rates, so one cannot be taken from the other.", "Take others.")
    if kind != "eeg":
        doubt = (
            "" if of[0].kind == kind else f"{asked} is recorded as {of[0].kind.upper()}, and was taken as {kind.upper()} because you asked."
        )
        return Lead(asked, names, doubt)
    if len(of) == 1:
        lead = _as_recorded(of[0])[1]
    else:
        place, against = _place(of[0]), _place(of[1])
        doubt = _judge(place, against)[1] if against in (*_LEFT, *_RIGHT, "Fpz") and place else ""
        if not doubt and against not in (*_LEFT, *_RIGHT, "Fpz"):
            doubt = f"{asked} is bipolar, one scalp electrode against another: slow waves are smaller there than the classifiers expect."
        lead = Lead(asked, names, doubt)
    if of[0].kind != "eeg":
        return Lead(lead.name, lead.channels, f"{asked} is recorded as {of[0].kind.upper()}, and was taken as EEG because you asked.")
    return lead


def _no_eeg(channels: Sequence[Channel], usable: Sequence[Channel]) -> tuple[str, str]:
    eeg = [channel for channel in channels if channel.kind == "eeg"]
    if not eeg:
        return "The recording has no EEG channel.", "Say in the channel map which channel is EEG."
    good = [channel for channel in eeg if channel in usable]
    if not good:
        return "All EEG channels are marked as bad.", "Take the mark from one of them, or name the channel to stage from."
    if all(channel.rate < LEAST_RATE for channel in good):
        return (
            f"The EEG has {max(channel.rate for channel in good):g} samples a second; staging needs {LEAST_RATE:g}.",
            "Import the recording at its full rate.",
        )
    return "No EEG channel can be staged from: only mastoids are there.", "Import the recording with its scalp electrodes."
