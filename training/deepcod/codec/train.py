"""Training of one codec, in the paper's two phases: (10) until converged, then (11) added; no labels."""

from __future__ import annotations

import json
import math
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import tqdm

from ..errors import DeepcodError
from .codec import Codec, CodecConfig, open_codec, save
from .data import Pictures
from .distil import Distillation
from .service import Service
from .spectral import largest_singular_values

# steps in which the learning rate rises and the rate weights stand still while the rate model finds its feet
WARM_UP = 100


@dataclass(frozen=True)
class TrainOptions:
    """`minutes` of training in all, resumed runs included; `reconstruction` is phase one's share of it.

    `crop` trains on windows of that many pixels a side instead of whole pictures: a multiple of the service's largest
    stride.
    """

    minutes: float
    batch: int = 24
    learning_rate: float = 3e-4
    linear: float = 0.03
    reconstruction: float = 0.2
    reconstruction_weight: float = 0.3
    outputs_weight: float = 1.0
    orthogonality_weight: float = 10.0
    ema: float = 0.999
    seed: int = 1
    save_every: float = 60.0
    crop: int | None = None
    max_steps: int | None = None


class RateControl:
    """One weight of the rate term for each rate, steered until the mean payload is the one aimed at.

    The loss is `log D + w log R`: a codec on the curve trades a per cent of one for `w` per cent of the other.
    """

    def __init__(self, targets_kb: tuple[float, ...]) -> None:
        self.targets = targets_kb
        self.log_weight = [math.log(0.5)] * len(targets_kb)

    def loss(self, rate: int, kb: Tensor, *, steer: bool) -> Tensor:
        if steer:
            error = math.log(kb.item() / self.targets[rate])
            self.log_weight[rate] += 0.05 * max(-0.7, min(0.7, error))
            self.log_weight[rate] = max(-5.0, min(3.0, self.log_weight[rate]))
        return math.exp(self.log_weight[rate]) * kb.log()


