"""Profiles, saved searches, settings and the log of connections come back as they were put in."""

from __future__ import annotations

import pytest

from backend.domain import Profile
from backend.errors import InputError
from backend.storage import Storage


def test_the_guest_is_there_before_anybody_saved_it(storage: Storage) -> None:
    assert storage.profiles.get("guest") == Profile()
    assert storage.profiles.list() == [Profile()]


def test_a_profile_comes_back_equal_and_is_replaced_by_the_next_save(storage: Storage) -> None:
    ana = Profile("ana", "Ana", "clinician", ("cardiology", "nephrology"), "expert", {"year_from": 2015}, {"literature.ask": "minilm"})
    assert storage.profiles.save(ana) == storage.profiles.get("ana") == ana
    storage.profiles.save(Profile("ana", "Ana B.", "biologist"))
    assert storage.profiles.get("ana").name == "Ana B."
    assert [profile.id for profile in storage.profiles.list()] == ["guest", "ana"]
    storage.profiles.delete("ana")
    with pytest.raises(InputError, match="no profile 'ana'"):
        storage.profiles.get("ana")
    with pytest.raises(InputError):
        storage.profiles.delete("ana")


def test_a_changed_guest_goes_back_to_its_defaults(storage: Storage) -> None:
    storage.profiles.save(Profile(reading_level="plain"))
    assert storage.profiles.get("guest").reading_level == "plain"
    storage.profiles.delete("guest")
    assert storage.profiles.get("guest") == Profile()


@pytest.mark.parametrize("profile", [Profile(""), Profile("x" * 33), Profile("x", " ")])
def test_a_profile_without_id_or_name_is_refused(storage: Storage, profile: Profile) -> None:
    with pytest.raises(InputError) as caught:
        storage.profiles.save(profile)
    assert caught.value.hint


def test_a_search_is_its_owners_and_its_name_is_used_once(storage: Storage) -> None:
    first = storage.searches.save("ana", "  metformin   trials ", {"question": "a"})
    again = storage.searches.save("ana", "metformin trials", {"question": "b", "filters": {"year_from": 2015}})
    storage.searches.save("ben", "metformin trials", {"question": "c"})
    assert (first.id, again.name) == (again.id, "metformin trials")
    assert storage.searches.list("ana") == [again]
    storage.searches.delete(again.id)
    assert storage.searches.list("ana") == []
    assert len(storage.searches.list("ben")) == 1
    with pytest.raises(InputError, match="not there any more"):
        storage.searches.delete(again.id)
    with pytest.raises(InputError, match="needs a name"):
        storage.searches.save("ana", " ", {})


def test_settings_have_defaults(storage: Storage) -> None:
    assert storage.settings.get("consent") == {}
    assert storage.settings.get("consent", {"given": False}) == {"given": False}
    storage.settings.set("consent", {"given": True})
    storage.settings.set("consent", {"given": True, "to": ["x"]})
    assert storage.settings.get("consent") == {"given": True, "to": ["x"]}


def test_connections_are_listed_newest_first(storage: Storage) -> None:
    storage.connections.add("PubMed", "efetch 3 records", "3 records")
    storage.connections.add("Europe PMC", "search", "refused")
    assert [(entry.service, entry.outcome) for entry in storage.connections.list()] == [("Europe PMC", "refused"), ("PubMed", "3 records")]
    assert len(storage.connections.list(limit=1)) == 1
