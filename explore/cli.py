"""The ``explore`` command. Each command is a thin reading of its arguments; the work is done by what it imports."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal, NoReturn
from urllib.parse import quote

import typer
from rich.console import Console
from rich.progress import Progress, TaskID

from explore.bank_commands import app as bank_app
from explore.errors import ExploreError, ParameterError
from explore.memory import readable
from explore.version import __version__

app = typer.Typer(
    name="explore",
    help="Explore the visual tokens of vision-language models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

app.add_typer(bank_app, name="bank")

START = Path("notebooks") / "00_start_here.ipynb"

Checkpoint = Annotated[str | None, typer.Option("--model", help="Checkpoint folder or name; default: the shipped one.")]
Device = Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, mps; default: cuda if there, else cpu.")]
Dtype = Annotated[
    str | None,
    typer.Option(help="float32, bfloat16, float16, auto; default: float32 on cpu, auto elsewhere."),
]
DeviceMap = Annotated[
    str | None,
    typer.Option(help="auto, balanced, balanced_low_0, sequential: spread over all there is, in place of --device."),
]
Quantization = Annotated[str | None, typer.Option(help="8bit, 4bit: by bitsandbytes while loading.")]


def main() -> NoReturn:
    """Entry point: an expected error is one message on standard error and exit code 2, never a traceback."""
    try:
        app(prog_name="explore")
    except ExploreError as error:
        Console(stderr=True).print(f"explore: {error}", style="red", markup=False, highlight=False)
        sys.exit(2)
    sys.exit(0)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Explore the visual tokens of vision-language models."""


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(
    context: typer.Context,
    notebook: Annotated[Path | None, typer.Option(help="Notebook to open; default: the first one.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; default: the first free one from 8888.")] = None,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
) -> None:
    """Start JupyterLab on a notebook. Further options go to Jupyter as they are."""
    if find_spec("jupyterlab") is None:
        raise ParameterError(
            "JupyterLab is not installed here", "It comes with the extra 'lab'", "Run pip install 'vlmscope[lab]'."
        )
    target = _notebook(notebook)
    root = _root_of(target)
    # Not the notebook as argument: then the address printed for those without a browser here would not lead to it.
    page = f"/lab/tree/{quote(target.relative_to(root).as_posix())}"
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={root}", f"--LabApp.default_url={page}"]
    if port is not None:
        command += ["--port", str(port)]
    if not browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # containers; Jupyter refuses root otherwise
        command.append("--allow-root")
    os.execv(command[0], command + context.args)


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    families: Annotated[bool, typer.Option("--families", help="Show what works with which model type.")] = False,
) -> None:
    """Say what this machine has, what would not work here, and what to install."""
    if families:
        _families(as_json)
        return
    from explore.doctor import healthy, report
    from explore.doctor.drawing import draw

    checks = report()
    if as_json:
        typer.echo(json.dumps({"healthy": healthy(checks), "checks": [check.to_json() for check in checks]}, indent=2))
    else:
        Console().print(draw(checks))
    raise typer.Exit(0 if healthy(checks) else 1)


def _families(as_json: bool) -> None:
    from explore.doctor.families import draw_families, measured_with, support_table

    rows = support_table()
    if as_json:
        typer.echo(json.dumps({row.model_type: row.to_json() for row in rows}, indent=2))
        return
    Console().print(draw_families(rows))
    typer.echo(f"Measured on tiny random models with transformers {measured_with()}.")


@app.command()
def ask(
    image: Annotated[Path, typer.Argument(help="A picture file.")],
    question: Annotated[str, typer.Argument(help="What to ask about it.")],
    save: Annotated[Path | None, typer.Option(help="Keep the recorded run in this file.")] = None,
    model: Checkpoint = None,
    device: Device = None,
    dtype: Dtype = None,
    device_map: DeviceMap = None,
    quantization: Quantization = None,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="Longest answer, in tokens.")] = 64,
) -> None:
    """Ask one question about one picture and print the answer."""
    import explore

    runner = explore.load(model, device=device, dtype=dtype, device_map=device_map, quantization=quantization)
    trace = runner.ask(image, question, max_new_tokens=max_new_tokens)
    typer.echo(trace.answer)
    if save is not None:
        trace.save(save)
        typer.echo(f"Recorded run saved in {save}", err=True)


