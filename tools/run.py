"""Build the radar, show one search and one SPARQL answer, then serve: what `make run` does.

    python tools/run.py [--port PORT] [--no-serve]

The commands are those a person can type; they run in one process, because loading the model is what takes the time.
"""

import argparse
import shlex
import sys

from dhu_graph.cli import main as dhu

SHOWN = (
    'search "telemonitoring for people with heart failure in rural areas" --limit 3',
    "query coverage-by-country --limit 10",
)


def run(command: str) -> int:
    """Runs one `dhu` command and returns its exit code."""
    print(f"$ dhu {command}", flush=True)
    sys.argv = ["dhu", *shlex.split(command)]
    try:
        dhu()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    finally:
        print(flush=True)
    return 0


def main() -> int:
    """The exit code of the first command that failed, or 0."""
    parser = argparse.ArgumentParser(description="Build, show and serve the radar.")
    parser.add_argument("--port", default="8000")
    parser.add_argument("--no-serve", action="store_true")
    options = parser.parse_args()
    # 1 says that a person should look at something, and it has been told what; the radar is there all the same.
    if (code := run("build")) > 1:
        return code
    commands = [*SHOWN, *([] if options.no_serve else [f"serve --port {options.port}"])]
    for command in commands:
        if code := run(command):
            return code
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
