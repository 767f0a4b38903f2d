"""Modes as decorators, of functions, generators and coroutines."""
from __future__ import annotations

import functools
import inspect
from typing import Any

from autograd_lite import modes
from autograd_lite.errors import InputError, shown, type_name
from autograd_lite.modes import Mode


def within(mode: Mode, f: Any) -> Any:
    """f, which holds a mode whenever it runs: also as a generator, between two pauses, or a coroutine."""
    def function(*args: Any, **kwargs: Any) -> Any:
        return mode.run(f, *args, **kwargs)

    async def coroutine(*args: Any, **kwargs: Any) -> Any:
        with mode:
            return await f(*args, **kwargs)

    def generator(*args: Any, **kwargs: Any) -> Any:
        steps = f(*args, **kwargs)
        step, given = steps.send, None
        while True:
            try:
                y = mode.run(step, given)
            except StopIteration as end:
                return end.value
            finally:
                given = None                            # (or an error and this frame would keep each other)
            try:
                step, given = steps.send, (yield y)
            except BaseException as error:              # (thrown in, or closed)
                step, given = steps.throw, error

    async def agenerator(*args: Any, **kwargs: Any) -> Any:
        steps = f(*args, **kwargs)
        step, given = steps.asend, None
        while True:
            try:
                with mode:
                    y = await step(given)
            except StopAsyncIteration:
                return
            finally:
                given = None
            try:
                step, given = steps.asend, (yield y)
            except BaseException as error:
                step, given = steps.athrow, error

    if not callable(f):
        raise InputError(f"@{type_name(mode)}(…) stands above a function, not {shown(f)}")
    kinds = {generator: inspect.isgeneratorfunction, coroutine: inspect.iscoroutinefunction,
             agenerator: inspect.isasyncgenfunction}
    return functools.wraps(f)(next((made for made, asks in kinds.items() if asks(f)), function))


modes.within = within
