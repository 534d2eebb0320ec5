"""Average precision, decoding, letterbox, and the evaluation command."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from deepcod.cli import main
from deepcod.errors import DeepcodError
from deepcod.evaluate import Truth, average_precision, bootstrap, compare, load_truth
from deepcod.evaluate.ap import Matches
from deepcod.evaluate.bundle import run_bundle
from deepcod.evaluate.decode import decode_yolov3, decode_yolox, suppress
from deepcod.evaluate.letterbox import fit, letterbox, to_source

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "test" / "fixtures" / "tiny-bundle"


def made_up(images: int = 30, noise: float = 6.0, seed: int = 0) -> tuple[Truth, list[dict]]:
    """Random boxes of three classes, and detections that are near most of them."""
    random = np.random.default_rng(seed)
    annotations, detections = [], []
    for image in range(1, images + 1):
        for _ in range(random.integers(1, 7)):
            box = [*random.uniform(0, 300, 2), *random.uniform(20, 120, 2)]
            category = int(random.integers(0, 3))
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image,
                    "category_id": category,
                    "bbox": box,
                    "area": box[2] * box[3],
                    "iscrowd": 0,
                }
            )
            if random.random() < 0.8:
                moved = [float(v) for v in np.maximum(np.array(box) + random.normal(0, noise, 4), 1)]
                detections.append({"image_id": image, "category_id": category, "bbox": moved, "score": random.random()})
        detections.append({"image_id": image, "category_id": 1, "bbox": [5, 5, 40, 40], "score": random.random() / 2})
    pictures = [{"id": i, "file_name": f"{i}.jpg", "width": 500, "height": 500} for i in range(1, images + 1)]
    return Truth("made-up", pictures, annotations, 4), detections


def test_own_accumulation_equals_pycocotools() -> None:
    truth, detections = made_up()
    expected = average_precision(truth, detections)
    assert 0.2 < expected[0] < expected[1] < 0.95
    actual = Matches(truth, detections).scores(np.ones(30, int))
    assert np.allclose(actual, expected, atol=1e-9)


def test_weights_mean_repeated_pictures() -> None:
    truth, detections = made_up(8)
    weights = np.array([2, 0, 1, 1, 0, 3, 1, 1])
    images, annotations, repeated = [], [], []
    for index, times in enumerate(weights):
        for copy in range(times):
            new = 100 * (index + 1) + copy
            images.append({**truth.images[index], "id": new})
            annotations += [{**a, "image_id": new} for a in truth.annotations if a["image_id"] == index + 1]
            repeated += [{**d, "image_id": new} for d in detections if d["image_id"] == index + 1]
    annotations = [{**a, "id": i} for i, a in enumerate(annotations, 1)]
    expected = average_precision(Truth("repeated", images, annotations, 4), repeated)
    assert np.allclose(Matches(truth, detections).scores(weights), expected, atol=1e-6)


def test_bootstrap_is_seeded_and_holds_the_value() -> None:
    truth, detections = made_up()
    one, same, other = (bootstrap(truth, detections, 50, seed) for seed in (1, 1, 2))
    assert one == same != other
    assert one.ap.low < one.ap.value < one.ap.high


def test_paired_comparison() -> None:
    truth, detections = made_up()
    worse = [d for i, d in enumerate(detections) if i % 10]
    same = compare(truth, detections, detections, 30)
    assert (same.ap_relative.low, same.ap_relative.value, same.ap_relative.high) == (1, 1, 1)
    less = compare(truth, detections, worse, 60)
    assert less.ap_relative.value < 1
    paired = less.ap_relative.high - less.ap_relative.low
    assert paired < (less.other.ap.high - less.other.ap.low) / less.reference.ap.value
    assert less.ap50_difference.value < 0


def test_no_detections_at_all() -> None:
    truth, _ = made_up(3)
    assert average_precision(truth, []) == (0, 0)
    assert bootstrap(truth, [], 5).ap.value == 0


def test_truth_by_name_and_by_number(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    content = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 9, "height": 9}],
        "categories": [{"id": 7, "name": "Helmet"}, {"id": 3, "name": "head"}, {"id": 1, "name": "person"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": c, "bbox": [0, 0, 2, 3]} for c in (7, 3, 1)],
    }
    file = tmp_path / "instances.json"
    file.write_text(json.dumps(content))
    named = load_truth(file, tmp_path, ["head", "helmet"])
    assert [a["category_id"] for a in named.annotations] == [1, 0]
    assert named.annotations[0]["area"] == 6
    numbered = load_truth(file, tmp_path, ["x", "y", "z", "w"])
    assert [a["category_id"] for a in numbered.annotations] == [3, 1]
    with pytest.raises(DeepcodError, match="no box of any"):
        load_truth(file, tmp_path, ["x"])
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(DeepcodError, match=r"1 of 1 pictures are missing, a\.jpg"):
        load_truth(file, tmp_path, ["x"])
    file.write_text("[]")
    with pytest.raises(DeepcodError, match="not a COCO annotation file"):
        load_truth(file, tmp_path, ["x"])


@pytest.mark.parametrize(
    ("align", "size", "expected"),
    [
        ("top-left", (640, 427), (416, 277, 0, 0)),
        ("center", (640, 427), (416, 277, 0, 69)),
        ("center", (300, 600), (208, 416, 104, 0)),
        ("stretch", (640, 427), (416, 416, 0, 0)),
    ],
)
def test_letterbox(align: str, size: tuple[int, int], expected: tuple[int, ...]) -> None:
    picture = {"width": 416, "height": 416, "letterbox": {"align": align, "pad": 99}}
    f = fit(picture, *size)
    assert (f.width, f.height, f.x, f.y) == expected
    canvas, _ = letterbox(np.full((size[1], size[0], 3), 200, np.uint8), picture)
    assert (canvas == 200).all(2).sum() == f.width * f.height
    whole = np.array([[f.x, f.y, f.x + f.width, f.y + f.height]], float)
    assert np.allclose(to_source(whole, f), [[0, 0, *size]])


def test_decode_yolox() -> None:
    picture = {"width": 32, "height": 32}
    rows = np.zeros((20, 7), np.float32)  # 4x4 cells of stride 8, then 2x2 of stride 16
    rows[6] = [0.5, 0.25, np.log(2), 0, 0.9, 0.1, 0.8]  # cell x=2, y=1
    rows[19] = [0, 0, 0, 0, 0.5, 0.5, 0.2]  # last cell of the second grid: x=1, y=1
    boxes, scores, classes = decode_yolox({"y": rows}, {"strides": [8, 16]}, picture, 0.1)
    assert np.allclose(boxes, [[12, 6, 28, 14], [8, 8, 24, 24]])
    assert np.allclose(scores, [0.72, 0.25])
    assert classes.tolist() == [1, 0]


def test_decode_yolov3() -> None:
    raw = np.full((2 * 7, 2, 2), -20, np.float32)
    raw[7:14, 1, 0] = [0, 0, np.log(2), 0, 20, 20, 0]  # second anchor, y=1, x=0; classes 1.0 and 0.5
    head = {"name": "m", "stride": 16, "anchors": [[1, 1], [4, 6]], "scale_xy": 1.1}
    boxes, scores, classes = decode_yolov3({"m": raw}, {"outputs": [head]}, {"width": 32, "height": 32}, 0.1)
    assert np.allclose(boxes, [[4, 21, 12, 27]] * 2)
    assert np.allclose(sorted(scores), [0.5, 1], atol=1e-6)
    assert sorted(classes) == [0, 1]


def test_suppression_is_per_class() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [1, 0, 11, 10], [50, 50, 60, 60], [5, 5, 5, 9]], float)
    candidates = (boxes, np.array([0.9, 0.8, 0.7, 0.6, 0.95]), np.array([0, 0, 1, 0, 0]))
    _, scores, _ = suppress(candidates, 0.45, 100)
    assert scores.tolist() == [0.9, 0.7, 0.6]
    assert suppress(candidates, 0.45, 1)[1].tolist() == [0.9]


def test_service_on_photos(data: Path, yolox: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = data / "coco-val"
    report = tmp_path / "report.json"
    description = tmp_path / "yolox.json"
    letterbox_rule = {"align": "top-left", "pad": 114}
    description.write_text(
        json.dumps(
            {
                "name": "yolox-nano",
                "picture": {"width": 416, "height": 416, "order": "bgr", "scale": 1.0, "letterbox": letterbox_rule},
                "decode": {"type": "yolox", "strides": [8, 16, 32]},
                "classes": "coco",
            }
        )
    )
    args = ["evaluate", "--service", str(yolox), "--description", str(description), "--images", str(folder / "images")]
    args += ["--annotations", str(folder / "instances.json"), "--pictures", "32", "--resamples", "20"]
    assert main([*args, "--json", str(report)]) == 0
    assert "32 pictures" in capsys.readouterr().out
    accuracy = json.loads(report.read_text())["uncompressed"]
    assert accuracy["images"] == 32
    assert accuracy["ap_low"] < accuracy["ap"] < accuracy["ap_high"]
    assert accuracy["ap"] > 0.3
    assert accuracy["ap50"] > 0.45


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Four made-up pictures with one box each, as a COCO folder."""
    random = np.random.default_rng(0)
    images, annotations = [], []
    for i in range(1, 5):
        cv2.imwrite(str(tmp_path / f"{i}.png"), random.integers(0, 255, (20 + 8 * i, 40, 3), np.uint8))
        images.append({"id": i, "file_name": f"{i}.png", "width": 40, "height": 20 + 8 * i})
        annotations.append({"id": i, "image_id": i, "category_id": i % 2, "bbox": [2, 2, 9, 9]})
    categories = [{"id": 0, "name": "red"}, {"id": 1, "name": "green"}]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (tmp_path / "instances.json").write_text(json.dumps(content))
    return tmp_path


