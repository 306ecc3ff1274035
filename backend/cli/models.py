"""Commands on the models of the registry."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backend.cli.models_text import card_json, found_json, listing, measured_text
from backend.cli.shared import AsJson, app, plain, show, workbench
from backend.errors import InputError, ModelError
from backend.progress import Bar

models_app = typer.Typer(no_args_is_help=True, help="The models of the registry.")
app.add_typer(models_app, name="models")


@models_app.command("list")
def models_list(as_json: AsJson = False) -> None:
    """List the cards of all models by family: source, licence, parameters, fit on this machine, state and tasks."""
    from backend.models.registry import cards

    with workbench() as bench:
        made = sorted((card_json(bench, card) for card in cards(bench.config).values()), key=lambda card: str(card["family_title"]).lower())
        show(made, as_json, listing)


@models_app.command("show")
def models_show(name: str, as_json: AsJson = False) -> None:
    """Show one card whole."""
    from backend.models.registry import get_card

    with workbench() as bench:
        made = card_json(bench, get_card(name, bench.config))
        show(made, as_json, lambda card: "\n".join(f"{key}: {value}" for key, value in card.items()))


@models_app.command("fetch")
def models_fetch(
    name: str,
    accept_licence: Annotated[bool, typer.Option("--accept-licence", help="You agree to a licence that forbids commercial use.")] = False,
    afresh: Annotated[
        bool, typer.Option("--afresh", help="Forget which bytes came at the first fetch; take what the hub has now.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Fetch a model's weights: the one command that opens an outside connection, because you asked."""
    from backend.models.licence import require_consent
    from backend.models.received import forget
    from backend.models.registry import get_card

    with workbench() as bench:
        require_consent(get_card(name, bench.config), accept_licence)
        if afresh:
            bench.runtime.remove(name)
            forget(bench.config, name)
        with Bar(f"Fetching {name}") as bar:
            bench.runtime.fetch(name, bar, allow_network=not bench.config.offline_forced)
        card = card_json(bench, get_card(name, bench.config))
        made = {key: card[key] for key in ("name", "present", "revision", "sha256", "hashes")}
        show(made, as_json, lambda made: f"{made['name']} is on this machine. {made['hashes']}")


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


@models_app.command("recognise")
def models_recognise(folder: Path, as_json: AsJson = False) -> None:
    """Say which families take a folder for one of theirs; nothing of it is run."""
    from backend.models.registry import recognise

    made = [found_json(folder, *pair) for pair in recognise(folder)]
    if not made and not as_json:
        raise _untaken(folder)
    show(made, as_json, lambda rows: "\n".join(f"{row['family']}: {row['title']}; {row['why']}; {', '.join(row['tasks'])}" for row in rows))


@models_app.command("add")
def models_add(
    folder: Path,
    family: Annotated[str, typer.Option(help="Its family; recognised when left out.")] = "",
    accept_licence: Annotated[bool, typer.Option("--accept-licence", help="You agree to a licence that forbids commercial use.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add a folder with a checkpoint of yours; it is used where it lies, and nothing of it leaves this machine."""
    from backend.models.added import renamed
    from backend.models.licence import require_consent
    from backend.models.registry import add_local, families

    with workbench() as bench:
        chosen = family or _recognised(folder)
        if own := families().get(chosen):
            require_consent(own.pattern, accept_licence, title=own.title, act="add")
        card = add_local(bench.config, folder, chosen)
        show(
            card_json(bench, card) | {"renamed": renamed(card)},
            as_json,
            lambda made: (
                f"{made['name']} was added as {made['family_title']}; it serves {', '.join(made['tasks'])}."
                + (f" {made['renamed']}" if made["renamed"] else "")
                + (" UNTRAINED: for testing the loader." if made["untrained"] else "")
            ),
        )


@models_app.command("remove")
def models_remove(name: str, as_json: AsJson = False) -> None:
    """Delete a model's files; an added folder is only forgotten and stays as it is."""
    with workbench() as bench:
        bench.runtime.remove(name)
        show({"removed": name}, as_json, lambda made: f"{made['removed']} was removed.")


@models_app.command("measure")
def models_measure(
    name: str,
    lengths: Annotated[str, typer.Option(help="Lengths with commas between; an eighth, a half and the whole window when left out.")] = "",
    batches: Annotated[str, typer.Option(help="How many at once, with commas between; 1,4 when left out.")] = "",
    as_json: AsJson = False,
) -> None:
    """Measure a model's peak memory on this machine, by length and batch, in a process of its own; fits are judged by it from then on."""
    from backend.models.measure import measure

    with workbench() as bench:
        with Bar(f"Measuring {name}") as bar:
            found = measure(bench.config, name, bar, _numbers(lengths, "--lengths"), _numbers(batches, "--batches"))
        show({"name": name, **plain(found), "peak_bytes": found.peak_bytes}, as_json, measured_text)


def _numbers(text: str, option: str) -> list[int]:
    try:
        found = [int(each) for each in text.split(",") if each.strip()]
    except ValueError:
        found = [0]
    if any(number < 1 for number in found):
        raise InputError(f"'{option} {text}' is not a list of numbers from 1.", f"Write {option} 64,512.")
    return found


def _recognised(folder: Path) -> str:
    from backend.models.registry import recognise

    found = recognise(folder)
    if not found:
        raise _untaken(folder)
    surest = [family.name for family, each in found if each.certainty == found[0][1].certainty]
    if len(surest) > 1:
        raise InputError(
            f"{folder} could be of several families: {', '.join(surest)}.", f"Say which: bioloom models add {folder} --family {surest[0]}"
        )
    return surest[0]


def _untaken(folder: Path) -> ModelError:
    from backend.models.registry import refusals, unusable

    if not folder.expanduser().is_dir():
        return ModelError(f"There is no folder {folder}.", "Give the folder that holds the checkpoint's files.")
    return unusable(folder.expanduser(), [error for _, error in refusals(folder)]) or ModelError(
        f"No family takes {folder} for one of its own.", "See that weights, settings and vocabulary are all there, or name the --family."
    )
