"""Variants of a trained codec: what is changed is changed, and put back."""

from __future__ import annotations

import json

import onnx
import torch
from small import CONFIGS, calibrated

from deepcod.cli import main
from deepcod.codec.codec import Codec, save
from deepcod.codec.data import Pictures
from deepcod.evaluate.variants import measure


def test_variants_change_one_thing_and_leave_the_codec_as_it_was(service, packed):
    pictures = Pictures([packed], torch.device("cpu"), pad=114)
    torch.manual_seed(5)
    codec = Codec(CONFIGS["context-input"]).eval()
    everything = pictures.plain(torch.arange(len(pictures)))
    with torch.no_grad():
        codec.calibrate(service.feed(everything), steps=torch.tensor([[0.3], [0.1]]).expand(2, 24).clone())
        for p in codec.decoder.exit.parameters():
            p.add_(0.0001 * torch.randn_like(p))  # little noise: more bytes are less distortion
    before = {k: v.clone() for k, v in codec.state_dict().items()}
    rows = {r["variant"]: r for r in measure(codec, service, everything)}
    assert all(torch.equal(v, before[k]) for k, v in codec.state_dict().items())
    assert codec.quantiser.dead_zone == codec.config.dead_zone
    trained = rows["as trained"]
    for wider, narrower in (("as trained", "no dead zone"), ("dead zone 1.5 times as wide", "as trained")):
        assert sum(r["kb"] for r in rows[wider]["rates"]) < sum(r["kb"] for r in rows[narrower]["rates"])
    # the decoder changes nothing that is sent
    for name in ("decoder linear only", "decoder without self-attention"):
        assert [r["kb"] for r in rows[name]["rates"]] == [r["kb"] for r in trained["rates"]]
    assert rows["decoder linear only"]["rates"] != trained["rates"]


def test_the_command_writes_a_report_and_refuses_the_papers_form(service, packed, tmp_path, capsys):
    onnx.save(service.model, str(tmp_path / "service.onnx"))
    (tmp_path / "service.json").write_text(json.dumps(service.facts))
    pictures = Pictures([packed], torch.device("cpu"), pad=114)
    files = ["--service", str(tmp_path / "service.json"), "--model", str(tmp_path / "service.onnx")]
    files += ["--pictures", str(packed), "--limit", "2", "--json", str(tmp_path / "variants.json")]
    save(calibrated(CONFIGS["context-stage1"], service, pictures), tmp_path / "context.pt")
    assert main(["variants", str(tmp_path / "context.pt"), *files]) == 0
    report = json.loads((tmp_path / "variants.json").read_text())
    assert (report["pictures"], report["partition"]) == (2, "stage1")
    assert "as trained" in capsys.readouterr().out
    save(calibrated(CONFIGS["paper-input"], service, pictures), tmp_path / "paper.pt")
    assert main(["variants", str(tmp_path / "paper.pt"), *files]) != 0
    assert "no rate model" in capsys.readouterr().err
