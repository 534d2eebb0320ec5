"""YOLOv3's own network with every width scaled.

The layers are those of darknet's `yolov3.cfg`: Darknet-53 without its classifier (strides 2 to 32, residual
blocks 1, 2, 8, 8, 4), three heads, two upsampled joins. `width` scales all filters; 0.25 gives the
work-site service. The heads are named by stride and return raw maps [N, 3*(5+C), h, w], whose channels are
anchor-major: (tx, ty, tw, th, objectness, classes...) for anchor 0, then 1, then 2.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDES = (8, 16, 32)
CLASSES = ("head", "helmet")
INPUT = 416
PAD = 114
BLOCKS = (1, 2, 8, 8, 4)


class ConvBlock(nn.Module):
    """darknet's `[convolutional]`: convolution without bias, batch normalisation, leaky ReLU of slope 0.1."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-5, momentum=0.03)

    def forward(self, x: Tensor) -> Tensor:
        return functional.leaky_relu(self.bn(self.conv(x)), 0.1, inplace=True)


class Residual(nn.Module):
    """Two convolutions (1x1 to half the width, 3x3 back) and a `[shortcut]`."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.reduce = ConvBlock(channels, channels // 2, 1)
        self.expand = ConvBlock(channels // 2, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.expand(self.reduce(x))


def neck(inputs: int, channels: int) -> nn.Sequential:
    """The five convolutions before a head: 1x1, 3x3, 1x1, 3x3, 1x1."""
    wide = channels * 2
    return nn.Sequential(
        ConvBlock(inputs, channels, 1),
        ConvBlock(channels, wide, 3),
        ConvBlock(wide, channels, 1),
        ConvBlock(channels, wide, 3),
        ConvBlock(wide, channels, 1),
    )


class Head(nn.Module):
    """A 3x3 convolution and the linear 1x1 convolution that ends in a `[yolo]` layer."""

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__()
        self.conv = ConvBlock(channels, channels * 2, 3)
        self.out = nn.Conv2d(channels * 2, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.conv(x))


class Yolov3(nn.Module):
    """Pictures [N, 3, H, W] (RGB, 0..1, sides divisible by 32) to raw maps at strides 8, 16 and 32."""

    def __init__(self, classes: int = len(CLASSES), width: float = 0.25, anchors: int = 3) -> None:
        super().__init__()

        def w(filters: int) -> int:
            return max(1, round(filters * width))

        self.classes, self.width = classes, width
        outputs = anchors * (5 + classes)
        self.stem = ConvBlock(3, w(32), 3)
        stages = []
        for i, blocks in enumerate(BLOCKS):
            channels = w(64 << i)
            stages.append(
                nn.Sequential(ConvBlock(w(32 << i), channels, 3, 2), *(Residual(channels) for _ in range(blocks)))
            )
        self.stages = nn.ModuleList(stages)
        self.neck32, self.head32 = neck(w(1024), w(512)), Head(w(512), outputs)
        self.to16 = ConvBlock(w(512), w(256), 1)
        self.neck16, self.head16 = neck(w(256) + w(512), w(256)), Head(w(256), outputs)
        self.to8 = ConvBlock(w(256), w(128), 1)
        self.neck8, self.head8 = neck(w(128) + w(256), w(128)), Head(w(128), outputs)
        self._initialise()

    def _initialise(self) -> None:
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, a=0.1, nonlinearity="leaky_relu")
        for m in self.modules():  # Residual branches start small, so that depth does not amplify.
            if isinstance(m, Residual):
                nn.init.constant_(m.expand.bn.weight, 0.5)
        for head in (self.head8, self.head16, self.head32):
            nn.init.normal_(head.out.weight, std=0.01)
            bias = torch.zeros(head.out.out_channels).view(-1, 5 + self.classes)
            bias[:, 4] = -4.6  # objectness 0.01
            head.out.bias.data.copy_(bias.flatten())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Raw maps (o8, o16, o32)."""
        x = self.stem(x)
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        n32 = self.neck32(features[4])
        up = functional.interpolate(self.to16(n32), scale_factor=2.0, mode="nearest")
        n16 = self.neck16(torch.cat([up, features[3]], 1))  # darknet: route = upsampled, then backbone
        up = functional.interpolate(self.to8(n16), scale_factor=2.0, mode="nearest")
        n8 = self.neck8(torch.cat([up, features[2]], 1))
        return self.head8(n8), self.head16(n16), self.head32(n32)


def decode_map(raw: Tensor, anchors: Tensor, stride: int) -> tuple[Tensor, Tensor]:
    """Plain YOLOv3 decoding of one raw map [N, A*(5+C), h, w] with anchors [A, 2] in pixels.

    Returns boxes (cx, cy, w, h in pixels) [N, h, w, A, 4] and logits (objectness, classes) [N, h, w, A, 1+C].
    """
    n, channels, h, w = raw.shape
    a = len(anchors)
    raw = raw.float().view(n, a, channels // a, h, w).permute(0, 3, 4, 1, 2)
    rows, columns = torch.meshgrid(
        torch.arange(h, device=raw.device), torch.arange(w, device=raw.device), indexing="ij"
    )
    grid = torch.stack([columns, rows], -1).float()[None, :, :, None]
    centre = (raw[..., :2].sigmoid() + grid) * stride
    size = raw[..., 2:4].clamp(max=6.0).exp() * anchors
    return torch.cat([centre, size], -1), raw[..., 4:]


def decode(maps: tuple[Tensor, ...], anchors: Tensor) -> tuple[Tensor, Tensor]:
    """All maps, flattened: boxes [N, R, 4] and logits [N, R, 1+C]; anchors [3 scales, A, 2] in pixels."""
    boxes, logits = [], []
    for raw, a, stride in zip(maps, anchors, STRIDES, strict=True):
        b, s = decode_map(raw, a, stride)
        boxes.append(b.flatten(1, 3))
        logits.append(s.flatten(1, 3))
    return torch.cat(boxes, 1), torch.cat(logits, 1)


def parameters(model: nn.Module) -> int:
    """How many numbers the model learns."""
    return sum(p.numel() for p in model.parameters())


def flops(model: Yolov3, side: int = INPUT) -> int:
    """Floating-point operations (two per multiply-add) of all convolutions for one picture."""
    total = 0

    def count(m: nn.Conv2d, _: object, out: Tensor) -> None:
        nonlocal total
        total += 2 * out[0].numel() * m.weight[0].numel()

    hooks = [m.register_forward_hook(count) for m in model.modules() if isinstance(m, nn.Conv2d)]
    training = model.training
    with torch.no_grad():
        model.eval()(torch.zeros(1, 3, side, side, device=next(model.parameters()).device))
    model.train(training)
    for hook in hooks:
        hook.remove()
    return total
