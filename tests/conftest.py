"""The same examples in every run; `--hypothesis-profile=default` looks for new ones."""
import gc
import os

import pytest
from hypothesis import HealthCheck, settings

from autograd_lite.ops.op import TABLE

# The health checks suppressed are about the time generation takes, which depends on the machine.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None,
                          suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
settings.load_profile("repeatable")

os.environ.setdefault("AUTOGRAD_LITE_CACHE", "")        # native code is compiled, not loaded from a disk


def pytest_addoption(parser):
    parser.addoption("--native", action="store_true", help="compiled functions run in native code at once")


def pytest_configure(config):
    if config.getoption("--native"):
        from autograd_lite.programs.paths import Paths

        made = Paths.__init__
        Paths.__init__ = lambda self, *args: made(self, *args[:4], (*args, None)[4] or "native")


@pytest.fixture(autouse=True, scope="module")
def what_is_loaded_stays():
    """The garbage collector need not look at it again and again, which took a sixth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="module")
def one_program():
    """The [png] extra's program draws, whatever else is installed: letters are as wide everywhere."""
    from autograd_lite.drawing import engine
    found = [pair for pair in engine._candidates() if pair[0] == "graphviz-pure"]
    with pytest.MonkeyPatch.context() as patch:
        if found:
            patch.setattr(engine, "_candidates", lambda: iter(found))
        yield


@pytest.fixture(autouse=True)
def ops_of_a_test_go_with_it():
    """Other tests look at all ops that there are."""
    before = set(TABLE)
    yield
    for name in set(TABLE) - before:
        del TABLE[name]
