"""The same examples in every run; `--hypothesis-profile=default` looks for new ones."""
import gc

from hypothesis import HealthCheck, settings

# The health checks suppressed are about the time generation takes, which depends on the machine.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None,
                          suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
settings.load_profile("repeatable")


def pytest_collection_finish():
    """What is loaded by now stays: the garbage collector need not look at it again (a tenth of the time)."""
    gc.collect()
    gc.freeze()
