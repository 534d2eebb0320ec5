"""What codes show: SSIM by hand, attackers on codes whose inverse is known, and the command on a small bundle."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from deepcod.cli import main
from deepcod.codec.data import pack
from deepcod.errors import DeepcodError
from deepcod.export.manifest import read_manifest
from deepcod.privacy.attacker import Attacker
from deepcod.privacy.data import Held, held_out, own_pictures
from deepcod.privacy.report import add_reveals, head_digest, partition_report
from deepcod.privacy.ssim import psnr, ssim
from deepcod.privacy.train import reconstruct, score

TINY = Path(__file__).resolve().parents[2] / "test" / "fixtures" / "tiny-bundle"


def noise(seed: int, *shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def ssim_by_hand(a: np.ndarray, b: np.ndarray) -> float:
    """The definition, window by window, in float64; [H, W] grey 0..1."""
    g = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    w = np.outer(g, g) / g.sum() ** 2
    values = []
    for y in range(a.shape[0] - 10):
        for x in range(a.shape[1] - 10):
            p, q = a[y : y + 11, x : x + 11], b[y : y + 11, x : x + 11]
            mp, mq = (w * p).sum(), (w * q).sum()
            vp, vq, cov = (w * (p - mp) ** 2).sum(), (w * (q - mq) ** 2).sum(), (w * (p - mp) * (q - mq)).sum()
            values.append(
                (2 * mp * mq + 1e-4) * (2 * cov + 9e-4) / ((mp**2 + mq**2 + 1e-4) * (vp + vq + 9e-4)),
            )
    return float(np.mean(values))


def test_ssim_is_the_papers():
    a = noise(1, 2, 3, 20, 17)
    b = (a + 0.3 * noise(2, 2, 3, 20, 17)).clamp(0, 1)
    grey = [(v * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(1).double().numpy() for v in (a, b)]
    by_hand = [ssim_by_hand(p, q) for p, q in zip(*grey, strict=True)]
    assert ssim(a, b).tolist() == pytest.approx(by_hand, abs=1e-4)
    assert ssim(a, a).tolist() == pytest.approx([1, 1])
    assert psnr(a, a + 0.1).tolist() == pytest.approx([20, 20], abs=1e-3)


@pytest.mark.parametrize("stride", [2, 3, 4, 8, 12, 16, 32])
def test_attackers_have_the_pictures_shape(stride: int):
    assert Attacker(5, stride)(torch.zeros(2, 5, 3, 4, dtype=torch.uint8)).shape == (2, 3, 3 * stride, 4 * stride)


def test_linear_codes_are_inverted():
    """Each pixel of a block is mixed into another channel: all is still there."""
    stride = 4
    coarse = F.interpolate(noise(3, 24, 3, 10, 10), size=(40, 40), mode="bilinear")
    pictures = (coarse * 255).round().byte()
    blocks = F.pixel_unshuffle(pictures.float(), stride)
    mix = torch.linalg.qr(torch.randn(48, 48, generator=torch.Generator().manual_seed(4)))[0]
    code = torch.einsum("oc,nchw->nohw", mix, blocks)
    symbols = ((code - code.min()) / (code.max() - code.min()) * 254).round().byte()
    attacker = Attacker(48, stride)
    attacker.fit(symbols[:16], pictures[:16])
    held = [Held("", p.permute(1, 2, 0).numpy(), 0, 0, 40, 40) for p in pictures[16:]]
    good = score([reconstruct(attacker, s) for s in symbols[16:]], held)
    assert good["psnr"] > 30 and good["ssim"] > 0.9, good
    # and what is not there is not found: the same codes with their positions shuffled
    torch.manual_seed(0)
    lost = symbols.flatten(2)[:, :, torch.randperm(100)].reshape(symbols.shape)
    attacker.fit(lost[:16], pictures[:16])
    assert score([reconstruct(attacker, s) for s in lost[16:]], held)["ssim"] < 0.6


@pytest.fixture
def photos(tmp_path: Path) -> dict[str, Path]:
    """24 photos to train on and 6 others, coarse random colours; the last of the first is the first of the others."""
    folders = {name: tmp_path / name for name in ("own", "held")}
    rng = np.random.default_rng(0)
    made = [
        Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)).resize((64, 48), Image.Resampling.BICUBIC)
        for _ in range(30)
    ]
    for folder in folders.values():
        folder.mkdir()
    for i, picture in enumerate(made):
        picture.save((folders["own"] if i < 24 else folders["held"]) / f"{i:02}.png")
    made[24].save(folders["own"] / "99.png")
    pack([folders["own"]], 32, tmp_path / "own.npz", quality=95)
    return {"pack": tmp_path / "own.npz", "held": folders["held"]}


def test_own_pictures_show_no_held_out_one(photos: dict[str, Path]):
    spec = read_manifest(TINY)["input"]
    held = held_out(photos["held"], spec)
    assert (held[0].name, held[0].width, held[0].height) == ("24.png", 32, 24)
    own = own_pictures([photos["pack"]], spec["letterbox"]["pad"], 25, held)
    assert own.dropped == 1 and len(own.pictures) == 24
    shutil.copy(photos["held"] / "24.png", photos["held"] / "24b.png")
    assert [h.name for h in held_out(photos["held"], spec, 3)] == ["24.png", "25.png", "26.png"], "copies count once"
    with pytest.raises(DeepcodError, match="no pictures"):
        held_out(TINY, spec)


def test_reveal_and_annotate(photos: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    bundle = tmp_path / "bundle"
    shutil.copytree(TINY, bundle)
    report, grid, kept = tmp_path / "out" / "reveal.json", tmp_path / "out" / "grid.png", tmp_path / "attackers"
    arguments = ["reveal", "--bundle", str(bundle), "--pictures", str(photos["pack"]), "--images", str(photos["held"])]
    arguments += ["--minutes", "0.05", "--json", str(report), "--grid", str(grid), "--attackers", str(kept)]
    assert main(arguments) == 0
    first = json.loads(report.read_text())
    [point] = first["partitions"]
    assert point["partition"] == "input" and [r["rate"] for r in point["rates"]] == [1, 0], "smallest payload first"
    assert point["reveals"] == round(max(r["ssim"] for r in point["rates"]), 3)
    assert point["reveals"] > first["nothing"]["ssim"] + 0.1, "more than a guess without the code"
    assert "input" in capsys.readouterr().out
    with Image.open(grid) as picture:
        assert picture.width > 3 * 200, "original and two rates"
    assert main(arguments) == 0
    assert json.loads(report.read_text())["partitions"] == first["partitions"], "kept attackers are taken"

    nested = bundle / "manifest.json"
    flat = json.loads(nested.read_text())
    # the toolkit writes flat bundles; this one has folders
    for key in ("head", "tail", "entropy"):
        source = bundle / flat["partitions"][0][key]
        flat["partitions"][0][key] = f"{key}.{source.name}"
        source.rename(bundle / f"{key}.{source.name}")
    nested.write_text(json.dumps(flat))
    assert main(["annotate", str(bundle), str(report)]) == 0
    assert read_manifest(bundle)["partitions"][0]["reveals"] == point["reveals"]

    head = bundle / read_manifest(bundle)["partitions"][0]["head"]
    model = onnx.load(str(head))
    weight = model.graph.initializer[0]
    changed = onnx.numpy_helper.to_array(weight).copy()
    changed.flat[0] += 1
    weight.CopyFrom(onnx.numpy_helper.from_array(changed, weight.name))
    onnx.save(model, str(head))
    with pytest.raises(DeepcodError, match="not the one that the report is of"):
        add_reveals(bundle, first)
    capsys.readouterr()
    assert main(["annotate", str(bundle), str(report)]) == 2, "a figure of another code is refused"
    with pytest.raises(DeepcodError, match="lacks"):
        add_reveals(bundle, {"partitions": [{"partition": "stage9", "reveals": 1, "head": ""}]})


def test_a_heads_digest_is_of_what_it_computes(tmp_path: Path):
    head = TINY / read_manifest(TINY)["partitions"][0]["head"]
    model = onnx.load(str(head))
    onnx.save(model, str(tmp_path / "apart.onnx"), save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert head_digest(tmp_path / "apart.onnx") == head_digest(head), "wherever the weights are"


def test_reveals_is_the_most_that_a_rate_shows():
    def reveals(*scores: float) -> float:
        return partition_report({"id": "x"}, "", [{"ssim": s} for s in scores])["reveals"]

    assert reveals(0.3, 0.81239) == 0.812
    assert reveals(-0.2) == 0, "a number of the manifest, 0 to 1"


def test_mistakes_are_named(photos: dict[str, Path], capsys: pytest.CaptureFixture[str]):
    common = ["reveal", "--bundle", str(TINY), "--pictures", str(photos["pack"]), "--images"]
    assert main([*common, str(photos["held"]), "--partition", "stage7"]) == 2
    assert "stage7" in capsys.readouterr().err
    assert main([*common, str(photos["held"] / "none")]) == 2
    assert "no such folder" in capsys.readouterr().err
