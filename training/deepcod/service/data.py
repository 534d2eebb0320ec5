"""The training set in one file, and the same set as tensors on a device.

`pack` reads COCO folders, restores the photos (upright.py), leaves out those that show an evaluation picture
(leak.py), splits by near-duplicate group, and writes one .npz of compressed pictures and boxes. `load`
decodes it to the tensors that augment.py works on.
"""

from __future__ import annotations

import argparse
import io
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import torch

from .augment import Pictures
from .model import INPUT, PAD

TRAIN, HELD_OUT = 0, 1
PHOTO, SIMULATED = 0, 1


def fit(picture: np.ndarray, boxes: np.ndarray, side: int = INPUT) -> tuple[np.ndarray, np.ndarray]:
    """Shrink or grow a picture and its boxes so that its long side is `side` (the letterbox's content)."""
    height, width = picture.shape[:2]
    scale = min(side / width, side / height)
    w, h = max(1, int(width * scale)), max(1, int(height * scale))
    if (w, h) == (width, height):
        return picture, boxes
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(picture, (w, h), interpolation=method), boxes * np.float32([w / width, h / height] * 2)


def letterbox(picture: np.ndarray, side: int = INPUT) -> np.ndarray:
    """A picture whose long side is at most `side`, in the top-left corner of a grey square."""
    canvas = np.full((side, side, 3), PAD, np.uint8)
    canvas[: picture.shape[0], : picture.shape[1]] = picture
    return canvas


class Packer:
    """Collects pictures and boxes and writes the .npz."""

    def __init__(self, quality: int) -> None:
        self.quality = quality
        self.bytes: list[np.ndarray] = []
        self.boxes: list[np.ndarray] = []
        self.splits: list[int] = []
        self.kinds: list[int] = []

    def add(self, picture: np.ndarray, classes: np.ndarray, boxes: np.ndarray, split: int, kind: int) -> None:
        """Add one BGR picture with its classes [N] and boxes [N, 4] (x0, y0, x1, y1)."""
        height, width = picture.shape[:2]
        boxes = boxes.clip(0, np.float32([width, height] * 2))
        whole = ((boxes[:, 2:] - boxes[:, :2]) > 2).all(1)
        picture, boxes = fit(picture, boxes[whole].astype(np.float32))
        quality = self.quality if kind == PHOTO else self.quality - 10  # simulated noise costs bytes and teaches little
        ok, data = cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, quality])
        if not ok:
            raise RuntimeError("the picture could not be encoded")
        self.bytes.append(data.ravel())
        self.boxes.append(np.concatenate([classes[whole, None], boxes], 1).astype(np.float32))
        self.splits.append(split)
        self.kinds.append(kind)

    def save(self, path: Path) -> None:
        """Write the pack."""
        np.savez(
            path,
            data=np.concatenate(self.bytes),
            ends=np.cumsum([len(b) for b in self.bytes]),
            boxes=np.concatenate(self.boxes),
            counts=np.array([len(b) for b in self.boxes]),
            splits=np.array(self.splits, np.uint8),
            kinds=np.array(self.kinds, np.uint8),
        )


def held_out_groups(groups: dict[str, int], share: float, seed: int) -> set[int]:
    """Random near-duplicate groups that together hold about `share` of the pictures."""
    sizes = Counter(groups.values())
    order = sorted(sizes)
    np.random.default_rng(seed).shuffle(order)
    chosen, total = set(), 0
    for group in order:
        if total >= share * len(groups):
            break
        if sizes[group] <= 12:  # one huge group would make the held-out set a single scene
            chosen.add(group)
            total += sizes[group]
    return chosen


def decode_picture(data: np.ndarray) -> np.ndarray:
    """BGR picture of compressed bytes; Pillow helps where OpenCV was built without WebP."""
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    if picture is None:
        from PIL import Image

        picture = np.asarray(Image.open(io.BytesIO(data.tobytes())).convert("RGB"))[:, :, ::-1]
    return picture


