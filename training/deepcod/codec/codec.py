"""The codec for one partition point: normalise, encode, quantise, dequantise, decode."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from .decoder import Decoder, DecoderShape
from .encoder import LinearEncoder, dct_rows, principal_rows
from .quantiser import CentreQuantiser, StepQuantiser
from .rate import ContextRateModel
from .spectral import bake, normalise_spectrum


@dataclass(frozen=True)
class CodecConfig:
    """Everything that fixes a codec's structure; stored beside its weights.

    `form` is "paper" (equations 5 to 13: shared centres, one rate, spectral norm, no rate term) or "context" (steps per
    channel and rate, a rate term, linear synthesis beside the residual decoder). `tensor` names the service's tensor
    at the partition point; `source` is its (channels, height, width). `rates_kb` are the payloads aimed at, one a rate.
    """

    form: str
    partition: str
    tensor: str
    source: tuple[int, int, int]
    channels: int
    kernel: int
    stride: int
    levels: int
    decoder: DecoderShape
    rates_kb: tuple[float, ...] = ()
    channel_order: str = "rgb"
    dead_zone: float = 0.12

    @property
    def rates(self) -> int:
        return max(1, len(self.rates_kb))

    @property
    def code(self) -> tuple[int, int, int]:
        """Code shape (height, width, channels)."""
        return self.source[1] // self.stride, self.source[2] // self.stride, self.channels

    def to_json(self) -> dict:
        return asdict(self)

    @staticmethod
    def from_json(data: dict) -> CodecConfig:
        data = dict(data)
        data["decoder"] = DecoderShape(*(tuple(data["decoder"][k]) for k in ("widths", "blocks")))
        for key in ("source", "rates_kb"):
            data[key] = tuple(data.get(key, ()))
        return CodecConfig(**data)


class Codec(nn.Module):
    """`source` is the service's tensor as it is; the codec works on it normalised per channel (`mean`, `deviation`)."""

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        if config.form not in ("paper", "context"):
            raise ValueError(f"form {config.form!r}: use 'paper' or 'context'")
        paper = config.form == "paper"
        self.config = config
        c = config.source[0]
        self.register_buffer("mean", torch.zeros(c))
        self.register_buffer("deviation", torch.ones(c))
        self.encoder = LinearEncoder(c, config.channels, config.kernel, config.stride)
        self.decoder = Decoder(
            config.channels, c, config.kernel, config.stride, config.decoder, config.rates, synthesis=not paper
        )
        if paper:
            self.encoder.init_orthogonal()
            self.quantiser = CentreQuantiser(config.levels)
            normalise_spectrum(self.decoder)
            self.rate_model = None
        else:
            self.quantiser = StepQuantiser(
                torch.full((config.rates, config.channels), 0.1), config.levels, config.dead_zone
            )
            self.rate_model = ContextRateModel(config.channels, config.rates)

    def normalise(self, source: Tensor) -> Tensor:
        return (source - self.mean[:, None, None]) / self.deviation[:, None, None]

    def denormalise(self, x: Tensor) -> Tensor:
        return x * self.deviation[:, None, None] + self.mean[:, None, None]

    def coded(self, source: Tensor, rate: Tensor) -> dict[str, Tensor]:
        """What the head gives, by output: `symbols`, the code `[N, channels, h, w]` of indices, and `alternates` of the
        same shape where frames can be predicted (see `StepQuantiser.alternates`)."""
        y = self.encoder(self.normalise(source))
        coded = {"symbols": self.quantiser.symbols(y, rate)}
        if isinstance(self.quantiser, StepQuantiser):
            coded["alternates"] = self.quantiser.alternates(y, rate)
        return coded

    def reconstruct(self, symbols: Tensor, rate: Tensor) -> Tensor:
        """The source again, from symbols: what the tail does before the remainder."""
        return self.denormalise(self.decoder(self.quantiser.values(symbols, rate), rate))

    def forward(self, source: Tensor, rate: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Normalised source, its normalised reconstruction, and centred symbols (both differentiable)."""
        x = self.normalise(source)
        with torch.autocast(x.device.type, enabled=False):
            y = self.encoder(x.float())
            z, q = self.quantiser(y, rate)
        return x, self.decoder(z, rate), q

    def _scale_for(self, y: Tensor, kb: float) -> float:
        """The step at which `y` costs `kb` a frame: bisection on the entropy of each channel.

        Contexts save about a quarter of that entropy, which the estimate takes off.
        """
        low, high = y.std().item() / 200, y.std().item() * 20
        area = self.config.code[0] * self.config.code[1]
        for _ in range(14):
            step = (low * high) ** 0.5
            q = self.quantiser.quantise(y / step).transpose(0, 1).flatten(1).long()
            bits = 0.0
            for channel in q - q.min():
                p = torch.bincount(channel).double() / channel.numel()
                bits += float(-(p[p > 0] * p[p > 0].log2()).sum())
            low, high = (step, high) if 0.75 * bits * area / 8192 > kb else (low, step)
        return step

    @torch.no_grad()
    def calibrate(self, source: Tensor, steps: Tensor | None = None) -> None:
        """Set the normalisation, the start of the encoder, of the linear synthesis and of the steps from examples.

        At the input the transform starts as a block DCT, elsewhere as the principal components of the patches.
        """
        cfg = self.config
        if cfg.partition == "input":
            scale = 255.0 if source.max() > 2 else 1.0
            self.mean.fill_(scale / 2)
            self.deviation.fill_(scale / 2)
        else:
            self.mean.copy_(source.mean((0, 2, 3)))
            self.deviation.copy_(source.std((0, 2, 3)).clamp_min(1e-6))
        x = self.normalise(source)
        if cfg.form == "paper":
            y = self.encoder(x)
            spread = (
                y.abs().flatten().kthvalue(int(0.98 * y.numel())).values.item()
                if y.numel() < 2**24
                else 2 * y.std().item()
            )
            self.quantiser.centres.copy_(torch.linspace(-spread, spread, cfg.levels))
            return
        if cfg.partition == "input":
            rows = dct_rows(cfg.channels, cfg.stride, cfg.channel_order)
        else:
            patches = nn.functional.unfold(x, cfg.stride, stride=cfg.stride).transpose(1, 2).flatten(0, 1)
            rows = principal_rows(patches[:: max(1, len(patches) // 40000)], cfg.channels, cfg.source[0], cfg.stride)
        self.encoder.init_rows(rows.to(source.device))
        self.decoder.synthesis.weight.copy_(self.encoder.weight)
        nn.init.zeros_(self.decoder.synthesis.bias)
        y = self.encoder(x)
        deviation = y.std((0, 2, 3)).clamp_min(1e-6)
        self.decoder.code_scale.copy_(1 / deviation)
        if steps is None:
            # coarser where less energy is: a mild slope, which training then shapes
            slope = (deviation / deviation.max()).pow(-0.15)
            steps = torch.stack([slope * self._scale_for(y / slope[:, None, None], kb) for kb in cfg.rates_kb])
        self.quantiser.log_step.copy_(steps.log())
        few = y[:8]
        self.rate_model.fit([self.quantiser.quantise(few / step[:, None, None]) for step in steps])


#: Tensors kept in single precision: few, and every symbol depends on them.
EXACT = ("mean", "deviation", "encoder.", "quantiser.", "decoder.code_scale")


def save(codec: Codec, path: Path, **facts: object) -> None:
    """Write configuration, weights (half precision but for `EXACT`) and `facts` (command, seed, time, ...)."""
    state = {
        k: v.half() if v.is_floating_point() and not k.startswith(EXACT) else v for k, v in codec.state_dict().items()
    }
    temporary = path.with_suffix(".tmp")
    torch.save({"config": codec.config.to_json(), "state": state, "facts": facts}, temporary)
    temporary.replace(path)


def open_codec(path: Path) -> tuple[Codec, dict]:
    """The codec as it was saved, to train on, and the facts stored with it."""
    data = torch.load(path, map_location="cpu", weights_only=True)
    codec = Codec(CodecConfig.from_json(data["config"]))
    codec.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in data["state"].items()})
    return codec, data["facts"]


def load(path: Path) -> tuple[Codec, dict]:
    """The codec for inference (kernels of the decoder exact in half precision) and the facts stored with it."""
    codec, facts = open_codec(path)
    codec.eval()
    bake(codec.decoder)
    with torch.no_grad():
        for layer in codec.decoder.modules():
            if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
                layer.weight.copy_(layer.weight.half())
    return codec.requires_grad_(False), facts
