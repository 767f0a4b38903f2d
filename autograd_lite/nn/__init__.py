"""Neurons, layers and losses, `clip_grad_norm`, and modules whose parameters have names and can be saved."""
from autograd_lite.graph.foreign import lacking as _lacking
from autograd_lite.nn.clipping import clip_grad_norm
from autograd_lite.nn.layers import MLP, Layer, Neuron, activation_names, linear
from autograd_lite.nn.losses import binary_cross_entropy, hinge, softmax_cross_entropy, squared_error
from autograd_lite.nn.module import Module

__all__ = ["MLP", "Layer", "Module", "Neuron", "activation_names", "binary_cross_entropy", "clip_grad_norm",
           "hinge", "linear", "softmax_cross_entropy", "squared_error"]
__dir__ = __all__.copy                          # (completion offers no more)
globals()["__getattr__"] = _lacking(__name__)   # (unseen by type checkers, for which there would be any name)
