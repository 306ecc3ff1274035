"""Commands on the models of the registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli.shared import AsJson, app, plain, show, workbench
from backend.domain import Json, ModelCard
from backend.progress import Bar

if TYPE_CHECKING:
    from backend.workbench import Workbench

models_app = typer.Typer(no_args_is_help=True, help="The models of the registry.")
app.add_typer(models_app, name="models")


@models_app.command("list")
def models_list(as_json: AsJson = False) -> None:
    """List the cards of all models."""
    from backend.models.registry import cards

    with workbench() as bench:
        made = [_card(bench, card) for card in cards(bench.config).values()]
        show(
            made,
            as_json,
            lambda rows: "\n".join(f"{c['name']:<24}{c['family']:<12}{c['source']:<9}{c['licence']:<30}{_state(c)}" for c in rows),
        )


@models_app.command("show")
def models_show(name: str, as_json: AsJson = False) -> None:
    """Show one card whole."""
    from backend.models.registry import get_card

    with workbench() as bench:
        show(_card(bench, get_card(name, bench.config)), as_json, lambda card: "\n".join(f"{key}: {value}" for key, value in card.items()))


@models_app.command("fetch")
def models_fetch(name: str, as_json: AsJson = False) -> None:
    """Fetch a model's weights: the one command that opens an outside connection, because you asked."""
    with workbench() as bench:
        with Bar(f"Fetching {name}") as bar:
            bench.runtime.fetch(name, bar, allow_network=not bench.config.offline_forced)
        show({"name": name, "present": bench.runtime.present(name)}, as_json, lambda made: f"{made['name']} is on this machine.")


@models_app.command("verify")
def models_verify(
    name: Annotated[str, typer.Argument(help="A model; all that are present when left out.")] = "", as_json: AsJson = False
) -> None:
    """Hash every file of a model again and compare with its card."""
    from backend.models.registry import cards

    with workbench() as bench:
        names = [name] if name else [card.name for card in cards(bench.config).values() if bench.runtime.present(card.name)]
        made = [{"name": each, **plain(bench.runtime.verify(each))} for each in names]
        show(made, as_json, lambda rows: "\n".join(f"{row['name']}: {'intact' if row['ok'] else 'DAMAGED'}" for row in rows))
        if not all(row["ok"] for row in made):
            raise typer.Exit(1)


def _card(bench: Workbench, card: ModelCard) -> dict[str, Json]:
    fit = bench.runtime.fits(card)
    made: dict[str, Json] = plain(card)
    made |= {
        "sha256": card.sha256,
        "fits": fit.ok,
        "fit_reason": fit.reason,
        "present": bench.runtime.present(card.name),
        "loaded": any(resident.name == card.name for resident in bench.runtime.loaded()),
    }
    return made


def _state(card: Mapping[str, Any]) -> str:
    return "present" if card["present"] else "to be fetched" if card["fits"] else "does not fit this machine"
