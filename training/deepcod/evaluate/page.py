"""The section of a Markdown page that shows a report: written anew between its markers, no figure is typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import DeepcodError

_NAMES = {"jpeg": "JPEG", "webp": "WebP", "avif": "AVIF", "ours": "ours", "paper": "paper's form"}


def update_page(page: Path, json: Path, report: dict[str, Any]) -> None:
    """Write the section of a report of `deepcod rate` anew; see `replace_section`."""
    replace_section(page, json, section(json, report))


def replace_section(page: Path, json: Path, content: str) -> None:
    """Replace what lies between `<!-- begin NAME.json -->` and `<!-- end NAME.json -->` in a page.

    Raises:
        DeepcodError: the page lacks the markers.
    """
    begin, end = f"<!-- begin {json.name} -->", f"<!-- end {json.name} -->"
    text = page.read_text()
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise DeepcodError(f"{page}: has no section for {json.name}", f"Put {begin} and {end} where it shall stand.")
    before, after = text[: text.index(begin) + len(begin)], text[text.index(end) :]
    page.write_text(f"{before}\n{content}\n{after}")


def section(json: Path, report: dict[str, Any]) -> str:
    """Plot and tables of a report in `json`, which lies beside the page."""
    uncompressed, machine, versions = report["uncompressed"], report["machine"], report["versions"]
    title = f"Accuracy over KB per picture, {report['service']} on {report['dataset']}"
    facts = (
        f"Service `{report['service']}` on {report['images']} pictures of {report['dataset']} "
        f"({report['boxes']} boxes). "
        f"Uncompressed: AP {uncompressed['ap']:.3f}, AP50 {uncompressed['ap50']:.3f}, {uncompressed['kb']:.1f} KB, "
        f"{uncompressed['network_ms']:.0f} ms for the network. Intervals: {report['interval']}, seed {report['seed']}. "
        f"{'A quick check, not a measurement. ' if report['quick'] else ''}"
        f"Machine: {machine['cpu']}, one thread; sharp {versions['sharp']}, ONNX Runtime {versions['onnxruntime']}. "
        f"JSON: [{json.name}]({json.name}). Command:"
    )
    parts = [f"![{title}]({json.with_suffix('.svg').name})", facts, f"    {report['command']}", _needed(report)]
    if report["bd_rate"]:
        parts.append(_bd_rates(report))
    return "\n" + "\n\n".join([*parts, _rows(report)]) + "\n"


def _name(method: str, partition: str | None) -> str:
    return _NAMES[method] + (f", `{partition}`" if partition else "")


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _needed(report: dict[str, Any]) -> str:
    """KB for each share of the uncompressed AP, a row for each curve."""
    shares = list(dict.fromkeys(n["share"] for n in report["kb_needed"]))
    names = list(dict.fromkeys((n["method"], n["partition"]) for n in report["kb_needed"]))
    cells = {(n["method"], n["partition"], n["share"]): _need(n) for n in report["kb_needed"]}
    rows = [[_name(*name), *(cells[(*name, share)] for share in shares)] for name in names]
    return table(["codec", *(f"KB for {100 * share:g}% of the uncompressed AP" for share in shares)], rows)


def _need(need: dict[str, Any]) -> str:
    if need["kb"] is None:
        return "not reached"
    text = f"{'at most ' if need['or_less'] else ''}{need['kb']:.1f}"
    return text if need["interval"] is None else f"{text} [{need['interval'][0]:.1f}, {need['interval'][1]:.1f}]"


def _bd_rates(report: dict[str, Any]) -> str:
    """BD-rate, a row for each of our curves and a column for each reference."""
    references = list(dict.fromkeys((b["reference"], b["reference_partition"]) for b in report["bd_rate"]))
    names = list(dict.fromkeys((b["method"], b["partition"]) for b in report["bd_rate"]))
    cells = {
        (b["method"], b["partition"], b["reference"], b["reference_partition"]): _percent(b) for b in report["bd_rate"]
    }
    rows = [[_name(*name), *(cells[(*name, *reference)] for reference in references)] for name in names]
    return table(["bytes at equal AP (BD-rate)", *(f"against {_name(*r)}" for r in references)], rows)


def _percent(rate: dict[str, Any]) -> str:
    if rate["percent"] is None:
        return "no AP in common"
    text = f"{rate['percent']:+.0f}%"
    return text if rate["interval"] is None else f"{text} [{rate['interval'][0]:+.0f}, {rate['interval'][1]:+.0f}]"


def _rows(report: dict[str, Any]) -> str:
    """Every row measured."""
    head = ["codec", "rate", "KB", "AP", "AP50", "AP / uncompressed", "encode ms", "decode ms", "network ms"]
    rows = []
    for row in report["rows"]:
        low, high = row["ap_relative_interval"]
        image = row["partition"] is None
        rows.append(
            [
                _name(row["method"], row["partition"]),
                f"q{row['rate']}" if image else str(row["rate"]),
                f"{row['kb']:.1f}",
                f"{row['ap']:.3f}",
                f"{row['ap50']:.3f}",
                f"{row['ap_relative']:.3f} [{low:.3f}, {high:.3f}]",
                *(f"{row[key]:.1f}" for key in ("encode_ms", "decode_ms", "network_ms")),
            ]
        )
    return table(head, rows)
