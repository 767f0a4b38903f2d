"""Ordinary Python arithmetic on scalars, differentiated exactly, drawn and checked.

>>> import autograd_lite as ag
>>> x = ag.Value(2.0, "x")
>>> y = ag.sin(x) * x
>>> y.backward()
>>> x.grad == ag.sin(2.0) + 2.0 * ag.cos(2.0)
True
"""
import signal as _signal
import sys as _sys
import typing as _typing

if _sys.argv[:1] == ["-m"] and _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)     # `python -m autograd_lite` is loading; Ctrl-C ends it

from autograd_lite import nn, optim
from autograd_lite.checks.audit import audit
from autograd_lite.checks.check_gradients import check_gradients, check_op
from autograd_lite.checks.explain import explain
from autograd_lite.checks.explanation import (Explanation as Explanation, Finding as Finding, Input as Input,
                                              Path as Path)
from autograd_lite.checks.latent import Latent as Latent
from autograd_lite.checks.report import Report
from autograd_lite.checks.rows import AuditReport as AuditReport, Diagnosis as Diagnosis, Row as Row
from autograd_lite.checks.slopes import Estimate as Estimate
from autograd_lite.checks.verdicts import (Derivative as Derivative, GradientReport as GradientReport,
                                           Partial as Partial)
from autograd_lite.decorators import within as _within        # (as soon as it is loaded)
from autograd_lite.diagnosis.diagnose import diagnose
from autograd_lite.drawing.comparison import Comparison as Comparison
from autograd_lite.drawing.derivation import Derivation as Derivation
from autograd_lite.drawing import animate, derive, draw, draw_network, render
from autograd_lite.errors import (AuditError, AutogradError, AutogradWarning, DivisionError, DomainError,
                                  FormatError, GradientError, InputError, LabelError, MemberError,
                                  MissingError, NumericError, RangeError, RenderError, errstate)
from autograd_lite.graph.conventions import verify_sweep as _verify_sweep     # (as soon as it is loaded)
from autograd_lite.graph.foreign import Foreign as _Foreign         # (as soon as it is loaded)
from autograd_lite.graph.labels import label
from autograd_lite.graph.quick import quicken as _quicken     # (it serves as soon as it is loaded)
from autograd_lite.graph.recording import no_grad, record_lines
from autograd_lite.graph.states import restored as _restored            # (as soon as it is loaded)
from autograd_lite.graph.value import Value, build
from autograd_lite.lines import Line as Line
from autograd_lite.ops.activations import (elu, gelu, leaky_relu, log_sigmoid, relu, sigmoid, silu, softplus)
from autograd_lite.ops.branches import select
from autograd_lite.ops.custom import custom_op
from autograd_lite.ops.elementary import (acos, acosh, asin, asinh, atan, atanh, cbrt, cos, cosh, exp, exp2,
                                          expm1, log, log1p, log2, log10, sech2, sin, sinh, sqrt, tan, tanh)
from autograd_lite.ops.lists import take
from autograd_lite.ops.geometry import absolute as abs, atan2, hypot, maximum, minimum
from autograd_lite.ops.op import Op as Op
from autograd_lite.ops.normal import digamma, erf, erfc, lgamma, normal_cdf, normal_pdf, polygamma
from autograd_lite.ops.selection import (equal, greater, greater_equal, less, less_equal, not_equal, where)
from autograd_lite.ops.sequences import dot, log_softmax, logsumexp, mean, softmax, sum
from autograd_lite.programs.entry import compile
from autograd_lite.transforms.colouring import colours
from autograd_lite.transforms.evaluation import evaluate
from autograd_lite.transforms.gradients import grad, stop_gradient, value_and_grad
from autograd_lite.transforms.jacobians import hessian, hvp, jacobian, jvp, vjp
from autograd_lite.transforms.series import derivative, taylor
from autograd_lite.uncertainty.entry import propagate

__version__ = "0.2.0"

__all__ = [
    # nodes
    "Value", "build", "label", "no_grad", "stop_gradient",
    # functions
    "abs", "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "cos", "cosh", "custom_op",
    "digamma", "dot", "elu", "erf", "erfc", "exp", "exp2", "expm1", "gelu", "hypot", "leaky_relu",
    "lgamma", "log", "log10", "log1p", "log2", "log_sigmoid", "log_softmax", "logsumexp", "maximum",
    "mean", "minimum", "normal_cdf", "normal_pdf", "polygamma", "relu", "sech2", "sigmoid", "silu", "sin",
    "sinh", "softmax", "softplus", "sqrt", "sum", "tan", "tanh",
    # branches
    "equal", "greater", "greater_equal", "less", "less_equal", "not_equal", "select", "take", "where",
    # transforms
    "colours", "derivative", "evaluate", "grad", "hessian", "hvp", "jacobian", "jvp", "propagate",
    "taylor", "value_and_grad", "vjp",
    # programs
    "compile",
    # checks
    "audit", "diagnose", "check_gradients", "check_op", "explain", "record_lines", "Report",
    # pictures and derivations
    "animate", "derive", "draw", "draw_network", "render",
    # errors
    "errstate", "AuditError", "AutogradError", "AutogradWarning", "DivisionError", "DomainError",
    "FormatError", "GradientError", "InputError", "LabelError", "MemberError", "MissingError",
    "NumericError", "RangeError", "RenderError",
    # modules
    "nn", "optim",
]
# What users are handed but seldom name; some of it would hide names of theirs under `import *`.
_CLASSES = ["AuditReport", "Comparison", "Compiled", "Derivation", "Derivative", "Diagnosis", "Estimate",
            "Explanation", "Finding", "GradientReport", "Input", "Latent", "Line", "Op", "Partial", "Path",
            "Propagation", "Row", "Stats"]


if _typing.TYPE_CHECKING:                       # (all that is loaded on demand)
    from autograd_lite import testing as testing
    from autograd_lite.drawing.drawn import Drawing as Drawing
    from autograd_lite.programs.compiled import Compiled as Compiled
    from autograd_lite.programs.stats import Stats as Stats
    from autograd_lite.uncertainty.result import Propagation as Propagation
else:
    def __getattr__(name: str) -> object:
        if name == "testing":
            import importlib
            return importlib.import_module("autograd_lite.testing")
        if name in ("Compiled", "Stats"):
            import importlib
            return getattr(importlib.import_module("autograd_lite.programs.compiled"), name)
        if name == "Propagation":
            import importlib
            return importlib.import_module("autograd_lite.uncertainty.result").Propagation
        if name == "Drawing":                   # which needs graphviz
            from autograd_lite.drawing import drawn
            return drawn.Drawing
        from autograd_lite.graph.foreign import absent
        raise absent(name)


def __dir__() -> list[str]:
    shown = [*__all__, *_CLASSES, "testing"]
    return sorted([*shown, "__doc__", "__file__", "__name__", "__path__", "__version__"])