@app.command()
def export(
    trace: Annotated[Path, typer.Argument(help="A recorded run, as trace.save() or `explore ask --save` wrote it.")],
    page: Annotated[Path, typer.Argument(help="The HTML file to write.")],
    title: Annotated[str | None, typer.Option(help="Heading of the page; default: the question.")] = None,
) -> None:
    """Write the views of a recorded run as one page that works offline, without Python."""
    import explore
    from widgets import Workbench

    written = Workbench(explore.open_trace(trace)).save_html(page, title=title)
    typer.echo(f"{written}: {readable(written.stat().st_size)}")


@app.command()
def exam(
    scenes: Annotated[int, typer.Option(min=1, help="Scenes to draw, from seeds never trained on.")] = 1000,
    model: Annotated[list[str] | None, typer.Option(help="Which of the two shipped models; default: both.")] = None,
    device: Device = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the marks as JSON.")] = False,
) -> None:
    """Examine the shipped models on scenes they have never seen. Exit code 1 where a mark misses its floor."""
    import explore
    from explore.sketch.exams import FLOORS, compare, run_exam

    wanted = model or list(FLOORS)
    if unknown := [name for name in wanted if name not in FLOORS]:
        raise ParameterError(
            f"--model {unknown[0]} was given", f"The exam is made for {' and '.join(FLOORS)}", "Leave it out for both."
        )
    results = []
    with Progress(console=Console(stderr=True), transient=True) as bars:
        for name in wanted:
            bar = bars.add_task(name, total=1.0)
            runner = explore.load(name, device=device)
            results.append(run_exam(runner, scenes, checkpoint=name, progress=_report_to(bars, bar, name)))
    typer.echo(json.dumps([each.to_json() for each in results], indent=2) if as_json else compare(results))
    raise typer.Exit(0 if all(each.passed for each in results) else 1)


@app.command()
def sweep(
    scenes: Annotated[int, typer.Option(min=1, help="Scenes of the sketch world, from seeds never trained on.")] = 100,
    data: Annotated[Path | None, typer.Option(help="A folder in the COCO format instead of scenes.")] = None,
    method: Annotated[list[str] | None, typer.Option(help="Such as tam or tam:eci=false; default: all.")] = None,
    metric: Annotated[list[str] | None, typer.Option(help="Default: those that compare with the truth.")] = None,
    substrate: Annotated[Literal["blocked", "blurred"], typer.Option(help="How patches are taken away.")] = "blocked",
    folder: Annotated[Path, typer.Option(help="Keeps the scores; a stopped sweep goes on.")] = Path("runs/map-scores"),
    part: Annotated[str, typer.Option(help="NUMBER/COUNT: this process's share, counted from 0.")] = "0/1",
    order: Annotated[str | None, typer.Option(help="Metric to sort the table by.")] = None,
    model: Checkpoint = None,
    device: Device = None,
    dtype: Dtype = None,
    device_map: DeviceMap = None,
    quantization: Quantization = None,
) -> None:
    """Score map methods on pictures whose truth is known, and print the table."""
    import explore
    from explore.bench import EVERY_METHOD, markdown_scores, score_maps
    from explore.bench.data import CocoFolder, SketchScenes
    from explore.bench.metrics import METRICS
    from explore.bench.spelling import spelled

    examples = SketchScenes(scenes, style="scene") if data is None else CocoFolder(data, own_words=True)
    methods = {text: spelled(text, explore.maps.METHODS) for text in method or EVERY_METHOD}
    metrics = {text: spelled(text, METRICS) for text in metric} if metric else None
    runner = explore.load(model, device=device, dtype=dtype, device_map=device_map, quantization=quantization)
    with Progress(console=Console(stderr=True), transient=True) as bars:
        report = _report_to(bars, bars.add_task("maps", total=1.0), "maps")
        scores = score_maps(
            runner,
            methods,
            examples,
            metrics=metrics,
            substrate=substrate,
            folder=folder,
            part=_share(part),
            progress=report,
        )
    typer.echo(markdown_scores(scores, order=order))


