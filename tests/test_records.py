"""What the library gives as a record stays as it was given."""
from __future__ import annotations

import dataclasses
import importlib
import pkgutil

import pytest

import autograd_lite

MODULES = [module.name for module in pkgutil.walk_packages(autograd_lite.__path__, "autograd_lite.")
           if not module.name.endswith(("__main__", ".frames"))]        # (which needs pandas)
WORKED_OUT = {"Fold", "Stage"}                  # (of a picture, while it is made)


def test_no_record_can_be_changed():
    found = {}
    for name in MODULES:
        for thing in vars(importlib.import_module(name)).values():
            if isinstance(thing, type) and dataclasses.is_dataclass(thing) and thing.__module__ == name:
                found[thing.__qualname__] = thing.__dataclass_params__.frozen
    assert {name for name, frozen in found.items() if not frozen} == WORKED_OUT
    assert len(found) > 15


def test_a_setting_of_a_schedule_is_not_assigned():
    with pytest.raises(dataclasses.FrozenInstanceError):
        autograd_lite.optim.linear(1.0, 3).lr = 2.0
