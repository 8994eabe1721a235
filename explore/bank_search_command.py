"""`explore bank search`: what in a bank is most like the states of a text. Light to import, as all commands are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.progress import Progress

from explore.errors import ParameterError

if TYPE_CHECKING:
    from explore.lens.banks import Bank

_AROUND = 30  # characters shown on either side of a token


def bank_search(
    path: Annotated[Path, typer.Argument(help="The bank's folder.")],
    text: Annotated[str, typer.Argument(help="Its last token's state is looked up.")],
    k: Annotated[int, typer.Option(min=1, help="Neighbours to show.")] = 5,
    layers: Annotated[str | None, typer.Option(help="Layers of the bank to search, such as 1,8; default: all.")] = None,
    at: Annotated[int | None, typer.Option(help="Layer to take the text's state from; default: a middle one.")] = None,
    every: Annotated[bool, typer.Option("--every", help="Look up every token of the text, not only the last.")] = False,
    centred: Annotated[bool, typer.Option("--centred", help="Compare as seen from the mean of each layer.")] = False,
    backend: Annotated[str, typer.Option(help="exact, signs, faiss or lance.")] = "exact",
    model: Annotated[str | None, typer.Option(help="Checkpoint folder or name; default: the shipped one.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, mps; default: cuda if there.")] = None,
) -> None:
    """Print the rows of a bank that are most like a text's last token, with the sentences they come from."""
    import explore
    from explore.lens.banks import open_bank
    from explore.lens.searching import search_bank

    wanted = None if layers is None else _numbers(layers)
    runner = explore.load(model, device=device)
    bank = open_bank(path, runner)
    taken = bank.layers[len(bank.layers) // 2] if at is None else at
    said, states = _states(runner.language, text, taken, every)
    with Progress(console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task("search", total=1.0)
        found = search_bank(
            bank,
            states,
            k,
            backend=backend,
            layers=wanted,
            centred=centred,
            progress=lambda share, message: bars.update(bar, completed=share, description=message),
        )
    for number, token in enumerate(said):
        typer.echo(f"{token!r}, state of layer {taken}")
        for similarity, layer, row in zip(
            found.similarities[number], found.layers[number], found.rows[number], strict=True
        ):
            typer.echo(f"  {similarity:6.3f}  L{layer:<3} {_shown(bank, int(row))}")
    typer.echo(f"{found.quality}: {found.method}", err=True)


def _states(language: Any, text: str, layer: int, every: bool) -> tuple[list[str], Any]:
    """Tokens to look up, without control tokens, and their states (tokens, width)."""
    tokens = language.tokenize([text])[0]
    places = np.flatnonzero(~tokens.special)
    if not len(places):
        raise ParameterError(f"The text {text!r} has no token to look up", "", "Give at least one word.")
    places = places if every else places[-1:]
    return language.token_texts(tokens.ids[places]), language.states([tokens.ids], [layer], [places])[layer]


def _shown(bank: Bank, row: int) -> str:
    """A row's sentence, its token in brackets, cut to what is around it."""
    sentence, span = bank.sentence(row), bank.span(row)
    if span is None:
        return f"[{bank.token_texts[row]}] in: {sentence[: 2 * _AROUND]}"
    first, last = span
    begin, end = max(0, first - _AROUND), min(len(sentence), last + _AROUND)
    before, after = ("…" if begin else ""), ("…" if end < len(sentence) else "")
    return f"{before}{sentence[begin:first]}[{sentence[first:last]}]{sentence[last:end]}{after}"


def _numbers(text: str) -> list[int]:
    try:
        return [int(each) for each in text.split(",")]
    except ValueError as error:
        raise ParameterError(f"--layers {text} was given", "It is numbers with commas, such as 1,8,16.") from error
