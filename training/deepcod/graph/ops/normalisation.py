"""Normalisations at inference, and softmax."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from .registry import Kernel, OpNode, operator


@operator("BatchNormalization")
def batch_norm(node: OpNode) -> Kernel:
    """(x - mean) / sqrt(variance + epsilon) * scale + bias, statistics frozen."""
    epsilon = node.attribute("epsilon", 1e-5)
    if node.attribute("training_mode", 0):
        raise node.refuse("training mode is not covered", "Export the model in evaluation mode.")
    return lambda x, scale, bias, mean, var: F.batch_norm(x, mean, var, scale, bias, False, 0.0, epsilon)


@operator("InstanceNormalization")
def instance_norm(node: OpNode) -> Kernel:
    """Normalise each channel of each picture."""
    epsilon = node.attribute("epsilon", 1e-5)
    return lambda x, scale, bias: F.instance_norm(x, None, None, scale, bias, True, 0.0, epsilon)


@operator("LayerNormalization")
def layer_norm(node: OpNode) -> Kernel:
    """Normalise over the axes from `axis` to the last."""
    axis, epsilon = node.attribute("axis", -1), node.attribute("epsilon", 1e-5)
    if len(node.outputs) > 1:
        raise node.refuse("the Mean and InvStdDev outputs are not covered", "Export the model without them.")

    def run(x: torch.Tensor, scale: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        return F.layer_norm(x, x.shape[axis:], scale, bias, epsilon)

    return run


@operator("Softmax", "LogSoftmax")
def softmax(node: OpNode) -> Kernel:
    """Over one axis since opset 13; before that over everything from `axis` on."""
    function = F.softmax if node.op == "Softmax" else F.log_softmax
    axis = node.attribute("axis", -1 if node.opset >= 13 else 1)
    if node.opset >= 13:
        return lambda x: function(x, dim=axis)
    return lambda x: function(x.flatten(axis), dim=-1).reshape(x.shape)
