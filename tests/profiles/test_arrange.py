"""A profile changes the order in which evidence is shown, and nothing else."""

import copy

from hypothesis import given
from hypothesis import strategies as st

from backend.profiles.arrange import arrange, why_this_order

TYPES = ("meta-analysis", "systematic review", "randomised trial", "clinical trial", "observational", "case report", "review", "guideline")
TITLES = (
    "Metformin in heart failure",
    "AMPK signalling pathways in cultured cells",
    "Cardiovascular outcomes of a trial",
    "Knockout mice and the receptor",
    "",
)
PROFILES = st.fixed_dictionaries(
    {
        "role": st.sampled_from(["clinician", "biologist", "both"]),
        "specialties": st.lists(st.sampled_from(["Cardiology", "oncology", "heart", "(", "[a", "", "ü"]), max_size=3),
    }
)


@st.composite
def evidence(draw):
    papers = draw(
        st.lists(st.tuples(st.sampled_from([*TYPES, "other", ""]), st.sampled_from(TITLES), st.booleans()), min_size=1, max_size=6)
    )
    documents = draw(st.lists(st.integers(0, len(papers) - 1), max_size=10))
    return [item(rank, document, *papers[document]) for rank, document in enumerate(documents, 1)]


def item(rank, document, study_type="other", title="", retracted=False, quote="A quote."):
    notices = [{"kind": "retracted", "text": "", "pmid": ""}] if retracted else []
    about = {"document": document, "study_type": study_type, "title": title, "quote": quote, "notices": notices, "journal": ""}
    return about | {"rank": rank, "score": 1 / rank}


@given(evidence(), PROFILES)
def test_nothing_is_added_dropped_or_changed(found, profile):
    before = copy.deepcopy(found)
    shown = arrange(found, profile)
    assert found == before
    assert sorted(shown, key=lambda one: one["rank"]) == found
    assert arrange(shown, profile) == shown


@given(evidence())
def test_without_role_and_specialties_the_ranking_stands(found):
    assert arrange(found, {"role": "both", "specialties": []}) == found


def order(found, **profile):
    return [one["rank"] for one in arrange(found, {"role": "both", "specialties": [], **profile})]


def test_a_clinician_sees_the_stronger_design_first():
    found = [item(1, 1, "other"), item(2, 2, "case report"), item(3, 3, "randomised trial"), item(4, 4, "meta-analysis")]
    assert order(found, role="clinician") == [4, 3, 2, 1]


def test_a_biologist_sees_laboratory_work_first():
    found = [item(1, 1, "meta-analysis", TITLES[0]), item(2, 2, "other", TITLES[1]), item(3, 3, "other", TITLES[3])]
    assert order(found, role="biologist") == [2, 3, 1]


def test_a_specialty_decides_within_a_design():
    found = [
        item(1, 1, "randomised trial", "Asthma"),
        item(2, 2, "randomised trial", "Cardiovascular death"),
        item(3, 3, "review", "Cardiac"),
    ]
    assert order(found, role="clinician", specialties=["Cardiology"]) == [2, 1, 3]


def test_a_retracted_paper_never_comes_first_by_profile():
    found = [item(1, 1, "meta-analysis", retracted=True), item(2, 2, "other")]
    assert order(found, role="clinician") == [2, 1]


def test_sentences_of_one_paper_stay_together():
    found = [item(1, 1, "review"), item(2, 2, "randomised trial"), item(3, 1, "review")]
    assert order(found, role="clinician") == [2, 1, 3]


def test_the_page_can_say_why():
    assert "stronger study designs first" in why_this_order({"role": "clinician"})
    assert "laboratory" in why_this_order({"role": "biologist"})
    assert "Cardiology" in why_this_order({"role": "both", "specialties": ["Cardiology"]})
    assert "order of the search" in why_this_order({})
