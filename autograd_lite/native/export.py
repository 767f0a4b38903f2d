"""A compiled function as one file of C that needs nothing but math.h."""
from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

from autograd_lite.errors import GradientError, InputError, short
from autograd_lite.lines import printable
from autograd_lite.native.c import Unit
from autograd_lite.native.c_expressions import name_in_c
from autograd_lite.native.iterate import sources_of
from autograd_lite.native.language import Function, Untranslatable, functions_in
from autograd_lite.native.sums import Floats
from autograd_lite.native.straight import NativeWriter
from autograd_lite.programs.arguments import described, names_of, parameters_of
from autograd_lite.programs.python import identifier
from autograd_lite.programs.recording import Recording
from autograd_lite.programs.tracing import Traced, trace
from autograd_lite.transforms.trace import name_of

# Names of functions of C, which ours may not have.
_FUNCTIONS = {*dir(math), *("abs abort div exit free index labs main puts round signal time y0 y1 yn j0 j1 "
                            "jn gamma").split()}


class Parameter:
    """A parameter of the C function: one number, or an array of them."""

    def __init__(self, name: str, names: Sequence[str], single: bool):
        self.name, self.names, self.single = name, names, single

    def __len__(self) -> int:
        return len(self.names)

    def declared(self, prefix: str = "", out: bool = False) -> str:
        """Its declaration."""
        name = prefix + self.name
        if self.single:
            return f"double {'*' * out}{name}"
        return f"{'' if out else 'const '}double {name}[{len(self)}]"

    def places(self) -> list[str]:
        """Where its numbers stand."""
        return [self.name] if self.single else [f"{self.name}[{i}]" for i in range(len(self))]


class CWriter(NativeWriter):
    """Writes a program as a function of these parameters, and of an array of its results.

    Args:
        places: where each input and captured number stands; results: for each entry of the array which
            output it is (an int), or the number that it is.
    """

    def __init__(self, recording: Recording, parameters: Sequence[Parameter], places: Sequence[str],
                 results: Sequence[int | float]):
        super().__init__(recording)
        self.parameters, self.places, self.results = parameters, places, results
        self.taken |= {x.name for x in parameters}

    def variable(self, k: int) -> str:
        if k not in self.variables and k in self.single:
            self.variables[k] = self.single[k]
        return super().variable(k)

    @functools.cached_property
    def single(self) -> dict[int, str]:
        """The places of parameters that are one number."""
        names = {x.name for x in self.parameters if x.single}
        return {k: place for k, place in zip([*self.recording.inputs, *self.recording.captured], self.places)
                if place in names}

    def returned(self, texts: Sequence[str]) -> list[str]:
        return [*[f"out[{i}] = {x if isinstance(x, float) else texts[x]}"
                  for i, x in enumerate(self.results)], "return 0"]

    def guard(self, index: int, guard: Any) -> None:
        super().guard(index + 1, guard)

    def assembled(self, name: str, inputs: Sequence[str], captured: Sequence[str]) -> str:
        params = [f"{x.name}: {'float' if x.single else 'Floats'}" for x in self.parameters]
        given = zip([*inputs, *captured], self.places)
        return "\n".join([f"def {name}({', '.join([*params, 'out: Floats'])}) -> int:",
                          *[f"    {x} = {place}" for x, place in given if x != place],
                          *self.body(), ""])

    def function(self, name: str = "f") -> Function:
        return functions_in(self.source(name), {**self.names, "Floats": Floats})[0]


