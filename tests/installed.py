"""The library as it is installed, without the packages of its extras: what it holds, and the core's doctests.

``python tests/installed.py`` with the Python of an environment into which the wheel alone was installed; it
fails in a checkout, and where the library is found in one.
"""
import doctest
import importlib
import subprocess
import sys
import sysconfig
from importlib.metadata import distribution
from pathlib import Path

sys.path.pop(0)                                 # (this folder)
CHECKOUT = Path(__file__).resolve().parent.parent
CORE = ("checks.", "errors", "graph.", "lines", "locks", "modes", "nn", "ops.", "optim", "transforms.")
OTHERS = {"transforms.colouring", "checks.check_gradients"}         # (their examples need an extra)


def core():
    """The names of the core's modules."""
    import autograd_lite
    folder = Path(autograd_lite.__file__).parent
    assert folder.is_relative_to(sysconfig.get_path("purelib")) and folder.parent != CHECKOUT, folder
    found = [".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__")
             for path in sorted(folder.rglob("*.py"))]
    return [name for name in found if name.startswith(CORE) and name not in OTHERS]


def main():
    """Try it all."""
    files = [str(path) for path in distribution("autograd-lite").files]
    first = {path.partition("/")[0] for path in files}
    assert {path for path in first if not path.endswith(".dist-info")} <= {"autograd_lite", ".."}, first
    assert {"autograd_lite/py.typed", "autograd_lite/drawing/animation.js"} <= set(files)
    facts = distribution("autograd-lite").metadata
    assert facts["License-Expression"] == "MIT" and facts["Author"] and facts["Keywords"]
    assert "](docs/" not in facts.get_payload() and "![" not in facts.get_payload().replace("](http", "")
    modules = [importlib.import_module(f"autograd_lite.{name}") for name in core()]
    modules.append(importlib.import_module("autograd_lite"))
    failed = attempted = 0
    for module in modules:
        result = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL)
        failed, attempted = failed + result.failed, attempted + result.attempted
    assert attempted > 200, attempted
    script = Path(sys.executable).parent / "autograd-lite"
    done = subprocess.run([script, "grad", "x ** 2", "--at", "x=3"], capture_output=True, text=True)
    assert done.returncode == 0 and "6" in done.stdout, done.stderr
    print(f"{attempted - failed} passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
