"""Decoders drawn: candidates with their intervals, confusions, learning curve, permutations, sessions, drift, decoded trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from backend.domain import Json
from backend.figures.style import BLUE, CATEGORIES, ORANGE, QUIET, SYMBOLS, VERMILLION, finish

VERDICTS = {  # word: what is shown, colour, sign; colour is never alone
    "usable": ("Usable", BLUE, "●"),
    "uncertain": ("Uncertain", ORANGE, "◐"),
    "undecodable": ("Cannot be decoded", VERMILLION, "○"),
}
_SHAPES = {"usable": "circle", "uncertain": "diamond", "undecodable": "circle-open"}


def plot_candidates(found: Mapping[str, Json]) -> Any:
    """Each candidate's expected accuracy in the next session with its interval, against chance and what is needed."""
    import plotly.graph_objects as go

    rows = [row for row in found["candidates"] if "skipped" not in row][::-1]
    figure = go.Figure()
    for row in rows:
        expected = row["next_session"]
        _, colour, _ = VERDICTS[row["verdict"]]
        figure.add_scatter(
            x=[100 * expected["value"]],
            y=[row["title"]],
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [100 * (expected["high"] - expected["value"])],
                "arrayminus": [100 * (expected["value"] - expected["low"])],
                "thickness": 2,
                "width": 5,
            },
            mode="markers",
            marker={"size": 11, "color": colour, "symbol": _SHAPES[row["verdict"]], "line": {"width": 2, "color": colour}},
            showlegend=False,
            hovertemplate=f"{row['title']}: %{{x:.0f}}% ({100 * expected['low']:.0f} to {100 * expected['high']:.0f})<extra></extra>",
        )
    _accuracies(figure, found, "x")
    best = next((row["title"] for row in rows if row["name"] == found["candidate"]), found["candidate"])
    figure.update_xaxes(range=[20, 102], title="Balanced accuracy expected in the next session (%)")
    return finish(figure, f"Chosen: {best}", 120 + 38 * len(rows))


def candidate_rows(found: Mapping[str, Json]) -> list[dict[str, Json]]:
    return [
        {
            "candidate": row["title"],
            "held_out": _share(row.get("balanced_accuracy")),
            "next_session": _share(row.get("next_session", {}).get("value")),
            "low": _share(row.get("next_session", {}).get("low")),
            "high": _share(row.get("next_session", {}).get("high")),
            "p": row.get("p"),
            "verdict": VERDICTS[row["verdict"]][0] if "verdict" in row else "",
            "left_out": row.get("skipped", ""),
        }
        for row in found["candidates"]
    ]


def candidate_words(found: Mapping[str, Json]) -> str:
    told = [
        f"{row['title']} {row['next_session']['value']:.0%} ({row['next_session']['low']:.0%} to {row['next_session']['high']:.0%})"
        for row in found["candidates"]
        if "skipped" not in row
    ]
    return f"Accuracy expected in the next session, with 95% interval; chance {found['verdict']['chance']:.0%}: {'; '.join(told)}."


def plot_confusion(table: Sequence[Sequence[int]], classes: Sequence[str]) -> Any:
    """What trials were against what they were decoded as: numbers, and shares of each row as shade."""
    import plotly.graph_objects as go

    shares = [[count / max(sum(row), 1) for count in row] for row in table]
    text = [[f"{count}<br>{share:.0%}" for count, share in zip(row, part, strict=True)] for row, part in zip(table, shares, strict=True)]
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=[f"decoded {name}" for name in classes],
            y=list(classes),
            text=text,
            texttemplate="%{text}",
            colorscale="Cividis",
            zmin=0,
            zmax=1,
            showscale=False,
            hovertemplate="%{y}, %{x}: %{text}<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed")
    right = sum(row[n] for n, row in enumerate(table))
    return finish(figure, f"{right} of {sum(map(sum, table))} held-out trials were decoded rightly", 130 + 58 * len(classes))


def confusion_rows(table: Sequence[Sequence[int]], classes: Sequence[str]) -> list[dict[str, Json]]:
    heads = [f"decoded {name}" for name in classes]
    return [{"was": name, **dict(zip(heads, row, strict=True))} for name, row in zip(classes, table, strict=True)]


def confusion_words(table: Sequence[Sequence[int]], classes: Sequence[str]) -> str:
    told = [f"of {sum(row)} {name}, {row[n]} as {name}" for n, (name, row) in enumerate(zip(classes, table, strict=True))]
    return f"Held-out trials: {'; '.join(told)}."