class Export:
    """The file for a compiled function, by the programs that fit arguments as those of the last call."""

    def __init__(self, compiled: Any):
        self.compiled, self.f = compiled, compiled.f
        latest = compiled.used()
        if latest.given is None:
            raise InputError(f"{name_of(self.f)}: its program came with a pickle; to write it in C, compile "
                             "the function and call it")
        self.root = latest.root
        self.programs = [x for x in self.root.programs() if x.given is not None]
        name = getattr(self.f, "__name__", "")
        self.name = _new(name if name.isidentifier() else "f", set())
        self.unit = Unit()
        self.lack = ""                          # why the gradients cannot be written
        self.captured = list({id(x): x for program in self.programs for x in program.captured}.values())
        self.sources = [sources_of(program)[1] for program in self.programs]
        self.is_number = type(latest.shape([math.pi] * len(latest.recording.outputs))) is float
        self.gradients = list(self._gradients()) if self.is_number else []
        if not any([traced.wanted for traced in self.gradients]):
            self.gradients = []
        self.captured = list({id(x): x for x in [*self.captured, *[
            x for traced in self.gradients for x in traced.captured]]}.values())
        self.parameters = list(self._parameters(*latest.given))

    def _gradients(self) -> Iterator[Traced]:
        """The programs with all gradients; those of a constant result alone have none."""
        for program in self.programs:
            args, kwargs = program.given
            try:
                yield trace(self.f, args, kwargs, True, self.root.environment, self.compiled.indices,
                            True).whole()
            except (GradientError, InputError):
                yield Traced(program.recording, program.captured, program.result, ())
            except (ArithmeticError, ValueError):       # (there is none at these arguments)
                return

    def _parameters(self, args: Sequence[Any], kwargs: dict[str, Any]) -> Iterator[Parameter]:
        names = [p.name for p in parameters_of(self.f)]
        names += [f"x{i}" for i in range(len(names), len(args))]
        taken = {"out", "value", "status", "i", "", self.name}
        for name, x in [*zip(names, args), *kwargs.items()]:
            numbers: list[float] = []
            key = described(x, numbers)
            if numbers:
                name = f"of_{name}" if name.startswith(("d_", f"{self.name}_")) else name
                yield Parameter(_new(name, taken), names_of([name], [x]), key in (float, int))
        if self.captured:
            labels = [x.label or f"number {i}" for i, x in enumerate(self.captured)]
            yield Parameter(_new("parameters", taken), labels, False)

    # -- text --------------------------------------------------------------------------------------

    def text(self) -> str:
        """The file."""
        try:
            parts = [self.forward()]
        except Untranslatable as error:
            raise InputError(f"{name_of(self.f)} cannot be written in C, for a part of it is Python's alone "
                             f"({error}): write it with other operations") from None
        if self.gradients:
            value, self.unit = self.unit, self.unit.copy()
            try:
                parts.append(self.backward())
            except Untranslatable as error:
                self.unit, self.gradients, self.lack = value, [], str(error)
        return "\n".join([self.header(), "#include <math.h>", "", *self.unit.texts, *parts])

    def inner(self, name: str, recording: Recording, captured: Sequence[Any], results: Sequence[int | float]
              ) -> None:
        """Write one program as a function."""
        places = [place for x in self.parameters for place in x.places()]
        n = len(recording.inputs)
        at = {id(x): places[len(places) - len(self.captured) + i] for i, x in enumerate(self.captured)}
        writer = CWriter(recording, self.parameters, [*places[:n], *[at[id(x)] for x in captured]], results)
        params = ", ".join([*[x.declared() for x in self.parameters], f"double out[{max(len(results), 1)}]"])
        self.unit.add(writer.function(name), f"static int {name}({params})")

    def tried(self, name: str, count: int) -> list[str]:
        """Lines that try all programs."""
        given = ", ".join([*[x.name for x in self.parameters], "out"])
        return [f"    int status = {name}_1({given});",
                *[f"    if (status > 0) status = {name}_{i}({given});" for i in range(2, count + 1)]]

    def forward(self) -> str:
        """The function itself."""
        for i, (program, results) in enumerate(zip(self.programs, self.sources), 1):
            self.inner(f"{self.name}_{i}", program.recording, program.captured, results)
        params = [x.declared() for x in self.parameters]
        lines = self.tried(self.name, len(self.programs))
        if self.is_number:
            return "\n".join([f"double {self.name}({', '.join(params) or 'void'})", "{", "    double out[1];",
                              *lines, "    return status == 0 ? out[0] : NAN;", "}", ""])
        params.append(f"double out[{max(len(self.sources[0]), 1)}]")
        return "\n".join([f"int {self.name}({', '.join(params)})", "{", *lines, "    return status;", "}",
                          ""])

    def backward(self) -> str:
        """It and its gradients."""
        name = f"{self.name}_gradient"
        n = sum(map(len, self.parameters))
        for i, traced in enumerate(self.gradients, 1):
            at = {id(x): k for k, x in enumerate(traced.wanted, 1)}
            given: Sequence[Any] = traced.inputs or [None] * (n - len(self.captured))
            self.inner(f"{name}_{i}", traced.recording, traced.captured,
                       [*self.sources[i - 1], *[at.get(id(x), 0.0) for x in (*given, *self.captured)]])
        params = [*[x.declared() for x in self.parameters], "double *value",
                  *[x.declared("d_", True) for x in self.parameters]]
        lines, first = list[str](), 1
        for x in self.parameters:
            lines.append(f"        *d_{x.name} = out[{first}];" if x.single else
                         f"        for (int i = 0; i < {len(x)}; i++) d_{x.name}[i] = out[{first} + i];")
            first += len(x)
        return "\n".join([f"int {name}({', '.join(params)})", "{", f"    double out[{n + 1}];",
                          *self.tried(name, len(self.gradients)), "    if (status == 0) {",
                          "        *value = out[0];", *lines, "    }", "    return status;", "}", ""])

    def header(self) -> str:
        """What it is, as a comment."""
        lines = [f"{name_of(self.f)}, as autograd_lite recorded it: on {len(self.programs)} "
                 f"path{'s' * (len(self.programs) > 1)} through its branches.", ""]
        if self.is_number:
            lines += [f"{self.name} returns the number, or nan where the status below is not 0."]
            if self.lack:
                lines += ["Its derivatives are not here, for a part of them is Python's alone "
                          f"({self.lack})."]
            if self.gradients:
                lines += [f"{self.name}_gradient gives its derivatives by all parameters, too, in d_…, and "
                          "returns the status:"]
        else:
            lines += [f"{self.name} writes the numbers of its result to out, and returns the status:"]
        lines += ["     0  if all went well;",
                  "    -1  if a number is not finite or an operand extreme, where Python's way is another;",
                  "    k>0 if the k-th question was answered otherwise on each recorded path.",
                  "All equals Python's to the last bit with the same C library, where the compiler forms no "
                  "fused", "multiply-adds: gcc -std=c99 -O2 -ffp-contract=off.", "", "Parameters:"]
        for x in self.parameters:
            names = x.names if len(x) <= 200 else [*x.names[:100], "…", *x.names[-10:]]
            lines.append(f"    {x.name}" + ("" if x.single else f": {', '.join(names)}"))
        if self.captured:
            now = [f"{x.data!r}" for x in self.captured[:200]]
            lines += ["", f"parameters are now {', '.join(now)}{', …' * (len(self.captured) > 200)}"]
        text = "\n".join([re.sub(r"\*/|/\*", "* /", printable(line)) for line in lines])
        return "/*\n" + "\n".join([f" * {line}".rstrip() for line in text.split("\n")]) + "\n */"


def _new(name: str, taken: set[str]) -> str:
    """A name of a parameter."""
    name = name_in_c(identifier(name))
    while name in taken or name in _FUNCTIONS:
        name += "_"
    taken.add(name)
    return name


def in_c(compiled: Any) -> str:
    """See `Compiled.source`."""
    if compiled.batch:
        raise InputError(f"{short(compiled)} is compiled for a batch; compile the function of one point to "
                         "write it in C")
    return Export(compiled).text()
