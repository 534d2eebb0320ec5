"""The command line: `python -m deepcod COMMAND`. A new command is one module and one line below."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from . import __version__
from .errors import DeepcodError

#: Modules that add commands. Each has register(commands): it adds its parser and sets `run(args) -> exit code`.
COMMANDS = [
    "deepcod.importing.command",
    "deepcod.codec.command",
    "deepcod.export.command",
    "deepcod.graph.command",
    "deepcod.evaluate.command",
    "deepcod.evaluate.clips",
    "deepcod.evaluate.decisions",
    "deepcod.evaluate.edge",
    "deepcod.evaluate.links",
    "deepcod.evaluate.variants",
    "deepcod.privacy.command",
    "deepcod.baselines.command",
]


def parser() -> argparse.ArgumentParser:
    """The parser with every command registered."""
    top = argparse.ArgumentParser(prog="deepcod", description="Toolkit for deep compressive offloading.")
    top.add_argument("--version", action="version", version=f"deepcod {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in COMMANDS:
        importlib.import_module(module).register(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Exit codes: 0 done, 2 wrong usage or input, 3 bundle, 1 unexpected, 130 interrupted."""
    args = parser().parse_args(argv)
    try:
        return int(args.run(args) or 0)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except DeepcodError as error:
        print(f"deepcod {args.command}: {error}", file=sys.stderr)
        if error.hint:
            print(f"  {error.hint}", file=sys.stderr)
        return error.exit_code
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        print(f"deepcod {args.command}: {error.filename or ''}: {error.strerror or error}", file=sys.stderr)
        return 2
    except (ValueError, NotImplementedError) as error:
        print(f"deepcod {args.command}: {error}", file=sys.stderr)
        return 2