def load(path: Path, device: torch.device | str = "cpu", threads: int = 8, limit: int = 0) -> dict:
    """Decode a pack: {"pictures": Pictures, "splits": uint8 [N], "kinds": uint8 [N]}; `limit` thins it evenly."""
    with np.load(path) as z:
        data, ends, rows, counts = z["data"], z["ends"], z["boxes"], z["counts"]
        splits, kinds = z["splits"], z["kinds"]
    starts = np.concatenate([[0], ends[:-1]])
    row_ends = np.cumsum(counts)
    chosen = np.arange(len(ends))
    if limit and limit < len(ends):
        chosen = np.linspace(0, len(ends) - 1, limit).astype(int)
    images = torch.full((len(chosen), 3, INPUT, INPUT), PAD, dtype=torch.uint8)
    sizes = torch.zeros(len(chosen), 2)
    boxes = torch.zeros(len(chosen), max(1, int(counts.max())), 5)
    boxes[..., 0] = -1

    def one(slot: int) -> None:
        i = chosen[slot]
        picture = decode_picture(data[starts[i] : ends[i]])
        height, width = picture.shape[:2]
        rgb = np.ascontiguousarray(picture[:, :, ::-1].transpose(2, 0, 1))
        images[slot, :, :height, :width] = torch.from_numpy(rgb)
        sizes[slot] = torch.tensor([width, height])
        mine = rows[row_ends[i] - counts[i] : row_ends[i]]
        boxes[slot, : len(mine)] = torch.from_numpy(mine)

    cv2.setNumThreads(0)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, range(len(chosen))))
    pictures = Pictures(images, sizes, boxes).to(device)
    return {
        "pictures": pictures,
        "splits": torch.from_numpy(splits[chosen].copy()),
        "kinds": torch.from_numpy(kinds[chosen].copy()),
    }


def pack(args: argparse.Namespace) -> None:
    """Write the pack and say what went into it."""
    from .leak import groups
    from .upright import read_coco, restore

    packer = Packer(args.quality)
    report: dict = {}
    if args.photos:
        leak = json.loads(args.leak.read_text())
        turns = json.loads(args.turns.read_text())
        leaked = {entry["train"] for entry in leak["leaked"]}
        photos = []
        for name, classes, boxes in read_coco(args.photos):
            picture, boxes = restore(cv2.imread(str(args.photos / "images" / name)), boxes, turns[name])
            photos.append((name, classes, boxes, picture))
        group_of = dict(zip((p[0] for p in photos), groups(p[3] for p in photos).tolist(), strict=True))
        # A group with one leaked picture is dropped whole: its other members show the same scene.
        bad = {group_of[name] for name in leaked}
        held = held_out_groups({n: g for n, g in group_of.items() if g not in bad}, args.held_out, args.seed)
        tally: Counter = Counter()
        for name, classes, boxes, picture in photos:
            group = group_of[name]
            if name in leaked or group in bad:
                tally["shows an evaluation picture" if name in leaked else "shares its group"] += 1
                continue
            split = HELD_OUT if group in held else TRAIN
            tally["held out" if split else "train"] += 1
            packer.add(picture, classes, boxes, split, PHOTO)
        report["photos"] = dict(tally) | {"groups": len(set(group_of.values()))}
    for folder, split in ((args.simulated, TRAIN), (args.simulated_held_out, HELD_OUT)):
        if folder and (folder / "instances.json").exists():
            for name, classes, boxes in read_coco(folder):
                file = folder / "images" / name
                picture = cv2.imread(str(file if file.exists() else folder / name))
                packer.add(picture, classes, boxes, split, SIMULATED)
                key = "simulated held out" if split else "simulated train"
                report[key] = report.get(key, 0) + 1
    packer.save(args.out)
    report["bytes"] = args.out.stat().st_size
    args.out.with_suffix(".json").write_text(json.dumps(report, indent=1))
    print(json.dumps(report))


def main() -> None:
    """Command line of the packer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, help="COCO folder of photos")
    parser.add_argument("--leak", type=Path, help="list by leak.py")
    parser.add_argument("--turns", type=Path, help="list by upright.py")
    parser.add_argument("--simulated", type=Path, help="COCO folder of simulated pictures")
    parser.add_argument("--simulated-held-out", type=Path, help="COCO folder of simulated pictures to hold out")
    parser.add_argument("--held-out", type=float, default=0.05, help="share of the photos to hold out")
    parser.add_argument("--quality", type=int, default=82, help="WebP quality")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, help=".npz to write")
    pack(parser.parse_args())


if __name__ == "__main__":
    main()
