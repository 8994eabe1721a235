"""`explore bank`: banks of contextual text states. Light to import: what computes is imported when a command runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.progress import Progress

from explore.bank_search_command import bank_search

app = typer.Typer(name="bank", help="Banks of text states: build, inspect and search.", no_args_is_help=True)
app.command("search")(bank_search)

Folder = Annotated[Path, typer.Argument(help="The bank's folder.")]


@app.command()
def build(
    corpus: Annotated[Path, typer.Argument(help="A text file, one sentence a line, or a Parquet file.")],
    path: Folder,
    column: Annotated[str | None, typer.Option(help="Column of texts of a Parquet file.")] = None,
    model: Annotated[str | None, typer.Option(help="Checkpoint folder or name; default: the shipped one.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, mps; default: cuda if there.")] = None,
    model_dtype: Annotated[str | None, typer.Option(help="Number type of the model, such as bfloat16.")] = None,
    layers: Annotated[str | None, typer.Option(help="Such as 1,8,16; default: by the paper's rule.")] = None,
    cap: Annotated[int | None, typer.Option(help="Most rows of a token; default: 20, as published 50.")] = None,
    seed: Annotated[int, typer.Option(help="Another seed draws other rows.")] = 0,
    dtype: Annotated[Literal["float16", "int8"], typer.Option(help="How rows are stored.")] = "float16",
    mode: Annotated[Literal["default", "reference"], typer.Option(help="reference: select as published.")] = "default",
    batch_tokens: Annotated[int, typer.Option(help="Most tokens of one forward pass.")] = 4096,
) -> None:
    """Store states of a corpus; a stopped build goes on where it was."""
    import explore
    from explore.lens.bank_building import build_bank
    from explore.lens.corpus_files import open_corpus

    sentences, wanted = open_corpus(corpus, column), None if layers is None else _numbers(layers)
    runner = explore.load(model, device=device, dtype=model_dtype)
    with Progress(console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task("bank", total=1.0)
        bank = build_bank(
            runner,
            sentences,
            path,
            layers=wanted,
            cap=cap,
            seed=seed,
            dtype=dtype,
            mode=mode,
            batch_tokens=batch_tokens,
            progress=lambda share, message: bars.update(bar, completed=share, description=f"bank: {message}"),
        )
    typer.echo(f"{path}: {bank.rows} rows in each of layers {', '.join(map(str, bank.layers))}")


@app.command()
def info(
    path: Folder,
    verify: Annotated[bool, typer.Option("--verify", help="Read every file and compare its checksum.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest.")] = False,
) -> None:
    """Say what a bank holds and what made it."""
    from explore.lens.banks import open_bank

    bank = open_bank(path)
    if verify:
        bank.verify()
    if as_json:
        typer.echo(json.dumps(bank.manifest, indent=1, ensure_ascii=False))
        return
    for name, value in bank.info().items():
        typer.echo(f"{name:>12}: {_line(value)}")
    if verify:
        typer.echo(f"All {len(bank.manifest['files'])} files are as they were written.")


def _numbers(text: str) -> list[int]:
    from explore.errors import ParameterError

    try:
        return [int(each) for each in text.split(",")]
    except ValueError as error:
        raise ParameterError(f"--layers {text} was given", "It is numbers with commas, such as 1,8,16.") from error


def _line(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {number:.4g}" for name, number in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
