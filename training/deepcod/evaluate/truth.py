"""Ground truth: COCO JSON, the pictures that are really there, and which class is which category."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import DeepcodError


@dataclass(frozen=True)
class Truth:
    """Boxes of a data set, in the service's own class numbers.

    Attributes:
        name: of the data set (the annotation file's folder).
        images: {id, file_name, width, height} of each picture, in the file's order.
        annotations: {image_id, category_id (the service's class), bbox [x, y, w, h] in pixels, area, iscrowd}.
        classes: number of classes that the service knows; categories beyond them are left out, their pictures stay.
    """

    name: str
    images: list[dict[str, Any]]
    annotations: list[dict[str, Any]]
    classes: int

    def paths(self, folder: Path) -> list[Path]:
        """Where each picture lies."""
        return [folder / image["file_name"] for image in self.images]

    def only(self, names: Sequence[str]) -> Truth:
        """The pictures of these names, in their order."""
        by_name = {image["file_name"]: image for image in self.images}
        images = [by_name[name] for name in names]
        ids = {image["id"] for image in images}
        return Truth(self.name, images, [a for a in self.annotations if a["image_id"] in ids], self.classes)


def load_truth(file: Path, folder: Path, classes: Sequence[str] | int) -> Truth:
    """Read annotations for a service.

    A category is matched by its name where every class has a category of its name, else by its number: class i is
    the category with id i.

    Raises:
        DeepcodError: no COCO file, pictures that are missing, or no box of any class.
    """
    try:
        content = json.loads(file.read_text())
        images, raw = list(content["images"]), list(content["annotations"])
        categories = {c["id"]: str(c["name"]).lower() for c in content["categories"]}
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise DeepcodError(f"{file}: not a COCO annotation file: {error!r}") from error
    count = classes if isinstance(classes, int) else len(classes)
    names = [] if isinstance(classes, int) else [name.lower() for name in classes]
    by_name = {name: i for i, name in enumerate(names)}
    if names and set(names) <= set(categories.values()):
        number = {cid: by_name[name] for cid, name in categories.items() if name in by_name}
    else:
        number = {cid: cid for cid in categories if 0 <= cid < count}
    missing = [image["file_name"] for image in images if not (folder / image["file_name"]).is_file()]
    if missing:
        raise DeepcodError(f"{folder}: {len(missing)} of {len(images)} pictures are missing, {missing[0]} first")
    annotations = [
        {
            "id": index,
            "image_id": a["image_id"],
            "category_id": number[a["category_id"]],
            "bbox": a["bbox"],
            "area": a.get("area", a["bbox"][2] * a["bbox"][3]),
            "iscrowd": a.get("iscrowd", 0),
        }
        for index, a in enumerate(raw, 1)
        if a["category_id"] in number
    ]
    if not annotations:
        raise DeepcodError(
            f"{file}: no box of any of the service's {count} classes; its categories are {sorted(categories.values())}",
            "Class names of the service must equal category names, or class numbers category ids.",
        )
    return Truth(file.resolve().parent.name, images, annotations, count)