def plot_curve(found: Mapping[str, Json]) -> Any:
    """Balanced accuracy on the same held-out trials by the number of trials learned from."""
    import plotly.graph_objects as go

    points = found["curve"]
    figure = go.Figure()
    figure.add_scatter(
        x=[point["trials"] for point in points],
        y=[100 * point["value"] for point in points],
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [100 * (point["high"] - point["value"]) for point in points],
            "arrayminus": [100 * (point["value"] - point["low"]) for point in points],
            "thickness": 1.5,
            "width": 4,
        },
        mode="lines+markers",
        line={"color": BLUE, "width": 2},
        marker={"size": 9},
        showlegend=False,
        hovertemplate="%{x:.0f} trials: %{y:.0f}%<extra></extra>",
    )
    _accuracies(figure, found, "y")
    figure.update_xaxes(title="Trials learned from, the earliest first", rangemode="tozero")
    figure.update_yaxes(title="Balanced accuracy (%)", range=[0, 104])
    return finish(figure, curve_title(found), 320)


def curve_title(found: Mapping[str, Json]) -> str:
    points = found["curve"]
    if len(points) < 3:
        return "Accuracy by number of trials"
    last = points[-1]
    still = last["value"] - points[-2]["value"] > (last["high"] - last["low"]) / 2
    return "More trials would still help" if still else "The last quarter of the trials changed little"


def curve_rows(found: Mapping[str, Json]) -> list[dict[str, Json]]:
    return [dict(point) for point in found["curve"]]


def curve_words(found: Mapping[str, Json]) -> str:
    told = [f"{point['trials']:.0f} trials {point['value']:.0%} ({point['low']:.0%} to {point['high']:.0%})" for point in found["curve"]]
    return f"Balanced accuracy by trials learned from: {'; '.join(told)}."


def plot_permutations(found: Mapping[str, Json]) -> Any:
    """The statistic when labels were permuted, and as it was."""
    import plotly.graph_objects as go

    permuted = found["permutation"]
    edges, counts = permuted["null"]["edges"], permuted["null"]["counts"]
    figure = go.Figure()
    figure.add_bar(
        x=[50 * (low + high) for low, high in pairwise(edges)],
        y=counts,
        width=[100 * (high - low) for low, high in pairwise(edges)],
        marker={"color": QUIET, "line": {"width": 0.5, "color": "white"}},
        showlegend=False,
        hovertemplate="%{x:.0f}%: %{y} permutations<extra></extra>",
    )
    figure.add_vline(
        x=100 * permuted["observed"],
        line={"color": VERMILLION, "width": 3},
        annotation_text=f"as labelled: {100 * permuted['observed']:.0f}%",
        annotation_position="top left" if permuted["observed"] > 0.7 else "top right",
    )
    figure.update_xaxes(title="Best balanced accuracy over the feature sets (%)", range=[30, 101])
    figure.update_yaxes(title="Permutations")
    return finish(figure, f"Labels {permuted['how']} {permuted['n']:,} times: p = {permuted['p']:.2g}", 320)


def permutation_rows(found: Mapping[str, Json]) -> list[dict[str, Json]]:
    null = found["permutation"]["null"]
    return [
        {"from": low, "to": high, "permutations": count}
        for low, high, count in zip(null["edges"], null["edges"][1:], null["counts"], strict=False)
    ]


def permutation_words(found: Mapping[str, Json]) -> str:
    permuted = found["permutation"]
    return (
        f"With labels {permuted['how']}, 95% of {permuted['n']:,} results lie below {permuted['null_high']:.0%}; as labelled it is "
        f"{permuted['observed']:.0%}, p = {permuted['p']:.2g}."
    )


def plot_sessions(found: Mapping[str, Json], names: Sequence[str]) -> Any:
    """Accuracy on the held-out trials of each session, in time order."""
    import plotly.graph_objects as go

    rows = found["validation"]["sessions"]
    figure = go.Figure()
    figure.add_scatter(
        x=[names[row["session"]] for row in rows],
        y=[100 * row["value"] for row in rows],
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [100 * (row["high"] - row["value"]) for row in rows],
            "arrayminus": [100 * (row["value"] - row["low"]) for row in rows],
            "thickness": 1.5,
            "width": 4,
        },
        mode="markers",
        marker={"size": 10, "color": BLUE},
        showlegend=False,
        customdata=[row["n"] for row in rows],
        hovertemplate="%{x}: %{y:.0f}%, n = %{customdata}<extra></extra>",
    )
    _accuracies(figure, found, "y")
    figure.update_yaxes(title="Balanced accuracy (%)", range=[0, 104])
    figure.update_xaxes(type="category")
    return finish(figure, "Held-out trials, session by session", 320)


def session_rows(found: Mapping[str, Json], names: Sequence[str]) -> list[dict[str, Json]]:
    rows = found["validation"]["sessions"]
    return [{"recording": names[row["session"]], **{key: row[key] for key in ("n", "value", "low", "high")}} for row in rows]


