"""Which training pictures show an evaluation picture, however they were edited.

Two rules; either one is enough to drop a training picture:

1. **dHash.** The sign of the horizontal gradient on a 17x16 grey thumbnail (256 bits), which a change of
   brightness or contrast leaves nearly alone. The evaluation picture is hashed in its eight
   flipped and right-angled forms. Distance at most `HASH_BITS`.
2. **Shared geometry.** ORB features of both pictures (and of the mirrored evaluation picture), matched with
   the ratio test, and one similarity transform (RANSAC) that at least `MIN_INLIERS` matches agree on. It finds
   what the hash cannot: crops, arbitrary rotations, black corners, pasted watermarks.

The same hash groups near-duplicates inside the training set, so that a split never straddles a group.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

HASH_BITS = 40
"""Largest dHash distance (of 256 bits) that counts as the same picture; unrelated ones differ in 128 +- 20."""
MIN_INLIERS = 18
"""Fewest feature matches that one similarity transform must explain."""
FEATURES = 400
LONG_SIDE = 416


def lift(picture: np.ndarray, target: float = 245.0, most: float = 12.0) -> tuple[np.ndarray, float]:
    """Undo a global darkening: scale so that the 99th percentile of the brightest channel is `target`.

    Returns the uint8 picture and the gain (1..`most`; a bright picture is left alone).
    """
    peak = float(np.percentile(picture.max(axis=2), 99.0))
    gain = float(np.clip(target / max(peak, 1.0), 1.0, most))
    if gain == 1.0:
        return picture, 1.0
    return np.clip(picture.astype(np.float32) * gain + 0.5, 0, 255).astype(np.uint8), gain


def dhash(grey: np.ndarray) -> np.ndarray:
    """256 bits (32 uint8) of the sign of the horizontal gradient of a 17x16 thumbnail."""
    small = cv2.resize(grey, (17, 16), interpolation=cv2.INTER_AREA).astype(np.int16)
    return np.packbits(small[:, 1:] > small[:, :-1])


def variants(grey: np.ndarray) -> list[np.ndarray]:
    """The eight flipped and right-angled forms of a picture; the first is the picture itself."""
    turned = [np.ascontiguousarray(np.rot90(grey, k)) for k in range(4)]
    return turned + [np.ascontiguousarray(np.fliplr(t)) for t in turned]


def hashes(grey: np.ndarray) -> np.ndarray:
    """dHash of all eight forms, uint8 [8, 32]."""
    return np.stack([dhash(v) for v in variants(grey)])


def distances(one: np.ndarray, many: np.ndarray) -> np.ndarray:
    """Smallest Hamming distance between any form in `one` [8, 32] and each plain hash in `many` [N, 32]."""
    table = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(1).astype(np.int32)
    return table[one[:, None] ^ many[None]].sum(-1).min(0)


@dataclass
class Features:
    """ORB key points [K, 2] and descriptors [K, 32] of one picture."""

    points: np.ndarray
    descriptors: np.ndarray


def grey_of(picture: np.ndarray) -> np.ndarray:
    """Lifted, contrast-normalised grey picture with a long side of `LONG_SIDE`."""
    lifted, _ = lift(picture)
    grey = cv2.cvtColor(lifted, cv2.COLOR_BGR2GRAY)
    scale = LONG_SIDE / max(grey.shape)
    return cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def features(grey: np.ndarray) -> Features:
    """Up to `FEATURES` ORB features of a grey picture, after local contrast normalisation."""
    equal = cv2.createCLAHE(clipLimit=3.0, tileGridSize=(6, 6)).apply(grey)
    points, descriptors = cv2.ORB_create(FEATURES, fastThreshold=10).detectAndCompute(equal, None)
    if descriptors is None:
        return Features(np.zeros((0, 2), np.float32), np.zeros((0, 32), np.uint8))
    return Features(np.float32([p.pt for p in points]), descriptors)


def inliers(a: Features, b: Features) -> int:
    """How many matches one similarity transform between two pictures explains."""
    if len(a.points) < 8 or len(b.points) < 8:
        return 0
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(a.descriptors, b.descriptors, k=2)
    good = [p[0] for p in pairs if len(p) == 2 and p[0].distance < 0.75 * p[1].distance and p[0].distance < 56]
    if len(good) < 8:
        return 0
    source = a.points[[m.queryIdx for m in good]]
    target = b.points[[m.trainIdx for m in good]]
    matrix, mask = cv2.estimateAffinePartial2D(source, target, method=cv2.RANSAC, ransacReprojThreshold=4.0)
    if matrix is None or mask is None:
        return 0
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if not 0.25 < scale < 4.0:
        return 0
    kept = target[mask.ravel() > 0]
    # Matches on one spot (a watermark, a logo) are no evidence that the pictures are the same.
    spread = (kept.max(0) - kept.min(0)).min() if len(kept) else 0.0
    return int(mask.sum()) if spread > 60 else 0


def find(train: list[np.ndarray], evaluation: list[np.ndarray], progress: bool = False) -> list[dict]:
    """Training pictures (BGR) that show one of the evaluation pictures (BGR).

    Returns one entry per training picture found: {train, evaluation, hash, inliers} (indices, best distance,
    number of agreeing matches).
    """
    plain = np.stack([dhash(grey_of(p)) for p in train])
    features_of = [features(grey_of(p)) for p in train]
    found: dict[int, dict] = {}
    for e, picture in enumerate(evaluation):
        grey = grey_of(picture)
        distance = distances(hashes(grey), plain)
        forms = [features(grey), features(np.ascontiguousarray(np.fliplr(grey)))]
        for t in range(len(train)):
            shared = max(inliers(f, features_of[t]) for f in forms)
            if distance[t] <= HASH_BITS or shared >= MIN_INLIERS:
                entry = {"train": t, "evaluation": e, "hash": int(distance[t]), "inliers": shared}
                if t not in found or shared > found[t]["inliers"]:
                    found[t] = entry
        if progress and e % 10 == 0:
            print(f"{e}/{len(evaluation)}: {len(found)} found", file=sys.stderr, flush=True)
    return [found[t] for t in sorted(found)]


def groups(pictures: Iterable[np.ndarray], bits: int = 48) -> np.ndarray:
    """Near-duplicate group number of each picture (BGR): single linkage over the dHash of all eight forms."""
    every = [hashes(grey_of(p)) for p in pictures]
    plain = np.stack([h[0] for h in every])
    parent = np.arange(len(every))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for i, h in enumerate(every):
        for k in np.flatnonzero(distances(h, plain[:i]) <= bits) if i else ():
            parent[root(i)] = root(int(k))
    return np.array([root(i) for i in range(len(every))])


def read_set(folder: Path) -> tuple[list[str], list[np.ndarray]]:
    """File names and BGR pictures of a COCO folder (`images/`, `instances.json`)."""
    names = [i["file_name"] for i in json.loads((folder / "instances.json").read_text())["images"]]
    return names, [cv2.imread(str(folder / "images" / n)) for n in names]


def main() -> None:
    """Write the list of leaked training pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, required=True, help="COCO folder that is trained on")
    parser.add_argument("--evaluation", type=Path, required=True, help="COCO folder that is evaluated on")
    parser.add_argument("--out", type=Path, required=True, help="JSON list to write")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    train_names, train = read_set(args.train)
    names, evaluation = read_set(args.evaluation)
    found = find(train, evaluation, progress=True)
    for entry in found:
        entry["train"], entry["evaluation"] = train_names[entry["train"]], names[entry["evaluation"]]
    args.out.write_text(
        json.dumps(
            {
                "rule": {"hash_bits": HASH_BITS, "min_inliers": MIN_INLIERS},
                "leaked": found,
            },
            indent=1,
        )
    )
    print(f"{len(found)} of {len(train)} training pictures show an evaluation picture")


if __name__ == "__main__":
    main()
