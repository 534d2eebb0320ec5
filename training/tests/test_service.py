"""The service's network, augmentation, loss, leak rule, schedule and export."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from deepcod.service import augment, data, evaluate, export, leak, train, upright
from deepcod.service.loss import Weights, assign, candidates, ciou, fit_anchors, iou_pairs, loss
from deepcod.service.model import STRIDES, ConvBlock, Yolov3, decode, decode_map, flops, parameters

ANCHORS = torch.tensor([[10, 12], [16, 18], [24, 26], [32, 36], [44, 48], [60, 66], [80, 90], [110, 120], [160, 180]])
ANCHORS = ANCHORS.float().view(3, 3, 2)


def scene(seed: int, width: int = 320, height: int = 240) -> np.ndarray:
    """A picture with structure at many scales."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3), np.float32)
    for size in (4, 10, 30, 60):
        noise = rng.uniform(0, 255, (height // size + 2, width // size + 2, 3)).astype(np.float32)
        picture += cv2.resize(noise, (width, height), interpolation=cv2.INTER_NEAREST) / 4
    return picture.astype(np.uint8)


def pictures(count: int = 4, side: int = 128) -> augment.Pictures:
    """Grey pictures; each box is filled with white (class 0) or black (class 1)."""
    rng = np.random.default_rng(0)
    images = torch.full((count, 3, side, side), 90, dtype=torch.uint8)
    boxes = torch.zeros(count, 3, 5)
    boxes[..., 0] = -1
    for i in range(count):
        for k in range(2):
            w, h = rng.integers(14, 30, 2)
            x, y = rng.integers(2, side // 2 - 30) + k * side // 2, rng.integers(2, side - 34)
            images[i, :, y : y + h, x : x + w] = 255 if k == 0 else 0
            boxes[i, k] = torch.tensor([k, x, y, x + w, y + h])
    return augment.Pictures(images, torch.full((count, 2), float(side)), boxes)


def test_topology_is_yolov3():
    # darknet's yolov3.cfg: 75 convolutions, 62,001,757 numbers in the file with 52,608 of them running statistics
    full = Yolov3(classes=80, width=1.0)
    assert parameters(full) == 61_949_149
    assert sum(isinstance(m, torch.nn.Conv2d) for m in full.modules()) == 75
    assert flops(full) == pytest.approx(65.86e9, rel=1e-3)


def test_shapes_at_quarter_width():
    model = Yolov3().eval()
    maps = model(torch.zeros(2, 3, 96, 64))
    assert [tuple(m.shape) for m in maps] == [(2, 21, 12, 8), (2, 21, 6, 4), (2, 21, 3, 2)]
    boxes, logits = decode(maps, ANCHORS)
    assert boxes.shape == (2, 3 * (96 + 24 + 6), 4) and logits.shape == (2, 378, 3)
    assert flops(model) == pytest.approx(4.147e9, rel=1e-3)


def test_decoding_is_plain_yolov3():
    raw = torch.zeros(1, 14, 2, 3)
    raw[0, 7 + 0, 1, 2], raw[0, 7 + 3, 1, 2], raw[0, 7 + 4, 1, 2] = 2.0, 0.5, 3.0
    anchors = torch.tensor([[10.0, 20.0], [30.0, 40.0]])
    boxes, logits = decode_map(raw, anchors, 8)
    want = [(2 + torch.tensor(2.0).sigmoid()) * 8, (1 + 0.5) * 8, 30.0, 40 * torch.tensor(0.5).exp()]
    assert torch.allclose(boxes[0, 1, 2, 1], torch.tensor(want))
    assert logits[0, 1, 2, 1, 0] == 3.0 and logits[0, 1, 2, 0, 0] == 0.0


def test_candidates_lie_in_the_centres_cell():
    truth = torch.tensor([[[50.0, 70.0, 33.0, 37.0]]])
    shapes = [(16, 16), (8, 8), (4, 4)]
    number, fits = candidates(truth, ANCHORS, shapes, 1.5)
    assert number[0, 0].tolist() == [
        *[(8 * 16 + 6) * 3 + i for i in range(3)],
        *[768 + (4 * 8 + 3) * 3 + i for i in range(3)],
        *[960 + (2 * 4 + 1) * 3 + i for i in range(3)],
    ]
    assert fits[0, 0].tolist() == [False, False, True, True, True, False, False, False, False]
    tiny = torch.tensor([[[50.0, 70.0, 2.0, 2.0]]])
    assert candidates(tiny, ANCHORS, shapes, 1.5)[1][0, 0].tolist() == [True] + [False] * 8


def test_assignment_never_gives_one_prediction_to_two_boxes():
    torch.manual_seed(0)
    boxes = torch.zeros(2, 1008, 4)
    boxes[..., 2:] = 1.0
    logits = torch.randn(2, 1008, 3)
    truth = torch.full((2, 12, 5), -1.0)
    truth[:, :10, 0] = torch.randint(0, 2, (2, 10)).float()
    truth[:, :10, 1:3] = torch.rand(2, 10, 2) * 20 + 50  # crowded: they share cells
    truth[:, :10, 3:] = torch.rand(2, 10, 2) * 40 + 10
    found = assign(boxes, logits, truth, ANCHORS, [(16, 16), (8, 8), (4, 4)], Weights())
    keys = found.picture * 10_000 + found.prediction
    assert len(keys.unique()) == len(keys) >= 2
    assert bool((found.box < 10).all())


def test_overlap_measures():
    a = torch.tensor([[10.0, 10.0, 10.0, 10.0]])
    b = torch.tensor([[10.0, 10.0, 10.0, 10.0], [15.0, 10.0, 10.0, 10.0], [50.0, 50.0, 4.0, 4.0]])
    assert torch.allclose(iou_pairs(a, b), torch.tensor([[1.0, 1 / 3, 0.0]]), atol=1e-5)
    iou, complete = ciou(a.expand(3, -1), b)
    assert torch.allclose(iou, torch.tensor([1.0, 1 / 3, 0.0]), atol=1e-5)
    assert complete[0] == pytest.approx(1.0, abs=1e-4) and complete[2] < 0


def test_loss_of_a_perfect_answer_is_small_and_empty_pictures_are_fine():
    maps = tuple(torch.full((1, 21, 128 // s, 128 // s), -12.0) for s in STRIDES)
    empty = torch.full((1, 4, 5), -1.0)
    value, parts = loss(maps, empty, ANCHORS, Weights())
    assert torch.isfinite(value) and parts["box"] == 0
    boxes = empty.clone()
    boxes[0, 0] = torch.tensor([1.0, 52 - 16, 52 - 18, 52 + 16, 52 + 18])  # centre 52: 3.25 cells of 16
    worse, _ = loss(maps, boxes, ANCHORS, Weights())
    good = [m.clone() for m in maps]
    cell = good[1][0, :7, 3, 3]  # anchor 0 of stride 16 is 32x36
    cell[:2] = torch.logit(torch.tensor(0.25))
    cell[2:4], cell[4], cell[5], cell[6] = 0.0, 9.0, -9.0, 9.0
    better, parts = loss(tuple(good), boxes, ANCHORS, Weights())
    assert parts["iou"] > 0.99 and better < 0.2 < worse


def test_anchors_find_the_clusters():
    g = torch.Generator().manual_seed(0)
    centres = torch.tensor([[8.0, 9.0], [20.0, 22.0], [60.0, 50.0]])
    sizes = (centres[torch.randint(3, (600,), generator=g)]) * (1 + 0.02 * torch.randn(600, 2, generator=g))
    anchors = fit_anchors(sizes, 3)
    assert torch.allclose(anchors, centres, rtol=0.05)


@pytest.mark.parametrize("recipe", [augment.STRONG, augment.GENTLE])
def test_boxes_follow_their_pixels(recipe: augment.Recipe):
    plain = dataclasses.replace(recipe, colour=0.0, erase=0.0, degrees=0.0, keep=0.999)
    source = pictures()
    g = torch.Generator().manual_seed(1)
    index = torch.randint(len(source), (24, 4), generator=g)
    images, boxes = augment.batch(source, index, plain, g, side=96)
    assert images.shape == (24, 3, 96, 96) and images.min() >= 0 and images.max() <= 1
    checked = 0
    for image, rows in zip(images, boxes, strict=True):
        for c, x0, y0, x1, y1 in rows[rows[:, 0] >= 0].tolist():
            inner = image[0, round(y0) + 2 : round(y1) - 2, round(x0) + 2 : round(x1) - 2]
            if inner.numel() < 9:
                continue
            assert (inner.median() > 0.95) if c == 0 else (inner.median() < 0.05)
            # just outside, left and right, it is no longer the box's tone
            for x in (round(x0) - 3, round(x1) + 2):
                if 0 <= x < 96:
                    outside = image[0, round(y0) + 2 : round(y1) - 2, x]
                    assert 0.05 < outside.median() < 0.95
            checked += 1
    assert checked > 20


def test_plain_pictures_keep_their_letterbox():
    recipe = dataclasses.replace(augment.GENTLE, plain=1.0, flip=0.0, colour=0.0)
    source = pictures()
    source.sizes[:] = torch.tensor([128.0, 100.0])
    source.images[:, :, 100:] = 114
    source.boxes[..., 4].clamp_(max=100)
    index = torch.arange(4)[:, None].expand(-1, 4)
    images, boxes = augment.batch(source, index, recipe, torch.Generator().manual_seed(0))
    assert torch.allclose(images, source.images / 255, atol=1e-3)
    for i in range(4):
        before, after = source.boxes[i], boxes[i]
        before = before[(before[:, 0] >= 0) & (before[:, 4] - before[:, 2] > 4)]
        assert torch.allclose(after[after[:, 0] >= 0], before, atol=1e-3)


def test_the_padding_stays_grey_whatever_the_colours():
    recipe = dataclasses.replace(augment.STRONG, mosaic=0.0, plain=1.0)
    source = pictures()
    source.sizes[:] = torch.tensor([128.0, 64.0])
    images, _ = augment.batch(source, torch.zeros(8, 4, dtype=torch.long), recipe, torch.Generator().manual_seed(0))
    assert torch.allclose(images[:, :, 66:], torch.tensor(114 / 255), atol=1e-6)


def test_the_loss_falls_on_a_toy():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    source = pictures(4)
    model = Yolov3(width=0.125)
    images, boxes = source.images.float() / 255, source.boxes
    optimiser = train.optimiser_for(model, "adamw", 3e-3, 0.01)
    values = []
    for _ in range(40):
        value, _ = loss(model(images), boxes, ANCHORS, Weights())
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        values.append(float(value.detach()))
    assert values[-1] < 0.3 * values[0]


def test_schedule():
    assert train.rate(0.0) == pytest.approx(0.01) and train.rate(0.03) == pytest.approx(1.0)
    assert train.rate(1.0) == pytest.approx(0.01) and train.rate(2.0) == pytest.approx(0.01)
    assert train.stage(0.1, 320, 416) == (320, augment.STRONG)
    assert train.stage(0.5, 320, 416) == (416, augment.STRONG)
    assert train.stage(0.99, 320, 416) == (416, augment.GENTLE)


@pytest.mark.parametrize(
    "edit",
    [
        lambda p: (p * 0.45).astype(np.uint8),
        lambda p: np.ascontiguousarray(np.rot90(p, 1)),
        lambda p: np.ascontiguousarray(p[::-1]),
        lambda p: np.ascontiguousarray(np.rot90((p * 0.5).astype(np.uint8), 3)[:, ::-1]),
        lambda p: cv2.resize(p, None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA),
        lambda p: np.ascontiguousarray(p[10:-30, 40:-20]),
    ],
)
def test_an_edited_evaluation_picture_is_found(edit):
    train_set = [scene(i) for i in range(6)]
    train_set[3] = edit(scene(100))
    found = leak.find(train_set, [scene(100), scene(101)])
    assert [(f["train"], f["evaluation"]) for f in found] == [(3, 0)]


def test_near_duplicates_share_a_group_and_a_split():
    ones = [scene(0), scene(1), (scene(0)[::-1] * 0.6).astype(np.uint8), scene(2)]
    group = leak.groups(ones)
    assert group[0] == group[2] and len(set(group.tolist())) == 3
    names = {str(i): i // 3 for i in range(90)}
    held = data.held_out_groups(names, 0.2, 1)
    assert 6 <= len(held) <= 7 and held == data.held_out_groups(names, 0.2, 1)


def test_a_diamond_is_turned_back():
    picture = scene(5, 240, 160).clip(40, 255)
    picture[60:90, 100:130] = (0, 0, 255)
    side = int((240 + 160) / 2**0.5)
    matrix = cv2.getRotationMatrix2D((120, 80), 45, 1.0)
    matrix[:, 2] += side / 2 - 120, side / 2 - 80
    diamond = cv2.warpAffine(picture, matrix, (side, side))
    centre = matrix @ np.array([115, 75, 1])
    half = 30 / 2**0.5
    box = np.array([[centre[0] - half, centre[1] - half, centre[0] + half, centre[1] + half]])
    assert upright.on_corner(diamond) and not upright.on_corner(picture)
    back, boxes = upright.off_corner(diamond, box)
    assert sorted(back.shape[:2]) == pytest.approx([160, 240], abs=8)
    x0, y0, x1, y1 = boxes[0].round().astype(int)
    assert (x1 - x0, y1 - y0) == pytest.approx((30, 30), abs=2)
    inside = back[y0 + 3 : y1 - 3, x0 + 3 : x1 - 3].reshape(-1, 3).mean(0)
    assert inside[2] > 200 and inside[0] < 60


def test_turned_boxes_follow_np_rot90():
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[5:15, 20:50] = 255
    for k in range(4):
        turned, boxes = upright.turn(picture, np.float32([[20, 5, 50, 15]]), k)
        x0, y0, x1, y1 = boxes[0].astype(int)
        assert turned[y0:y1, x0:x1].min() == 255 and turned.sum() == 255 * 900


def test_ap50():
    truth = [np.array([[0, 0, 0, 10, 10], [1, 20, 20, 40, 40]], float)]
    perfect = [np.array([[0, 0.9, 0, 0, 10, 10], [1, 0.8, 20, 20, 40, 40]], float)]
    assert evaluate.ap50(perfect, truth) == pytest.approx([1.0, 1.0])
    doubled = [np.array([[0, 0.9, 50, 50, 60, 60], [0, 0.8, 0, 0, 10, 10], [0, 0.7, 0, 0, 10, 10]], float)]
    assert evaluate.ap50(doubled, truth) == pytest.approx([0.5, 0.0])


def test_our_ap50_is_pycocotools():
    pytest.importorskip("pycocotools")
    rng = np.random.default_rng(0)
    truth, found = [], []
    for _ in range(12):
        low = rng.uniform(0, 300, (6, 2))
        boxes = np.concatenate([low, low + rng.uniform(15, 60, (6, 2))], 1)
        classes = rng.integers(0, 2, (6, 1)).astype(float)
        truth.append(np.concatenate([classes, boxes], 1))
        moved = boxes + rng.normal(0, 6, boxes.shape)
        found.append(np.concatenate([classes, rng.uniform(0.1, 1, (6, 1)), moved], 1))
    categories = [{"id": i, "name": n} for i, n in enumerate(("head", "helmet", "person"))]
    coco = {"images": [{"id": i + 1} for i in range(12)], "annotations": [], "categories": categories}
    rows = []
    for i in range(12):
        for c, x0, y0, x1, y1 in truth[i].tolist():
            box = [x0, y0, x1 - x0, y1 - y0]
            coco["annotations"].append({"id": len(coco["annotations"]) + 1, "image_id": i + 1, "category_id": int(c),
                                        "bbox": box, "area": box[2] * box[3], "iscrowd": 0})  # fmt: skip
        for c, s, x0, y0, x1, y1 in found[i].tolist():
            rows.append({"image_id": i + 1, "category_id": int(c), "score": s, "bbox": [x0, y0, x1 - x0, y1 - y0]})
    extra = dict(coco["annotations"][0], id=999, category_id=2)
    coco["annotations"].append(extra)
    theirs = evaluate.coco_scores(coco, rows)
    ours = evaluate.ap50(found, truth)
    assert [theirs["per_class"][c]["ap50"] for c in ("head", "helmet")] == pytest.approx(ours, abs=1e-3)


def test_export_equals_the_model(tmp_path: Path):
    pytest.importorskip("onnxruntime")
    torch.manual_seed(0)
    model = Yolov3(width=0.125)
    with torch.no_grad():
        for m in model.modules():
            if isinstance(m, ConvBlock):
                m.bn.running_mean.normal_(0, 0.2)
                m.bn.running_var.uniform_(0.5, 2)
                m.bn.bias.normal_(0, 0.2)
    saved = train.checkpoint(model, ANCHORS, {"seed": 1})
    torch.save(saved, tmp_path / "final.pt")
    loaded, state = export.load_checkpoint(tmp_path / "final.pt")
    with torch.no_grad():
        images = torch.rand(3, 3, 96, 96)
        before = loaded(images)
        export.halved(loaded)
        for a, b in zip(before, loaded(images), strict=True):  # half precision moves the outputs a little, no more
            assert (a - b).abs().max() < 1e-2 * a.abs().max()
    decode_entry = export.decode_info(state["anchors"])
    proto = export.to_onnx(loaded, decode_entry, side=96)
    (tmp_path / "service.onnx").write_bytes(proto.SerializeToString())
    assert export.difference(loaded, tmp_path / "service.onnx", images) < 1e-4
    import onnx

    kernels = [onnx.numpy_helper.to_array(t) for t in proto.graph.initializer if t.name.endswith(".weight")]
    assert len(kernels) == 75
    assert all(np.array_equal(k.astype(np.float16).astype(np.float32), k) for k in kernels)
    meta = {p.key: p.value for p in proto.metadata_props}
    assert json.loads(meta["decode"])["outputs"][2]["stride"] == 32
    assert [o.name for o in proto.graph.output] == ["o8", "o16", "o32"]


def test_train_stop_and_resume(tmp_path: Path):
    packer = data.Packer(80)
    for i in range(8):
        picture = scene(i)
        cv2.rectangle(picture, (60, 60), (100, 110), (0, 255, 255), -1)
        packer.add(picture, np.array([1.0]), np.float32([[60, 60, 100, 110]]), data.HELD_OUT if i > 5 else data.TRAIN,
                   i % 2)  # fmt: skip
    packer.save(tmp_path / "pack.npz")
    common = ["--pack", str(tmp_path / "pack.npz"), "--out", str(tmp_path), "--batch", "2", "--side", "64",
              "--small", "64", "--width", "0.125", "--device", "cpu", "--float32", "--minutes", "60",
              "--threads", "1"]  # fmt: skip
    train.Training(train.arguments().parse_args([*common, "--steps", "2"])).run()
    state = torch.load(tmp_path / "final.pt", weights_only=True)
    assert state["meta"]["steps"] == 2 and set(state["meta"]["held_out_ap50"]) == {"photos", "simulated"}
    more = ["--steps", "3", "--resume", str(tmp_path / "resume.pt")]
    again = train.Training(train.arguments().parse_args([*common, *more]))
    assert again.steps == 2 and again.spent > 0
    again.run()
    assert torch.load(tmp_path / "final.pt", weights_only=True)["meta"]["steps"] == 3
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [x["event"] for x in lines if "event" in x] == ["start", "final", "start", "final"]
