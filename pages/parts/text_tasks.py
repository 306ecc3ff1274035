"""What can be asked of a text: the tasks with their words, and the form that starts one."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from backend.domain import digest
from pages.parts.bench import bench
from pages.parts.errors import told
from pages.parts.markup import escape, html, plain, size, some, strip
from pages.parts.starting import start

if TYPE_CHECKING:
    from backend.domain import ModelCard

KIND = "texts"  # of the background jobs
_MOST_NAMED = 8  # models listed that could be fetched

TASKS: Mapping[str, tuple[str, str, str]] = {
    # task: name, what it answers, an example of the question that it needs ('' where it needs none)
    "literature.entities": ("Named things", "Diseases, drugs, genes: every mention, marked in the text.", ""),
    "literature.relations": ("Relations", "Which of the named things the text relates, and the sentence that says so.", ""),
    "literature.verdict": ("Yes, no or maybe", "What the text says to a question, part by part.", "Does metformin reduce mortality?"),
    "literature.evidence": (
        "Sentences that answer a question",
        "Which sentences bear on a question, best first, and whether they support or oppose it.",
        "Does metformin reduce mortality?",
    ),
    "literature.answer": ("Answers word for word", "The words of the text that answer a question.", "Which drug reduced mortality?"),
    "literature.fill": ("Hidden words", "Which words a language model expects in a hidden place.", ""),
    "literature.nearest": (
        "Nearest sentences",
        "The sentences that come nearest to a question in meaning.",
        "Is the drug safe in pregnancy?",
    ),
    "literature.embed": ("Vectors", "A vector for every sentence, a map, and the table to go on with.", ""),
    "literature.write": ("Continue", "What a model would write next: generated, and never evidence.", ""),
    "literature.rewrite": ("Rewrite", "A summary or another wording by a model: generated, and never evidence.", ""),
}
_ON_ANSWERS = ("literature.verdict", "literature.evidence", "literature.answer")  # can also be put to the papers that a saved answer quotes


def show_form(value: Mapping[str, Any], text: str, begin: str | None = None) -> None:
    """Choose a task, its question, model and settings, and start it.

    Parameters
    ----------
    value : mapping
        The input of the task: ``{"text", "name"}``, ``{"paper"}`` or ``{"run"}``.
    text : str
        What is read, for the count of parts; '' where it is the papers of a saved answer.
    """
    offered, mark = _offered(value), _mark(value)
    here = {task: _serving(task) for task in offered}
    first = begin if begin in offered else next((task for task in offered if here[task]), offered[0])
    left, right = st.columns([4, 5], gap="large")
    with left:
        task = st.radio(
            "What do you want to know?",
            offered,
            index=offered.index(first),
            format_func=lambda name: f"**{TASKS[name][0]}**",
            captions=[TASKS[name][1] + ("" if here[name] else " *No model here yet.*") for name in offered],
            key=f"text-task-{mark}",
        )
    with right, told():
        if not here[task]:
            show_missing(task)
            return
        example = TASKS[task][2]
        asked = _question(value, example, mark) if example else ""
        settings = _settings(task)
        if settings is None:
            return
        if text:
            _fit(text, settings, here[task], asked)
        ready = bool(asked) or not example
        if st.button(f"Run: {TASKS[task][0].lower()}", type="primary", key=f"start-{task}", disabled=not ready):
            given = {**value, **({"question": asked} if example else {})}
            title = f"{TASKS[task][0]} of {value.get('name') or asked}"
            start(KIND, task, title, given, settings)


def show_missing(task: str) -> None:
    """Which models could serve a task that none on this machine serves, and how they come here."""
    from backend.models.registry import cards, families

    able = [card for card in cards(bench().config).values() if task in card.tasks]
    html(
        f"<p><b>No model on this machine can do this yet.</b></p><p>{escape(TASKS[task][1])} "
        "There are two ways, both on the Models page: fetch one (once, over the network, after you agree to its licence), or point to a "
        "folder that you have already, with a checkpoint fine-tuned for this.</p>"
    )
    if able:
        html("<p class='bl-soft'>Known for it:</p><ul>" + "".join(f"<li>{_card(card)}</li>" for card in able[:_MOST_NAMED]) + "</ul>")
        if len(able) > _MOST_NAMED:
            st.caption(f"and {len(able) - _MOST_NAMED:,} more on the Models page")
    else:
        titles = sorted(
            each.title for each in families().values() if any(card.modality == "literature" and card.files for card in each.cards)
        )
        st.caption(plain(f"No published checkpoint is listed for it. Folders of these families can hold one: {', '.join(titles)}."))
    st.page_link("pages/models.py", label="Open the Models page", icon=":material/deployed_code:")


def _card(card: ModelCard) -> str:
    facts = [card.licence + (" (non-commercial)" if card.non_commercial else "")]
    facts.append("a folder of yours" if card.template else f"{size(card.download_bytes)} to fetch" if card.download_bytes else "")
    return f"{escape(card.title)} <span class='bl-soft'>{escape(', '.join(part for part in facts if part))}</span>"


def _offered(value: Mapping[str, Any]) -> list[str]:
    return [task for task in TASKS if "run" not in value or task in _ON_ANSWERS]


def _serving(task: str) -> Sequence[ModelCard]:
    from backend.tasks import serving

    return serving(bench().context, task)


def _mark(value: Mapping[str, Any]) -> str:
    """Tells one input from another: what was chosen for one text must not pass to the next."""
    return digest(f"{value.get('run')} {value.get('paper')} {value.get('text')}")[:12]


def _question(value: Mapping[str, Any], example: str, mark: str) -> str:
    asked = st.text_input("Question", str(value.get("question") or ""), key=f"text-question-{mark}", placeholder=f"For example: {example}")
    return " ".join(str(asked).split())


def _settings(task: str) -> dict[str, Any] | None:
    name = f"pages.parts.views.{task.replace('.', '_')}"
    draw: Callable[[str], dict[str, Any] | None] | None = getattr(importlib.import_module(name), "settings", None)
    return draw("text") if draw is not None else {}


def _fit(text: str, settings: Mapping[str, Any], here: Sequence[ModelCard], question: str) -> None:
    """How many parts the text makes for the model, and how much of it the model does not know; counted once the model is in memory."""
    name = str(settings.get("model") or here[0].name)
    loaded = any(resident.name == name for resident in bench().runtime.loaded())
    if not loaded and not st.button("Count what this model sees", key=f"count-{name}", icon=":material/straighten:", type="tertiary"):
        return
    from backend.literature.reading import tokens_of
    from backend.literature.texts import windows

    with st.spinner("Loading the model ..."), bench().runtime.use(name) as model:
        if not hasattr(model, "unknown_share"):
            return
        parts = len(windows(model, text, tokens_of(model, question) if question else 0))
        unknown = model.unknown_share(text)
        strip([("Read in", some(parts, "part")), ("of at most", f"{model.window:,} tokens"), ("Unknown to the model", f"{unknown:.1%}")])
