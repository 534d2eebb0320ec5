"""The codec's parts against the equations they implement."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch

from deepcod.codec.codec import Codec, CodecConfig, load, save
from deepcod.codec.decoder import DecoderShape
from deepcod.codec.encoder import LinearEncoder, dct_rows, principal_rows
from deepcod.codec.quantiser import HOLD, CentreQuantiser, StepQuantiser
from deepcod.codec.rate import ContextRateModel
from deepcod.codec.spectral import largest_singular_values, normalise_spectrum
from deepcod.codec.train import RateControl

PAPER = CodecConfig(
    form="paper",
    partition="input",
    tensor="images",
    source=(3, 32, 32),
    channels=6,
    kernel=4,
    stride=4,
    levels=8,
    decoder=DecoderShape((16, 16, 8), (1, 0, 0)),
)
CONTEXT = dataclasses.replace(PAPER, form="context", levels=31, rates_kb=(0.1, 0.2, 0.4))


def test_dct_rows_are_orthonormal_and_start_with_flat_luma():
    rows = dct_rows(96, 8, "rgb")
    gram = rows.flatten(1) @ rows.flatten(1).T
    assert torch.allclose(gram, torch.eye(96), atol=1e-5)
    assert (rows[0] > 0).all() and rows[0].std((1, 2)).max() < 1e-6
    assert torch.allclose(dct_rows(96, 8, "bgr"), rows.flip(1))
    with pytest.raises(ValueError, match="rgb"):
        dct_rows(96, 8, "yuv")
    with pytest.raises(ValueError, match="luma"):
        dct_rows(120, 8, "rgb")


def test_principal_rows_find_the_direction_of_most_variance():
    torch.manual_seed(0)
    direction = torch.nn.functional.normalize(torch.randn(8), dim=0)
    patches = torch.randn(500, 1) * 5 * direction + 0.1 * torch.randn(500, 8)
    row = principal_rows(patches, 2, 2, 2)[0].flatten()
    assert abs(float(row @ direction)) > 0.99


def test_orthogonality_is_zero_for_a_semi_orthogonal_kernel_and_grows_with_the_kernel():
    encoder = LinearEncoder(3, 6, 4, 4)
    encoder.init_orthogonal()
    assert encoder.orthogonality() < 1e-10
    with torch.no_grad():
        encoder.weight.mul_(2)
    assert encoder.orthogonality().item() == pytest.approx(9 / 6, rel=1e-4)  # (4 - 1)^2 on 6 of 36 entries


def test_overlapping_kernel_keeps_the_code_shape():
    assert LinearEncoder(3, 5, 16, 8)(torch.zeros(1, 3, 64, 48)).shape == (1, 5, 8, 6)
    with pytest.raises(ValueError, match="even"):
        LinearEncoder(3, 5, 5, 4)


def test_centre_quantiser_takes_the_nearest_centre_and_gives_the_softmax_gradient():
    quantiser = CentreQuantiser(3)
    with torch.no_grad():
        quantiser.centres.copy_(torch.tensor([-1.0, 0.0, 2.0]))
    y = torch.tensor([[[[-0.6, -0.4, 0.9, 1.1]]]], requires_grad=True)
    rate = torch.zeros(1, dtype=torch.long)
    assert quantiser.symbols(y, rate).flatten().tolist() == [0, 1, 1, 2]
    values, _ = quantiser(y, rate)
    assert torch.allclose(values, torch.tensor([-1.0, 0.0, 0.0, 2.0]))
    values.sum().backward()
    # (13) differentiated by hand: d/dy sum_j softmax_j(-|y - c_j|) c_j
    c = torch.tensor([-1.0, 0.0, 2.0])
    u = y.detach().flatten()[:, None]
    p = torch.softmax(-(u - c).abs(), 1)
    s = -torch.sign(u - c)
    expected = (p * (s - (p * s).sum(1, keepdim=True)) * c).sum(1)
    assert torch.allclose(y.grad.flatten(), expected, atol=1e-6)


def test_step_quantiser_rounds_with_a_dead_zone_clips_and_is_straight_through():
    quantiser = StepQuantiser(torch.tensor([[0.5], [2.0]]), 5, dead_zone=0.1)
    y = torch.tensor([0.29, 0.31, -0.31, 9.0]).view(1, 1, 1, 4).requires_grad_()
    fine = torch.tensor([0])
    assert quantiser.symbols(y, fine).flatten().tolist() == [2, 3, 1, 4]  # thresholds at 0.6 of a step
    values, q = quantiser(y, fine)
    assert values.flatten().tolist() == pytest.approx([0, 0.5, -0.5, 1.0])
    assert q.flatten().tolist() == [0, 1, -1, 2]
    values.sum().backward()
    assert torch.allclose(y.grad, torch.ones_like(y))
    assert quantiser.symbols(y, torch.tensor([1])).flatten().tolist() == [2, 2, 2, 4]
    with pytest.raises(ValueError, match="odd"):
        StepQuantiser(torch.ones(1, 1), 4, 0.1)


def test_rate_model_uses_only_what_was_coded_before():
    torch.manual_seed(1)
    model = ContextRateModel(4, 1)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.3 * torch.randn_like(p))
    q = torch.randint(-2, 3, (1, 4, 5, 6)).float()
    rate = torch.zeros(1, dtype=torch.long)
    before = model(q, rate)
    changed = q.clone()
    changed[0, 2, 2, 3] += 3
    after = model(q, rate, known=changed)
    moved = (after - before).abs() > 1e-6
    order = torch.arange(5 * 6 * 4).view(5, 6, 4).permute(2, 0, 1)  # rows, columns, channels
    assert moved.any()
    assert order[moved[0]].min() > order[2, 2, 3]


def test_rate_model_learns_the_entropy_of_independent_symbols():
    torch.manual_seed(2)
    model = ContextRateModel(1, 1)
    rate = torch.zeros(8, dtype=torch.long)
    optimiser = torch.optim.Adam(model.parameters(), 0.05)
    draw = lambda: torch.where(torch.rand(8, 1, 16, 16) < 0.1, torch.sign(torch.randn(8, 1, 16, 16)), torch.zeros(()))  # noqa: E731
    for _ in range(150):
        loss = model(draw(), rate).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    entropy = -(0.9 * torch.log2(torch.tensor(0.9)) + 0.1 * torch.log2(torch.tensor(0.05)))
    assert loss.item() == pytest.approx(entropy.item(), rel=0.12)


def test_spectral_norm_bounds_every_decoder_layer():
    codec = Codec(PAPER)
    with torch.no_grad():
        for layer in codec.decoder.modules():
            if hasattr(layer, "parametrizations"):
                layer.parametrizations.weight.original.mul_(7)
    codec.train()
    for _ in range(30):
        codec.decoder(torch.randn(1, 6, 8, 8), torch.zeros(1, dtype=torch.long))
    codec.eval()
    values = largest_singular_values(codec.decoder)
    assert len(values) == sum(
        isinstance(m, (torch.nn.Conv2d, torch.nn.ConvTranspose2d)) for m in codec.decoder.modules()
    )
    assert max(values.values()) == pytest.approx(1, abs=0.05)


def test_normalise_spectrum_draws_zero_kernels_anew():
    layer = torch.nn.Sequential(torch.nn.Conv2d(3, 3, 3))
    torch.nn.init.zeros_(layer[0].weight)
    normalise_spectrum(layer)
    assert largest_singular_values(layer)["0"] == pytest.approx(1, abs=1e-2)


@pytest.mark.parametrize("config", [PAPER, CONTEXT], ids=lambda c: c.form)
def test_codec_calibrates_saves_and_loads(config, tmp_path):
    torch.manual_seed(3)
    codec = Codec(config)
    pictures = torch.randint(0, 256, (4, 3, 32, 32)).float()
    codec.calibrate(pictures)
    path = tmp_path / "codec.pt"
    save(codec, path, command="test", seed=3)
    loaded, facts = load(path)
    assert facts == {"command": "test", "seed": 3}
    assert loaded.config == config
    rate = torch.zeros(4, dtype=torch.long)
    symbols = loaded.coded(pictures, rate)["symbols"]
    assert torch.equal(symbols, codec.coded(pictures, rate)["symbols"])
    assert int(symbols.min()) >= 0 and int(symbols.max()) < config.levels
    assert loaded.reconstruct(symbols, rate).shape == pictures.shape


@pytest.mark.parametrize("path", sorted((Path(__file__).resolve().parents[1] / "codecs").glob("*.json")), ids=str)
def test_configurations_that_come_with_the_toolkit_are_complete(path):
    codec = Codec(CodecConfig.from_json(json.loads(path.read_text())))
    assert codec.quantiser.rates == codec.config.rates == max(1, len(codec.config.rates_kb))


def test_context_codec_starts_as_its_transform():
    """Before training, a complete transform with fine steps gives the picture back."""
    config = dataclasses.replace(CONTEXT, channels=48, levels=255, partition="somewhere")
    codec = Codec(config)
    pictures = torch.rand(6, 3, 32, 32) * 255
    codec.calibrate(pictures, steps=torch.full((3, 48), 0.04))
    rate = torch.zeros(6, dtype=torch.long)
    assert (codec.reconstruct(codec.coded(pictures, rate)["symbols"], rate) - pictures).abs().max() < 12


def test_rate_control_raises_the_weight_of_a_rate_that_costs_too_much():
    control = RateControl((1.0, 2.0))
    start = list(control.log_weight)
    control.loss(0, torch.tensor(4.0), steer=True)
    control.loss(1, torch.tensor(1.0), steer=True)
    assert control.log_weight[0] > start[0] and control.log_weight[1] < start[1]


def test_an_alternate_is_the_neighbour_within_reach_and_no_other():
    quantiser = StepQuantiser(torch.full((1, 1), 0.5), levels=7, dead_zone=0.12)
    y = torch.linspace(-2.2, 2.2, 4001).view(1, 1, 1, -1)
    rate = torch.zeros(1, dtype=torch.long)
    symbols, alternates = quantiser.symbols(y, rate), quantiser.alternates(y, rate)
    distance = ((alternates - 3) * 0.5 - y).abs() / 0.5
    other = alternates != symbols
    assert 0.3 < other.float().mean() < 0.7
    assert (alternates - symbols).abs().max() == 1
    assert (alternates >= 0).all() and (alternates < 7).all()
    assert distance[other].max() <= 0.5 + HOLD + 1e-5
    # where there is none, the nearest neighbour on either side is out of reach or no centre at all
    for neighbour in (symbols - 1, symbols + 1):
        far = ((neighbour - 3) * 0.5 - y).abs() / 0.5 > 0.5 + HOLD - 1e-5
        assert (far | (neighbour < 0) | (neighbour > 6) | (neighbour == alternates))[~other].all()
