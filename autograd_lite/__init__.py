"""Ordinary Python arithmetic on scalars, differentiated exactly, drawn and checked.

>>> import autograd_lite as ag
>>> x = ag.Value(2.0, "x")
>>> y = ag.sin(x) * x
>>> y.backward()
>>> x.grad == ag.sin(2.0) + 2.0 * ag.cos(2.0)
True
"""
from autograd_lite import nn, optim
from autograd_lite.checks.audit import Report, audit
from autograd_lite.checks.check_gradients import check_gradients, check_op
from autograd_lite.checks.explain import explain
from autograd_lite.drawing import draw, render
from autograd_lite.errors import (AuditError, AutogradError, AutogradWarning, DivisionError, DomainError,
                                  FormatError, GradientError, InputError, LabelError, MissingError,
                                  NumericError, RangeError, RenderError, errstate)
from autograd_lite.graph.labels import label
from autograd_lite.graph.recording import no_grad, record_lines
from autograd_lite.graph.value import Value
from autograd_lite.ops.activations import (elu, gelu, leaky_relu, log_sigmoid, relu, sigmoid, silu, softplus)
from autograd_lite.ops.branches import select
from autograd_lite.ops.custom import custom_op
from autograd_lite.ops.elementary import (acos, acosh, asin, asinh, atan, atanh, cbrt, cos, cosh, exp, exp2,
                                          expm1, log, log1p, log2, log10, sech2, sin, sinh, sqrt, tan, tanh)
from autograd_lite.ops.geometry import absolute as abs, atan2, hypot, maximum, minimum
from autograd_lite.ops.op import Op
from autograd_lite.ops.normal import digamma, erf, erfc, lgamma, normal_cdf, normal_pdf, polygamma
from autograd_lite.ops.selection import (equal, greater, greater_equal, less, less_equal, not_equal, where)
from autograd_lite.ops.sequences import dot, logsumexp, mean, softmax, sum
from autograd_lite.transforms.colouring import colours
from autograd_lite.transforms.evaluation import evaluate
from autograd_lite.transforms.gradients import grad, stop_gradient, value_and_grad
from autograd_lite.transforms.jacobians import hessian, hvp, jacobian, jvp, vjp
from autograd_lite.transforms.series import derivative, taylor

__version__ = "0.1.0"

__all__ = [
    "derivative", "grad", "hessian", "hvp", "jacobian", "jvp", "stop_gradient", "taylor",
    "value_and_grad", "vjp", "colours",
    "draw", "render", "evaluate", "explain", "record_lines",
    "audit", "Report", "check_gradients", "check_op", "nn", "optim",
    "abs", "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "AuditError",
    "AutogradError", "AutogradWarning", "cbrt", "cos", "cosh", "custom_op", "digamma", "DivisionError",
    "DomainError", "dot", "elu", "erf", "erfc", "errstate", "exp", "exp2", "expm1", "FormatError",
    "gelu", "GradientError", "hypot", "InputError", "label", "LabelError", "leaky_relu", "lgamma",
    "log", "log10", "log1p", "log2", "log_sigmoid", "logsumexp", "maximum", "mean", "minimum",
    "MissingError", "no_grad", "normal_cdf", "normal_pdf", "NumericError", "polygamma", "RangeError", "relu",
    "RenderError", "sech2", "sigmoid", "silu", "sin", "sinh", "softmax", "softplus", "sqrt",
    "sum", "tan", "tanh", "Value", "equal", "greater", "greater_equal", "less", "less_equal", "not_equal",
    "select", "where", "Op",
]
