"""The same examples in every run; `--hypothesis-profile=default` looks for new ones."""
import gc
import os

import pytest
from hypothesis import HealthCheck, settings

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
