"""What generated code has in line: ops as expressions of Python, and what it asks as conditions."""
from __future__ import annotations

import ast
import functools
from collections.abc import Sequence
from typing import Any

from autograd_lite.ops.notation import Written, asked, literal
from autograd_lite.ops.op import Op


def expression(op: Op, xs: Sequence[Written]) -> Written | None:
    """An op of operands of these texts; None if it has no expression, or none for these options."""
    form = op.notation.targets.get("python") if op.notation else None
    if not form:
        return None
    if len(xs) < op.most and not op.open:           # options that were not given
        xs = [x if type(x) is Written else literal(x) for x in op.bound(xs, {})]
    found: Written = form(*xs)
    return None if op.options and simplified(found.text, ()) == "math.nan" else found


def asking(question: Any, xs: Sequence[str], known: Sequence[float | None]) -> str:
    """A question about operands of these names, some of them known; "" if its source is not."""
    text = asked(question.source, xs)
    return simplified(text, tuple([(x, c) for x, c in zip(xs, known) if c is not None])) if text else ""


@functools.lru_cache(maxsize=4096)
def simplified(question: str, known: tuple[tuple[str, float], ...]) -> str:
    """A condition for the ordinary way, or another expression, where some of its operands are known."""
    constants = dict(known)

    class Known(ast.NodeTransformer):
        def generic_visit(self, node: ast.AST) -> ast.AST:
            super().generic_visit(node)
            if isinstance(node, ast.BoolOp):
                decides = isinstance(node.op, ast.Or)
                values = [x for x in node.values
                          if not (isinstance(x, ast.Constant) and x.value is (not decides))]
                if not values or any([isinstance(x, ast.Constant) and x.value is decides for x in values]):
                    return ast.Constant(decides if values else not decides)
                return values[0] if len(values) == 1 else ast.BoolOp(node.op, values)
            if isinstance(node, ast.IfExp) and isinstance(node.test, ast.Constant):
                return node.body if node.test.value else node.orelse
            if isinstance(node, (ast.Compare, ast.UnaryOp, ast.BinOp)) and not any(
                    [isinstance(x, ast.Name) for x in ast.walk(node)]):
                whole = ast.fix_missing_locations(ast.Expression(node))
                return ast.Constant(eval(compile(whole, "", "eval")))
            return node

        def visit_Name(self, node: ast.Name) -> ast.AST:
            return ast.Constant(constants[node.id]) if node.id in constants else node

    return ast.unparse(Known().visit(ast.parse(question, mode="eval")))
