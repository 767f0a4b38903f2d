"""Neurons, layers and losses, and modules whose parameters have names and can be saved."""
from autograd_lite.nn.layers import (Layer, MLP, Module, Neuron, activation_names, binary_cross_entropy, hinge,
                                     linear, softmax_cross_entropy, squared_error)

__all__ = ["Layer", "MLP", "Module", "Neuron", "activation_names", "binary_cross_entropy", "hinge", "linear",
           "softmax_cross_entropy", "squared_error"]