@pytest.mark.skipif(not (ROOT / "dist/bench/detect.js").exists(), reason="the runtime is not built: npm run build")
def test_bundle_through_the_runtime(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = load_truth(pictures / "instances.json", pictures, ["red", "green"])
    raw = run_bundle(TINY, truth, pictures, "raw")
    assert raw.bytes_per_frame.tolist() == [36 + 32 * 32 * 3] * 4
    assert {d["image_id"] for d in raw.detections} <= {1, 2, 3, 4}
    coded = run_bundle(TINY, truth, pictures, "input", 1)
    assert (coded.bytes_per_frame < 300).all()
    report, found = pictures / "report.json", pictures / "found"
    args = ["evaluate", "--bundle", str(TINY), "--images", str(pictures), "--annotations"]
    args += [str(pictures / "instances.json"), "--resamples", "5", "--json", str(report), "--detections", str(found)]
    assert main(args) == 0
    assert "input, rate 1" in capsys.readouterr().out
    content = json.loads(report.read_text())
    assert content["raw"]["bytes_per_frame"][0] == 36 + 32 * 32 * 3
    assert [(r["partition"], r["rate"]) for r in content["rows"]] == [("input", 0), ("input", 1)]
    assert content["rows"][1]["accuracy"]["dataset"] == pictures.name
    assert json.loads((found / "raw.json").read_text()) == raw.detections
    assert main([*args, "--partition", "nowhere"]) == 2
    assert "tiny-bundle has input, device, raw" in capsys.readouterr().err
    assert main([*args, "--rate", "2"]) == 2


def test_missing_bundle(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    args = ["evaluate", "--bundle", str(pictures), "--images", str(pictures), "--annotations"]
    assert main([*args, str(pictures / "instances.json")]) == 3
    assert "holds no manifest.json" in capsys.readouterr().err
