"""The command `dhu`: a thin face over `Engine`. Data on stdout, progress and messages on stderr.

Exit codes: 0 fine, 1 findings, 2 usage, 3 bad input, 4 remote failure.
"""

import os
import sys

import typer

from dhu_graph import __version__
from dhu_graph.cli import bringing, contributing, linking, quality, reading, releases, serving, vocabulary
from dhu_graph.errors import DhuError

app = typer.Typer(
    name="dhu",
    help="The radar of digital-health uptake in Europe: build it, search it, query it, serve it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    data: str = typer.Option(None, "--data", metavar="FOLDER", help="Data folder [default: dhu-data]."),
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version."
    ),
) -> None:
    context.obj = {"data": data}


bringing.add_to(app)
reading.add_to(app)
releases.add_to(app)
serving.add_to(app)
linking.add_to(app)
vocabulary.add_to(app)
contributing.add_to(app)
quality.add_to(app)


def main() -> None:
    """Runs the command; every error that we can explain is shown in words, never as a traceback."""
    try:
        app()
    except DhuError as error:
        print(f"dhu: {error.detail}", file=sys.stderr)
        if error.hint:
            print(f"     {error.hint}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except BrokenPipeError:
        # The reader of a pipe has gone (`dhu export | head`): that is no error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
