"""`deepcod links`: plots and the page's section for what `npm run bench:links` measured."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ..errors import DeepcodError
from .links_page import section
from .page import replace_section


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `links`."""
    p = commands.add_parser("links", help="plots and page of `npm run bench:links`", description=__doc__)
    p.add_argument("report", type=Path, help="JSON written by bench/links.ts; the plots go beside it")
    p.add_argument("--page", type=Path, help="Markdown page with a section for the report")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Draw, write."""
    from .links_plot import draw  # here: no other command should wait for matplotlib

    report = json.loads(args.report.read_text())
    if not report.get("rows"):
        raise DeepcodError(f"{args.report}: has no rows", "Write it with npm run bench:links.")
    drawn = draw(report, args.report)
    if args.page:
        replace_section(args.page, args.report, section(args.report, report, drawn))
    print(f"{args.report}: {', '.join(file.name for file in drawn)}")
    return 0
