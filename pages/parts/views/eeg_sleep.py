"""A staged night: what it amounts to, how sure, the hypnogram, one epoch and why it has its stage, why the night has its stages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from backend.domain import Run
from pages.parts.bench import bench
from pages.parts.eeg.sleep_form import settings
from pages.parts.eeg.sleep_why import show_why
from pages.parts.figure import show_figure, show_saves
from pages.parts.markup import escape, html, kicker, plain

__all__ = ("settings", "show")

_PUBLISHED_SURE = "doi:10.7554/eLife.70092, figure 1, supplement 2"
# share of epochs at 0.8 or more in the publisher's 585 test nights
_PUBLISHED = {"W": 0.863, "N1": 0.175, "N2": 0.624, "N3": 0.721, "R": 0.669}


def show(run: Run) -> None:
    """The finding first, then how sure, the hypnogram, one epoch, why."""
    found: Mapping[str, Any] = run.prediction or {}
    left, right = st.columns([5, 3], gap="large")
    with left:
        kicker("Finding")
        _finding(found)
    with right:
        kicker("How sure")
        _sure(run, found)
    kicker("The night")
    epoch = _night(run, found)
    kicker("One epoch")
    _epoch(run, found, epoch)
    kicker("Why")
    show_why(run, epoch)
    kicker("Put to use")
    _use(run, found)


def _finding(found: Mapping[str, Any]) -> None:
    from backend.eeg.sleep.export import statistics_rows
    from backend.eeg.sleep.statistics import NAMES
    from backend.figures.eeg_sleep import describe_stages, plot_stages, stages_rows

    rows = statistics_rows(found)
    told = {row["key"]: row for row in rows}
    if not told["tst"]["value"]:
        html("<h3>No sleep was found</h3>")
    else:
        head = f"{_hours(told['tst']['value'])} of sleep, efficiency {told['se']['value']:.0f}%"
        html(f"<h3>{escape(head)}</h3>")
    show_figure(plot_stages(found), describe_stages(found), f"sleep-stages-{found['recording']}", stages_rows(found))
    main = [row for row in rows if not row["key"].startswith(("min_", "pct_")) and (row["key"] != "unscored" or row["value"])]
    cells = {stage: (told[f"min_{stage}"], told.get(f"pct_{stage}")) for stage in found["order"]}
    st.dataframe(
        [
            {"": "Minutes"} | {NAMES[stage]: _figure({**minutes, "unit": ""}) for stage, (minutes, _) in cells.items()},
            {"": "95% interval"} | {NAMES[stage]: _interval(minutes) for stage, (minutes, _) in cells.items()},
            {"": "% of sleep"} | {NAMES[stage]: _figure({**share, "unit": ""}) if share else "" for stage, (_, share) in cells.items()},
        ],
        hide_index=True,
        height=_height(3),
    )
    st.dataframe(
        [{"Parameter": row["name"], "Value": _figure(row), "95% interval": _interval(row)} for row in main],
        hide_index=True,
        height=_height(len(main)),
    )
    st.caption(
        "AASM parameters. An interval holds the figure in 95% of 1,000 hypnograms drawn from the probabilities below, errors within "
        "7.5 min taken together. It tells of doubt that the classifier knows of, not of errors that it does not know of, and not of the "
        "difference to another scorer. It can lie to one side: the likeliest stage of each epoch hides the less likely ones, which add "
        "up over a night."
    )
    with st.expander("What the parameters mean"):
        html("<dl>" + "".join(f"<dt>{escape(row['name'])}</dt><dd>{escape(row['meaning'])}</dd>" for row in main) + "</dl>")


def _height(rows: int) -> int:
    return 35 * (rows + 1) + 3


def _figure(row: Mapping[str, Any]) -> str:
    if row["value"] == "":
        return "none"
    digits = 1 if row["unit"] in ("min", "/h") and row["value"] != int(row["value"]) else 0
    return f"{row['value']:.{digits}f} {row['unit']}".strip()


def _interval(row: Mapping[str, Any]) -> str:
    return "" if row["low"] == "" else f"{row['low']:.0f} to {row['high']:.0f}"


def _sure(run: Run, found: Mapping[str, Any]) -> None:
    from backend.eeg.sleep.statistics import NAMES
    from backend.models.registry import get_card

    sure = found["confidence"]
    head = f"Mean probability of the called stage {sure['all']['mean']:.2f}; {sure['all']['sure']:.0%} of epochs at 0.8 or more"
    html(f"<p><b>{escape(head)}</b></p>")
    card = get_card("yasa-sleep")
    published = {one.metric.removeprefix("sensitivity, "): one for one in card.quality}
    names = {"W": "wakefulness", "R": "REM sleep"}
    st.dataframe(
        [
            {
                "Stage": NAMES[stage],
                "Sure here": sure[stage]["sure"] if sure[stage] else None,
                "Sure, published": _PUBLISHED[stage],
                "Sensitivity": published[names.get(stage, stage)].value,
            }
            for stage in found["order"]
        ],
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(name, format="percent", help=words)
            for name, words in (
                ("Sure here", "Epochs called so whose probability is 0.8 or more"),
                ("Sure, published", f"The same in the publisher's 585 test nights ({_PUBLISHED_SURE})"),
                ("Sensitivity", "Of the epochs that scorers call so, the share that YASA calls so: doi:10.1016/j.sleh.2023.07.019"),
            )
        },
    )
    st.caption(
        "Sure: called so with a probability of 0.8 or more, here and in the publisher's 585 test nights. Sensitivity: of the epochs that "
        "scorers called so, those that YASA called so too, in an independent study of 327 nights of adolescents."
    )
    first = card.quality[0]
    html(
        f"<p>Published accuracy: {first.value:.1%}, {escape(first.metric.removesuffix(' of a night'))} over {escape(first.data)} "
        f"({escape(first.origin)}). Not measured here on real nights.</p>"
    )
    html(f"<p>{escape(card.limits[1])} {escape(card.limits[-1])}</p>")
    for warning in run.warnings[:12]:
        html(f"<div class='bl-notice'>{escape(warning)}</div>")


def _night(run: Run, found: Mapping[str, Any]) -> int:
    """The hypnogram; gives the chosen epoch, counted from 1."""
    from backend.figures.eeg_sleep import describe_night, night_rows, plot_night
    from backend.figures.style import CONFIG

    count = len(found["stages"])
    chart, chosen = f"sleep-night-{run.id}", f"sleep-epoch-{run.id}"
    st.session_state.setdefault(chosen, _first(run, found))

    def clicked() -> None:
        points = st.session_state[chart]["selection"]["points"]
        if points:
            at = int(float(points[0]["x"]) * 3600 // found["epoch_s"]) + 1
            st.session_state[chosen] = min(max(at, 1), count)

    figure = plot_night(found, int(st.session_state[chosen]))
    ground = st.get_option(f"theme.{st.context.theme.type or 'light'}.backgroundColor")
    figure.update_layout(paper_bgcolor=ground, plot_bgcolor=ground, clickmode="event+select")
    st.plotly_chart(figure, config=CONFIG, alt=describe_night(found), key=chart, on_select=clicked, selection_mode="points")
    show_saves(f"sleep-night-{run.id}", night_rows(found))
    sure = [(max(row), place + 1) for place, row in enumerate(found["probabilities"]) if row]
    doubtful = ", ".join(f"{place} ({chance:.2f})" for chance, place in sorted(sure)[:8])
    st.caption(f"Least sure, to be looked at first: epochs {doubtful}.")
    return int(st.number_input("Epoch (a click on the hypnogram chooses one too)", 1, count, key=chosen, width=320))


def _first(run: Run, found: Mapping[str, Any]) -> int:
    """The epoch to begin with: what the address says, else the surest of the deepest stage."""
    asked = st.query_params.get("epoch", "")
    if asked.isdigit() and 1 <= int(asked) <= len(found["stages"]):
        return int(asked)
    for stage in ("N3", "N2", "R", "N1", "W"):
        there = [place for place, one in enumerate(found["stages"]) if one == stage]
        if there:
            return max(there, key=lambda place: max(found["probabilities"][place])) + 1
    return 1


def _epoch(run: Run, found: Mapping[str, Any], epoch: int) -> None:
    from backend.eeg.sleep.export import clock_at
    from backend.eeg.sleep.marks import epoch_traces
    from backend.eeg.sleep.statistics import NAMES
    from backend.figures.eeg_sleep import describe_epoch, epoch_rows, plot_epoch

    stage, chances = found["stages"][epoch - 1], found["probabilities"][epoch - 1]
    clock = clock_at(str(found["clock"]), (epoch - 1) * found["epoch_s"])
    where = f"Epoch {epoch}{f', {clock}' if clock else ''}"
    odd = ", ".join(one["flag"] for one in found["flags"] if one["epoch"] == epoch)
    if stage is None:
        st.caption(f"{where} is not scored: {plain(odd)}.")
    else:
        listed = ", ".join(f"{NAMES[name]} {chance:.2f}" for name, chance in zip(found["order"], chances, strict=True) if chance >= 0.005)
        flagged = f" Flagged: {odd}." if odd else ""
        html(f"<p><b>{escape(where)}: {escape(NAMES[stage])}</b>. Probabilities: {escape(listed)}.{escape(flagged)}</p>")
    names, rate, values = epoch_traces(bench().context, found, epoch, 5.0)
    title = f"{where}{f', called {NAMES[stage]}' if stage else ''}"
    rows = epoch_rows(names, values, rate, (epoch - 1) * found["epoch_s"] - 5.0)
    show_figure(plot_epoch(names, values, rate, title, 5.0), describe_epoch(names, values, title), f"sleep-trace-{run.id}-{epoch}", rows)
    if st.button("See it in the reader", icon=":material/ecg:", key=f"sleep-reader-{run.id}"):
        from pages.parts.eeg.viewer import go_to

        go_to(str(found["recording"]), (epoch - 1) * found["epoch_s"], found["epoch_s"])
        st.switch_page("pages/eeg.py", query_params={"recording": str(found["recording"]), "show": "signal"})


def _use(run: Run, found: Mapping[str, Any]) -> None:
    st.caption(
        "The reader draws the latest staging above its page. As annotations, stages can be corrected there and leave with the recording; "
        "such as you set before are replaced. Export, below, has the epochs and the statistics as CSV, and the hypnogram as TSV and as "
        "EDF+ annotations for other scoring programs."
    )
    if st.button("Set the stages as annotations", icon=":material/edit_note:", key=f"sleep-write-{run.id}"):
        from backend.eeg.sleep.marks import write_stages

        with st.spinner("Setting annotations"):
            made = write_stages(bench().context, found)
        st.success(f"{made} annotations set.", icon=":material/check:")


def _hours(minutes: float) -> str:
    return f"{int(minutes // 60)} h {minutes % 60:.0f} min"