class Average:
    """Exponential average of the weights; what is saved."""

    def __init__(self, codec: Codec, decay: float) -> None:
        self.codec = Codec(codec.config).to(next(codec.parameters()).device)
        self.codec.load_state_dict(codec.state_dict())
        self.codec.requires_grad_(False).eval()
        self.decay = decay

    @torch.no_grad()
    def update(self, codec: Codec, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        mine, theirs = self.codec.state_dict(), codec.state_dict()
        floating = [k for k, v in mine.items() if v.is_floating_point()]
        torch._foreach_lerp_([mine[k] for k in floating], [theirs[k] for k in floating], 1 - decay)


def parameter_groups(codec: Codec, options: TrainOptions) -> list[dict]:
    """Learning rates relative to the residual decoder's.

    Steps, centres and the rate model are few and well scaled: faster. The linear pair, encoder and synthesis, starts
    as a transform and its inverse (`options.linear`): where that is a good one already, as the DCT of a picture,
    the noise of large updates costs more than they gain.
    """
    learning_rate = options.learning_rate
    linear = ("encoder.", "decoder.synthesis.") if codec.config.form == "context" else ()
    factors = {"quantiser.": 4.0, "rate_model.": 10.0} | dict.fromkeys(linear, options.linear)
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in codec.named_parameters():
        factor = next((f for prefix, f in factors.items() if name.startswith(prefix)), 1.0)
        groups.setdefault(factor, []).append(parameter)
    return [{"params": p, "lr": learning_rate, "factor": f} for f, p in groups.items()]


def train(
    config: CodecConfig,
    service: Service,
    pictures: Pictures,
    out: Path,
    options: TrainOptions,
    device: torch.device,
    *,
    command: str = "",
    start: Path | None = None,
    report=print,
) -> Codec:
    """Train and write `out` (codec, averaged weights) and `out` + `.resume` (everything to go on); returns the average.

    `start` is a trained codec to begin with instead of a calibrated transform; its structure must be `config`'s.

    Resumes from `out` + `.resume` if it is there. The learning rate follows elapsed time, so that a run cut into
    sessions anneals once. Reports one JSON line a hundred steps.
    """
    torch.manual_seed(options.seed)
    generator = torch.Generator(device=device).manual_seed(options.seed)
    prefix, remainder, features = service.halves(config.partition)
    for half in filter(None, (prefix, remainder)):
        half.to(device).any_size = options.crop is not None
    distil = Distillation(remainder, features, service.facts["decode"]["type"], options.outputs_weight)
    codec = Codec(config).to(device)
    control = RateControl(config.rates_kb) if config.form == "context" else None
    resume = out.with_name(out.name + ".resume")
    step, elapsed = 0, 0.0
    trained, earlier = open_codec(start) if start else (None, {})
    optimiser = torch.optim.AdamW(
        parameter_groups(codec, options), betas=(0.9, 0.98), weight_decay=0.0, fused=device.type == "cuda"
    )
    if resume.exists():
        state = torch.load(resume, map_location=device, weights_only=False)
        codec.load_state_dict(state["codec"])
        optimiser.load_state_dict(state["optimiser"])
        step, elapsed = state["step"], state["elapsed"]
        if control:
            control.log_weight = state["control"]
        average = Average(codec, options.ema)
        average.codec.load_state_dict(state["average"])
        generator.manual_seed(options.seed + step)
    elif trained is not None:
        if replace(trained.config, rates_kb=config.rates_kb, dead_zone=config.dead_zone) != config or (
            len(trained.config.rates_kb) != len(config.rates_kb)
        ):
            raise DeepcodError(f"{start}: a codec of another structure: {trained.config}", f"wanted: {config}")
        codec.load_state_dict(trained.state_dict())
        average = Average(codec, options.ema)
    else:
        with torch.no_grad():
            codec.calibrate(
                service.source(prefix, pictures.batch(64 if device.type == "cuda" else 8, generator)).float()
            )
        average = Average(codec, options.ema)
    codec.to(memory_format=torch.channels_last)
    started = time.monotonic() - elapsed
    saved = elapsed
    budget = options.minutes * 60
    symbols = config.code[0] * config.code[1] * config.channels
    # a window's payload, scaled to a whole picture's content: padding costs next to nothing
    area = pictures.content.prod(1).float().mean().item() / options.crop**2 if options.crop else 1.0

    def write() -> None:
        save(
            average.codec,
            out,
            command=command,
            **({"start": {k: earlier.get(k) for k in ("command", "minutes", "steps", "start")}} if start else {}),
            seed=options.seed,
            minutes=round(elapsed / 60, 2),
            steps=step,
            device=str(device),
            pictures=len(pictures),
        )
        temporary = resume.with_suffix(".tmp")
        state = {
            "codec": codec.state_dict(),
            "average": average.codec.state_dict(),
            "optimiser": optimiser.state_dict(),
        }
        torch.save(
            state | {"step": step, "elapsed": elapsed, "control": control.log_weight if control else None},
            temporary,
        )
        temporary.replace(resume)

    log: dict[str, list[Tensor]] = {}
    bar = tqdm(total=round(budget), initial=round(elapsed), unit="s", desc=out.stem, disable=not sys.stderr.isatty())
    while elapsed < budget and (options.max_steps is None or step < options.max_steps):
        progress = elapsed / budget
        phase = 1 if progress < options.reconstruction else 2
        factor = min(1.0, (step + 1) / WARM_UP) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))
        for group in optimiser.param_groups:
            group["lr"] = options.learning_rate * factor * group["factor"]
        rate_index = int(torch.randint(config.rates, (), generator=generator, device=device))
        rate = torch.full((options.batch,), rate_index, device=device)
        with torch.autocast(device.type, torch.bfloat16):
            with torch.no_grad():
                source = service.source(prefix, pictures.batch(options.batch, generator, options.crop)).contiguous(
                    memory_format=torch.channels_last
                )
                targets = distil.targets(source) if phase == 2 else None
            x, y, q = codec(source, rate)
            reconstruction = (x - y.float()).square().mean()
            if phase == 2:
                feature, output = distil(codec.denormalise(y.to(source.dtype)), targets)
            else:
                feature = output = torch.zeros((), device=device)
        orthogonality = codec.encoder.orthogonality()
        distortion = reconstruction if phase == 1 else options.reconstruction_weight * reconstruction + feature + output
        loss = distortion
        if control is not None:
            kb = codec.rate_model(q, rate).sum() * area / (8192 * options.batch)
            loss = distortion.clamp_min(1e-9).log() + control.loss(rate_index, kb, steer=step >= WARM_UP)
        else:
            kb = torch.full((), symbols * math.log2(config.levels) / 8192)
        loss = loss + options.orthogonality_weight * orthogonality
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(codec.parameters(), 1.0)
        if not torch.isfinite(norm):
            raise FloatingPointError(
                f"{out.name}: gradient not finite at step {step}; resume with a lower --learning-rate"
            )
        optimiser.step()
        average.update(codec, step)
        step += 1
        elapsed = time.monotonic() - started
        bar.update(min(round(elapsed), round(budget)) - bar.n)
        facts = {
            "reconstruction": reconstruction,
            "feature": feature,
            "output": output,
            "orthogonality": orthogonality,
            f"kb{rate_index}": kb,
            f"d{rate_index}": distortion,
        }
        for key, value in facts.items():
            log.setdefault(key, []).append(value.detach())
        if step % 100 == 0 or step == 1:
            line = {"name": out.stem, "step": step, "minutes": round(elapsed / 60, 2), "phase": phase}
            line |= {k: round(float(torch.stack(v).mean()), 5) for k, v in sorted(log.items())}
            sizes = torch.stack([kb for k, v in log.items() if k.startswith("kb") for kb in v])
            line["bits_per_symbol"] = round(float(sizes.mean()) * 8192 / symbols, 4)
            if step % 1000 == 0 or config.form == "paper":
                values = largest_singular_values(codec.decoder)
                line["largest_singular_value"] = round(max(values.values()), 3)
                line["singular_values"] = {name: round(v, 3) for name, v in values.items()}
            report(json.dumps(line))
            log = {}
        if elapsed - saved > options.save_every:
            write()
            saved = elapsed
    bar.close()
    write()
    return average.codec
