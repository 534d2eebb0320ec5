"""Which entry of a baked Reshape target is the batch.

Exporters often write a graph for batch 1 and bake its shapes in: `Reshape(x, [1, 85, 2704])`. To run such a graph
with any batch, every baked target must say which of its entries grows with the batch. The rule:

1. Run the graph's shapes twice, without data (torch's meta device): at the batch it was written for, and at twice that.
2. The one axis of the Reshape's input that doubled carries the batch. Let P be the product of the lengths before it.
3. Row-major order is kept by the entry k of the target with prod(target[:k]) = P: that entry is the batch's.
   Where several qualify (entries of length 1), the one whose length is the batch itself; else the first.
4. If no entry qualifies, the graph mixes the batch into another axis, and only its own batch can be run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


class BatchIsFixed(ValueError):
    """The graph cannot be run at another batch size than the one that it was written for."""


def batch_entry(
    name: str, written: Sequence[int], doubled: Sequence[int], target: Sequence[int]
) -> tuple[int, int, int] | None:
    """(axis of the input, its written length, entry of the target) for a Reshape, or None if no batch passes it.

    written, doubled: the input's shape at the graph's own batch and at twice that; target: the Reshape's target with
    zeros resolved; it may hold one -1.
    """
    grown = [i for i, (a, b) in enumerate(zip(written, doubled, strict=True)) if a != b]
    if not grown:
        return None
    if len(grown) > 1:
        raise BatchIsFixed(f"Reshape '{name}': the batch is spread over axes {grown} of its input")
    axis = grown[0]
    before = math.prod(written[:axis])
    full = list(target)
    if -1 in full:
        rest = -math.prod(full)
        full[full.index(-1)] = math.prod(written) // rest if rest else 0
    fits = [k for k in range(len(full)) if math.prod(full[:k]) == before]
    if not fits:
        raise BatchIsFixed(f"Reshape '{name}': target {list(target)} mixes the batch (axis {axis} of {list(written)})")
    own = [k for k in fits if full[k] == written[axis]]
    return axis, written[axis], (own or fits)[0]