@app.command()
def lens_scores(
    scenes: Annotated[int, typer.Option(min=2, help="Scenes of the sketch world, from seeds never trained on.")] = 100,
    data: Annotated[Path | None, typer.Option(help="A folder in the COCO format instead of scenes.")] = None,
    lens: Annotated[list[str] | None, typer.Option(help="Such as logit or latent:centred=true; default: all.")] = None,
    corpus: Annotated[Path | None, typer.Option(help="Texts for banks: a text or Parquet file.")] = None,
    bank_layers: Annotated[str | None, typer.Option(help="Layers of the bank, such as 1,8; default: a rule.")] = None,
    folder: Annotated[Path, typer.Option(help="Keeps banks and scores; a stopped run goes on.")] = Path(
        "runs/lens-scores"
    ),
    part: Annotated[str, typer.Option(help="NUMBER/COUNT: this process's share, counted from 0.")] = "0/1",
    as_json: Annotated[bool, typer.Option("--json", help="Print all tables as JSON.")] = False,
    model: Checkpoint = None,
    device: Device = None,
    dtype: Dtype = None,
    device_map: DeviceMap = None,
    quantization: Quantization = None,
) -> None:
    """Score lenses on pictures whose truth is known: how often a visual token says what it shows."""
    import explore
    from explore.bench.data import CocoFolder, SketchScenes
    from explore.bench.lens_scores import score_lens
    from explore.bench.lens_setups import EVERY_LENS, made_lenses
    from explore.lens.corpus_files import open_corpus

    examples = SketchScenes(scenes) if data is None else CocoFolder(data, own_words=True)
    texts = None if corpus is None else open_corpus(corpus)
    layers = None if bank_layers is None else _layers(bank_layers)
    runner = explore.load(model, device=device, dtype=dtype, device_map=device_map, quantization=quantization)
    with Progress(console=Console(stderr=True), transient=True) as bars:
        report = _report_to(bars, bars.add_task("lenses", total=1.0), "lenses")
        made, again = made_lenses(runner, lens or EVERY_LENS, folder, texts, bank_layers=layers, progress=report)
        found = score_lens(
            runner,
            made,
            examples,
            again=again,
            record=explore.RecordingPlan(attention="none", columns=False, logits="none"),
            folder=folder,
            part=_share(part),
            progress=report,
        )
    typer.echo(json.dumps(found.to_json(), indent=2) if as_json else found.report())


def _layers(text: str) -> list[int]:
    if not all(each.strip().isdigit() for each in text.split(",")):
        raise ParameterError(f"--bank-layers {text} was given", "It is numbers with commas, such as 1,8,16.")
    return [int(each) for each in text.split(",")]


def _share(text: str) -> tuple[int, int]:
    number, slash, count = text.partition("/")
    if not (slash and number.isdigit() and count.isdigit()):
        raise ParameterError(f"--part {text} was given", "It is NUMBER/COUNT, such as 0/2.")
    return int(number), int(count)


def _report_to(bars: Progress, bar: TaskID, name: str) -> Callable[[float | None, str], None]:
    def report(fraction: float | None, message: str) -> None:
        bars.update(bar, completed=fraction, description=f"{name}: {message}")

    return report


def _notebook(wanted: Path | None) -> Path:
    """The notebook to open: the one asked for, or the first one, from the working folder or beside the sources."""
    places = [wanted] if wanted is not None else [START, Path(__file__).parents[1] / START]
    for place in places:
        if place.is_file():
            return place.resolve()
    raise ParameterError(
        f"There is no notebook at {' or '.join(str(place) for place in places)}",
        "A path to an .ipynb file is expected",
        "Run this in a clone of the repository, or name one with --notebook.",
    )


def _root_of(notebook: Path) -> Path:
    """The folder Jupyter shows: the repository of one of its notebooks, else the notebook's own folder."""
    folder = notebook.parent
    return folder.parent if folder.name == START.parent.name else folder


if __name__ == "__main__":
    main()