def session_words(found: Mapping[str, Json], names: Sequence[str]) -> str:
    told = [
        f"{names[row['session']]} {row['value']:.0%} ({row['low']:.0%} to {row['high']:.0%}, n = {row['n']})"
        for row in found["validation"]["sessions"]
    ]
    return f"Balanced accuracy on held-out trials: {'; '.join(told)}."


def plot_decoded(found: Mapping[str, Json]) -> Any:
    """Every decoded trial over the recording: probability of what it was decoded as; crosses where the annotation says otherwise."""
    import plotly.graph_objects as go

    figure = go.Figure()
    known = found["measured"] is not None
    for n, name in enumerate(found["classes"]):
        rows = [row for row in found["trials"] if row["decoded"] == name]
        wrong = [known and row["annotated"] != name for row in rows]
        figure.add_scatter(
            x=[row["onset_s"] / 60 for row in rows],
            y=[100 * row["confidence"] for row in rows],
            mode="markers",
            name=name,
            marker={
                "size": 9,
                "color": CATEGORIES[n % len(CATEGORIES)],
                "symbol": ["x-thin" if bad else SYMBOLS[n % len(SYMBOLS)] for bad in wrong],
                "line": {"width": [2 if bad else 0 for bad in wrong], "color": CATEGORIES[n % len(CATEGORIES)]},
            },
            customdata=[[row["annotated"] or "not annotated", row["onset_s"]] for row in rows],
            hovertemplate=f"%{{customdata[1]:.1f}} s: decoded {name}, %{{y:.0f}}%; annotated %{{customdata[0]}}<extra></extra>",
        )
    figure.add_hrect(y0=0, y1=60, fillcolor=QUIET, opacity=0.12, line_width=0)
    figure.update_xaxes(title="Minutes from the beginning")
    figure.update_yaxes(title="Confidence (%)", range=[100 / len(found["classes"]) - 4, 103])
    figure.update_layout(legend={"orientation": "h", "y": 1.01, "yanchor": "bottom", "x": 0})
    title = f"{len(found['trials'])} trials decoded" + (", thin crosses where the annotation says otherwise" if known else "")
    finish(figure, title, 390)
    figure.update_layout(margin={"t": 76})
    return figure


def decoded_rows(found: Mapping[str, Json]) -> list[dict[str, Json]]:
    return [
        {
            "trial": n,
            "onset_s": row["onset_s"],
            "decoded": row["decoded"],
            "confidence": row["confidence"],
            "certainty": row["certainty"],
            "annotated": row["annotated"],
        }
        for n, row in enumerate(found["trials"])
    ]


def decoded_words(found: Mapping[str, Json]) -> str:
    counts = ", ".join(f"{count} as {name}" for name, count in found["counts"].items())
    return f"{len(found['trials'])} trials decoded, {counts}. Clear: {found['certainties']['clear']}, open: {found['certainties']['open']}."


def plot_drift(found: Mapping[str, Json]) -> Any:
    """How far trials lie from the calibration's centre: its own and the new ones, as 5th to 95th percentiles."""
    import plotly.graph_objects as go

    drift = found["drift"]
    figure = go.Figure()
    for name, key, colour in (("Calibration", "calibration", QUIET), ("This recording", "now", BLUE)):
        low, quarter, middle, three, high = drift["distances"][key]
        figure.add_box(
            y=[name],
            q1=[quarter],
            median=[middle],
            q3=[three],
            lowerfence=[low],
            upperfence=[high],
            orientation="h",
            marker={"color": colour},
            showlegend=False,
            hoverinfo="x",
        )
    figure.update_xaxes(title="Riemannian distance from the calibration's centre (5, 25, 50, 75, 95% of trials)", rangemode="tozero")
    return finish(figure, f"{drift['farther']:.0%} farther out than the calibration's (50%: unchanged)", 230)


def drift_rows(found: Mapping[str, Json]) -> list[dict[str, Json]]:
    names = ("p5", "p25", "p50", "p75", "p95")
    return [{"trials": key, **dict(zip(names, values, strict=True))} for key, values in found["drift"]["distances"].items()]


def _accuracies(figure: Any, found: Mapping[str, Json], axis: str) -> None:
    """Lines at chance and at what is needed."""
    line = figure.add_vline if axis == "x" else figure.add_hline
    at = "x" if axis == "x" else "y"
    verdict = found["verdict"]
    place = {"annotation_position": "top" if axis == "x" else "bottom right", "annotation_font_size": 11}
    line(**{at: 100 * verdict["chance"]}, line={"color": QUIET, "dash": "dash"}, annotation_text="chance", **place)
    line(**{at: 100 * verdict["criterion"]}, line={"color": QUIET, "dash": "dot"}, annotation_text="needed", **place)


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
