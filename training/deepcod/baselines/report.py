"""From what was measured to the report, docs/results/baselines-NAME.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DeepcodError
from ..evaluate.ap import Drawn, comparison, resamples
from ..evaluate.truth import Truth

#: Methods of bench/rate's report that are shown beside; image codecs have a quality, ours a rate.
IMAGE_CODECS = ("jpeg", "webp", "avif")


class Scorer:
    """Scores detections against those of the uncompressed service, on the same draws of pictures."""

    def __init__(self, truth: Truth, reference: list[list[dict[str, Any]]], count: int, seed: int) -> None:
        self._truth = truth
        self.weights = resamples(len(truth.images), count, seed)
        self._reference = self._drawn(reference)
        if not self._reference.point[0] > 0:
            raise DeepcodError(
                f"the service finds nothing on {truth.name}, even uncompressed: there is no accuracy to keep",
                "Do the annotations belong to these pictures, and their categories to this service?",
            )

    def uncompressed(self) -> dict[str, Any]:
        """{ap, ap50, ap_interval, ap50_interval}."""
        return _accuracy(self._reference.scores())

    def row(self, measured: dict[str, Any]) -> dict[str, Any]:
        """Size and accuracy of one way."""
        versus = comparison(self._reference, self._drawn(measured["detections"]))
        sizes = np.array(measured["bytes"], float) / 1024
        return {
            "kb": round(float(sizes.mean()), 3),
            **_accuracy(versus.other),
            "ap_relative": round(versus.ap_relative.value, 5),
            "ap_relative_interval": versus.ap_relative.as_list()[1:],
            "kb_images": [round(float(s), 3) for s in sizes],
        }

    def _drawn(self, found: list[list[dict[str, Any]]]) -> Drawn:
        flat = [
            {"image_id": image["id"], **d}
            for image, boxes in zip(self._truth.images, found, strict=True)
            for d in boxes
        ]
        return Drawn(self._truth, flat, self.weights)


def _accuracy(scores: Any) -> dict[str, Any]:
    return {
        "ap": round(scores.ap.value, 5),
        "ap50": round(scores.ap50.value, 5),
        "ap_interval": scores.ap.as_list()[1:],
        "ap50_interval": scores.ap50.as_list()[1:],
    }


def rate_rows(
    file: Path, service: str, dataset: str, network_ms: float
) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """Rows of bench/rate's report in this report's form, and {network_ms, factor} of their times.

    It was measured in another run: its times are multiplied by `factor`, such that the uncompressed service takes
    `network_ms` in both. `kb_images` is empty where the report, an older one, has no sizes by picture.

    Raises:
        DeepcodError: the report is of another service or data set, or a quick check.
    """
    report = json.loads(file.read_text())
    if (report["service"], report["dataset"], report["quick"]) != (service, dataset, False):
        what = f"{report['service']} on {report['dataset']}{', a quick check' if report['quick'] else ''}"
        raise DeepcodError(f"{file}: is of {what}", f"Give the report of {service} on {dataset}, measured in full.")
    theirs = report["uncompressed"]["network_ms"]
    factor = network_ms / theirs
    rows = [
        {
            "method": row["method"],
            "partition": row["partition"] or "input",
            "setting": f"q{row['rate']}" if row["method"] in IMAGE_CODECS else f"rate {row['rate']}",
            **{k: row[k] for k in ("kb", "ap", "ap50", "ap_interval", "ap_relative", "ap_relative_interval")},
            "device_ms": round(factor * row["encode_ms"], 3),
            "edge_ms": round(factor * (row["decode_ms"] + row["network_ms"]), 3),
            "kb_images": row.get("kb_images", []),
        }
        for row in report["rows"]
    ]
    return rows, {"network_ms": theirs, "factor": round(factor, 4)}
