"""`deepcod import` and `deepcod topology`."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from deepcod.cli import main


def test_darknet_detector(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    detectors = data / "detectors"
    out = tmp_path / "fastest.onnx"
    files = [str(detectors / f"yolo-fastest-1.1-xl.{kind}") for kind in ("cfg", "weights")]
    assert main(["import", *files, "--names", str(detectors / "coco.names"), "--out", str(out)]) == 0
    assert "0.72 GFLOP" in capsys.readouterr().out
    description = json.loads(out.with_suffix(".json").read_text())
    assert description["classes"][0] == "person"
    assert description["picture"]["letterbox"]["align"] == "stretch"
    assert list(description["partitions"])[:2] == ["input", "stage1"]
    props = {p.key: p.value for p in onnx.load(out).metadata_props}
    assert json.loads(props["decode"]) == description["decode"]
    # what was written can be imported again, and says the same
    again = tmp_path / "again.onnx"
    assert main(["import", str(out), "--out", str(again)]) == 0
    same = json.loads(again.with_suffix(".json").read_text())
    assert same.pop("provenance").startswith("fastest.onnx (SHA-256 ")
    assert description.pop("provenance").startswith("yolo-fastest-1.1-xl.cfg (SHA-256 ")
    assert same == description


def test_onnx_detector(yolox: Path, tmp_path: Path) -> None:
    out = tmp_path / "yolox.onnx"
    assert main(["import", str(yolox), "--order", "bgr", "--scale", "1", "--out", str(out)]) == 0
    description = json.loads(out.with_suffix(".json").read_text())
    assert description["decode"] == {"type": "yolox", "strides": [8, 16, 32]}
    assert len(description["classes"]) == 80
    assert description["partitions"]["stage2"].startswith("/backbone/backbone/dark2/dark2.1/conv3")
    assert "/head/cls_convs.0/cls_convs.0.1/pconv/act/Mul_output_0" in description["features"]


def test_bundle_gives_its_service_back(tmp_path: Path) -> None:
    bundle = Path(__file__).resolve().parents[2] / "models" / "onnx" / "worksite"
    out = tmp_path / "worksite.onnx"
    assert main(["import", str(bundle), "--out", str(out)]) == 0
    picture = np.random.default_rng(3).integers(0, 256, (1, 416, 416, 3), np.uint8)
    expected = onnxruntime.InferenceSession(str(bundle / "service.onnx")).run(None, {"picture": picture})
    feed = picture.transpose(0, 3, 1, 2) * np.float32(1 / 255)
    actual = onnxruntime.InferenceSession(str(out)).run(None, {"images": feed})
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, e, atol=1e-4)
    description = json.loads(out.with_suffix(".json").read_text())
    assert description["classes"] == ["head", "helmet"]
    assert description["picture"]["order"] == "rgb"


def test_topology(tmp_path: Path) -> None:
    cfg, out = tmp_path / "q.cfg", tmp_path / "q.onnx"
    assert main(["topology", "yolov3-tiny", "--width", "0.25", "--classes", "2", "--out", str(cfg)]) == 0
    assert main(["import", str(cfg), "--random-weights", "5", "--out", str(out)]) == 0
    assert out.exists()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["import", "{cfg}"], "needs its .weights, or --random-weights"),
        (["import", "absent.onnx"], "absent.onnx"),
        (["import", "{cfg}", "--random-weights", "1", "--names", "{cfg}"], "names, the service has 80 classes"),
        (["import", "{folder}"], "not a bundle: "),
        (["import", "{bad}"], "not a valid ONNX file"),
        (["topology", "yolov3", "--size", "100", "--out", "{cfg}"], "not a multiple of 32"),
    ],
)
def test_bad_input(args: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cfg, bad = tmp_path / "t.cfg", tmp_path / "bad.onnx"
    assert main(["topology", "yolov3-tiny", "--width", "0.1", "--out", str(cfg)]) == 0
    bad.write_bytes(b"not a model")
    assert main([a.format(cfg=cfg, bad=bad, folder=tmp_path) for a in args]) == 2
    assert message in capsys.readouterr().err
