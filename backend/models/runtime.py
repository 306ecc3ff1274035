"""Which models are in memory: loaded once, shared, counted, and put out again when room is needed."""

from __future__ import annotations

import ctypes
import gc
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from backend.config import Config
from backend.domain import ModelCard
from backend.errors import ModelError, NetworkError
from backend.models.device import available_bytes, device_name, pick_device
from backend.models.fit import Fit, need, what_would
from backend.models.registry import Predictor, cards, get_card, get_loader
from backend.models.store import Store, Verification, readable
from backend.progress import Progress, Silent

__all__ = ["Fit", "Resident", "Runtime", "device_name"]


@dataclass(frozen=True)
class Resident:
    """A model in memory: where, how many bytes it is counted with, since when, and how many are using it now."""

    name: str
    device: str
    bytes: int
    since: datetime
    users: int


@dataclass
class _Slot:
    card: ModelCard
    device: str
    predictor: Predictor = None
    ready: bool = False
    error: BaseException | None = None
    users: int = 0
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    last_used: float = field(default_factory=time.monotonic)
    bytes: int = 0  # as measured here, else as the card says


class Runtime:
    """The models of one process. Safe to share between threads."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._store = Store(config)
        self._slots: dict[str, _Slot] = {}
        self._changed = threading.Condition(threading.RLock())
        self._loading = threading.RLock()  # one load at a time: two that each fit may not fit together
        self._allow_network = not config.offline

    # --- network and files ------------------------------------------------------------------------------------------

    @property
    def allow_network(self) -> bool:
        """The process's network switch."""
        return self._allow_network

    @allow_network.setter
    def allow_network(self, allowed: bool) -> None:
        if allowed and self._config.offline_forced:
            raise NetworkError("BIOLOOM_OFFLINE=1 forbids any outside connection.", "Start Bioloom without it to allow one.")
        self._allow_network = allowed

    def present(self, name: str) -> bool:
        """Whether the model's files are on this machine (sizes and hashes are checked at load and by `verify`)."""
        card = get_card(name, self._config)
        return self._store.present(card) and (not card.base or self.present(card.base))

    def fetch(self, name: str, progress: Progress | None = None, allow_network: bool | None = None) -> Path:
        """Bring a model's files to this machine; see `Store.fetch`. `allow_network` overrides the switch, never BIOLOOM_OFFLINE=1."""
        allowed = self._allow_network if allow_network is None else allow_network
        return self._store.fetch(get_card(name, self._config), progress or Silent(), allowed and not self._config.offline_forced)

    def verify(self, name: str) -> Verification:
        """Hash every file of the model again."""
        return self._store.verify(get_card(name, self._config))

    def remove(self, name: str) -> None:
        """Unload a model and delete its files; an added folder is left in place."""
        self.unload(name)
        self._store.remove(get_card(name, self._config))

    # --- memory -------------------------------------------------------------------------------------------------------

    @contextmanager
    def use(self, name: str) -> Iterator[Predictor]:
        """Hold a model while it is used, loading it first where it is not in memory.

        Raises
        ------
        ModelError
            When its files are missing or damaged, or it does not fit this machine.
        """
        slot = self._acquire(name)
        try:
            yield slot.predictor
        finally:
            with self._changed:
                slot.users -= 1
                slot.last_used = time.monotonic()
                self._changed.notify_all()

    def load(self, name: str) -> None:
        """Bring a model into memory and leave it there."""
        with self.use(name):
            pass

    def loaded(self) -> list[Resident]:
        """The models in memory, by name."""
        with self._changed:
            slots = sorted((slot for slot in self._slots.values() if slot.ready), key=lambda slot: slot.card.name)
            return [Resident(slot.card.name, slot.device, slot.bytes, slot.since, slot.users) for slot in slots]

    def unload(self, name: str) -> None:
        """Take a model out of memory; nothing happens when it is not there.

        Raises
        ------
        ModelError
            When someone is using it.
        """
        with self._changed:
            slot = self._slots.get(name)
            if slot is None:
                return
            if slot.users or not slot.ready:
                raise ModelError(f"{slot.card.title} is in use.", "Wait until the running work is done, or stop it, then unload.")
            del self._slots[name]
            slot.predictor = None
        _give_back(slot.device)

    def fits(self, card: ModelCard, length: int | None = None, batch: int | None = None) -> Fit:
        """Whether a model fits now, counting what idle models would give back; with a `length`, whether that request to it does.

        Parameters
        ----------
        length, batch : int, optional
            Tokens or letters (as the model's window counts) of each input, and how many are computed at once. They tell apart only
            models measured on this machine; for others the card's figure stands for any request.
        """
        device = pick_device(self._config)
        with self._changed:
            loaded = (slot := self._slots.get(card.name)) is not None and slot.ready
            idle = sum(s.bytes for s in self._idle(device) if s is not slot)
        wanted = need(self._config, card, length, batch, loaded=loaded and length is not None)
        available = available_bytes(device) + idle
        if loaded and length is None:
            return Fit(True, "It is loaded.", wanted.bytes, available, wanted.origin)
        ok = wanted.bytes <= available
        what = "It" if length is None else f"A batch of {batch or 1:,}, each {length:,} long,"
        needs = f"{readable(wanted.bytes)} {'more ' if loaded else ''}({wanted.origin})"
        reason = f"{what} {'fits' if ok else 'does not fit'}: it needs {needs}, {readable(available)} are available on {device}."
        return Fit(ok, reason, wanted.bytes, available, wanted.origin, () if ok else self._would(card, available, (length, batch), loaded))

    def demand(self, name: str, length: int, batch: int = 1) -> None:
        """Refuse a request that would not fit, before anything of it is computed.

        Raises
        ------
        ModelError
            With what it takes, what is free, and what would fit.
        """
        card = get_card(name, self._config)
        fit = self.fits(card, length, batch)
        if not fit.ok:
            raise ModelError(f"{card.title}: {fit.reason}", " ".join(fit.would))

    # --- the insides --------------------------------------------------------------------------------------------------

    def _acquire(self, name: str) -> _Slot:
        card = get_card(name, self._config)
        with self._changed:
            if (slot := self._slots.get(name)) is not None and slot.card.sha256 != card.sha256:
                self.unload(name)  # a folder added again with other files: what is in memory is not what the card says
            while (slot := self._slots.get(name)) is not None:
                while not slot.ready and slot.error is None:
                    self._changed.wait()
                if slot.error is not None:
                    raise slot.error
                if self._slots.get(name) is slot:  # else unloaded between its loading and our turn
                    slot.users += 1
                    return slot
            slot = self._slots[name] = _Slot(card, pick_device(self._config), bytes=need(self._config, card).bytes)
        # Outside the lock: whoever makes room holds the turn to load and asks for the lock.
        try:
            with self._loading:
                predictor = self._load(slot)
        except BaseException as error:
            with self._changed:
                del self._slots[name]
                slot.error = error
                self._changed.notify_all()
            raise
        with self._changed:
            slot.predictor, slot.ready, slot.users = predictor, True, 1
            self._changed.notify_all()
        return slot

    def _load(self, slot: _Slot) -> Predictor:
        card = slot.card
        folder = self._store.checked(card) if card.files or card.template else None
        base = (self._store.checked(get_card(card.base, self._config)),) if card.base else ()
        self._make_room(slot)
        try:
            return get_loader(card)(folder, card, slot.device, *base)
        except ModelError:
            raise
        except Exception as error:
            raise ModelError(
                f"{card.title} could not be loaded: {type(error).__name__}.", "Verify its files on the Models page."
            ) from error

    def _make_room(self, slot: _Slot) -> None:
        while slot.bytes > (free := available_bytes(slot.device)):
            with self._changed:
                idle = self._idle(slot.device)
            if not idle or slot.bytes > free + sum(s.bytes for s in idle):  # nobody is put out in vain
                raise self._no_room(slot, free)
            try:
                self.unload(min(idle, key=lambda s: s.last_used).card.name)
            except ModelError:
                continue  # someone took it up again in between

    def _no_room(self, slot: _Slot, free: int) -> ModelError:
        told = f"{slot.card.title} needs {readable(slot.bytes)}; {readable(free)} are free on {slot.device}."
        return ModelError(told, " ".join(self._would(slot.card, free, (None, None), False)))

    def _would(self, card: ModelCard, free: int, size: tuple[int | None, int | None], loaded: bool) -> tuple[str, ...]:
        return what_would(self._config, card, cards(self._config).values(), free, size, loaded, self._store.present)

    def _idle(self, device: str) -> list[_Slot]:
        """Models that could be put out for another: nobody uses them, and they have weights to give back."""
        return [s for s in self._slots.values() if s.ready and not s.users and s.device == device and s.card.files]


def _give_back(device: str) -> None:
    """Hand freed memory to the operating system: Python, the device's cache and glibc each keep some."""
    gc.collect()
    if (torch := sys.modules.get("torch")) is not None and device == "cuda":
        torch.cuda.empty_cache()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
