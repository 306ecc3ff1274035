"""When room is needed the model unused for longest goes, never one in use, and what cannot fit is told with what would."""

import random
import threading
import weakref

import pytest

from backend.domain import ModelCard
from backend.errors import ModelError
from backend.models import registry, runtime
from backend.models.registry import file_sha256
from backend.models.runtime import Runtime

UNIT = 1000


class Held:
    """What a test's model holds in memory."""

    def __init__(self, units):
        self.units = units


class Machine:
    """A machine with room for so many units; counts what is alive in it."""

    def __init__(self, units):
        self.units, self._alive = units, weakref.WeakSet()
        self.most = 0

    def used(self):
        return sum(held.units for held in list(self._alive))

    def load(self, folder, card, device):
        held = Held(card.peak_bytes // UNIT)
        self._alive.add(held)
        self.most = max(self.most, self.used())
        return held

    def available(self, device):
        return (self.units - self.used()) * UNIT


@pytest.fixture
def machine(monkeypatch, tmp_path):
    made = Machine(units=2)
    weights = tmp_path / "weights.txt"
    weights.write_text("weights")

    def card(name, units):
        return ModelCard(
            name=name,
            title=name.title(),
            family="held",
            modality="literature",
            tasks=("test.hold",),
            source="local",
            licence="-",
            summary="-",
            folder=str(tmp_path),
            files={weights.name: file_sha256(weights)},
            peak_bytes=units * UNIT,
        )

    cards = tuple(card(name, units) for name, units in [("asthma", 1), ("bronchitis", 1), ("copd", 1), ("double", 2), ("triple", 3)])
    registry._families()
    monkeypatch.setitem(registry._FAMILIES, "held", registry.Family("held", "Held", "", made.load, cards))
    monkeypatch.setattr(runtime, "available_bytes", made.available)
    return made


def names(models):
    return [resident.name for resident in models.loaded()]


def test_the_least_recently_used_model_makes_room(machine, config):
    models = Runtime(config)
    models.load("asthma")
    models.load("bronchitis")
    with models.use("asthma"):
        pass
    models.load("copd")
    assert names(models) == ["asthma", "copd"]


def test_as_many_go_as_are_needed_and_no_more(machine, config):
    models = Runtime(config)
    models.load("asthma")
    models.load("bronchitis")
    models.load("double")
    assert names(models) == ["double"]
    models.load("copd")
    assert names(models) == ["copd"]
    assert machine.most == 2


def test_a_model_in_use_stays_even_when_it_is_the_oldest(machine, config):
    models = Runtime(config)
    with models.use("asthma") as held:
        models.load("bronchitis")
        models.load("copd")
        assert names(models) == ["asthma", "copd"]
        assert held.units == 1


def test_what_finds_no_room_is_told_with_what_would_fit_and_disturbs_nobody(machine, config):
    models = Runtime(config)
    with models.use("asthma"):
        assert not models.fits(registry.get_card("double")).ok
        with pytest.raises(ModelError, match="Double needs") as caught:
            models.load("double")
        assert "Bronchitis" in caught.value.hint
        assert "Triple" not in caught.value.hint
        assert names(models) == ["asthma"]
    assert models.fits(registry.get_card("double")).ok
    with pytest.raises(ModelError, match="Triple needs"):
        models.load("triple")
    assert names(models) == ["asthma"]  # nobody was put out for what cannot fit


def test_many_threads_that_use_evict_and_unload_never_lose_count(machine, config):
    models = Runtime(config)
    together, wrong, refused = threading.Barrier(8), [], []

    def ask(seed):
        choose = random.Random(seed)
        together.wait()
        for _ in range(30):
            name = choose.choice(["asthma", "bronchitis", "copd"])
            try:
                if choose.random() < 0.2:
                    models.unload(name)
                    continue
                with models.use(name) as held:
                    found = {resident.name: resident.users for resident in models.loaded()}
                    if found.get(name, 0) < 1 or held is None:
                        wrong.append((name, found))
                    del held
            except ModelError as error:
                refused.append(str(error))

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(8)]
    [thread.start() for thread in threads]
    [thread.join(timeout=60) for thread in threads]
    assert not any(thread.is_alive() for thread in threads)
    assert wrong == []
    assert all("in use" in told or "needs" in told for told in refused)
    assert machine.most <= 2
    assert all(resident.users == 0 for resident in models.loaded())
    for name in names(models):
        models.unload(name)
    assert machine.used() == 0
