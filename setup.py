"""What setup.cfg cannot say: the README as a package index shows it, and the optional compiled build.

With ``AUTOGRAD_LITE_COMPILE=1 pip install .`` mypyc compiles the modules that record and differentiate, from
the sources that `autograd_lite.graph.native` writes. Without that variable the library is pure Python.
"""
import configparser
import os
import re
import shutil
import sys
from pathlib import Path

COPY = Path("build", "compiled").absolute()
COMPILED = ["ops/methods", "ops/operators", "graph/node", "graph/states", "graph/value", "graph/backward"]


def extensions():
    """The extension modules."""
    from mypyc.build import mypycify
    sys.path.insert(0, os.getcwd())
    from autograd_lite.graph import native
    shutil.rmtree(COPY, ignore_errors=True)
    shutil.copytree("autograd_lite", COPY / "autograd_lite",
                    ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    for name in COMPILED:
        path = COPY / "autograd_lite" / f"{name}.py"
        changed = getattr(native, f"{path.stem}_source")
        path.write_text(changed(path.read_text(encoding="utf-8")), encoding="utf-8")
    checked = configparser.ConfigParser()
    checked.read("setup.cfg", encoding="utf-8")
    with open(COPY / "mypy.cfg", "w", encoding="utf-8") as file:        # (ours is stricter)
        file.write("[mypy]\nignore_missing_imports = True\n")
        for name in checked.sections():
            if name.startswith("mypy-"):
                file.write(f"[{name}]\n" + "".join([f"{k} = {x}\n" for k, x in checked[name].items()]))
    root = os.getcwd()
    os.chdir(COPY)
    try:
        found = mypycify(["--config-file", "mypy.cfg", *[f"autograd_lite/{name}.py" for name in COMPILED]],
                         opt_level="2")
    finally:
        os.chdir(root)
    for path in Path(COPY, "build").glob("__native*.c"):
        path.write_text(native.c_source(path.read_text(encoding="utf-8")), encoding="utf-8")
    for extension in found:
        extension.sources = [str(COPY / source) for source in extension.sources]
        extension.include_dirs = [str(COPY / folder) for folder in extension.include_dirs]
        if sys.platform != "win32":             # (what no other module can replace is quicker to call)
            extension.extra_compile_args = [*extension.extra_compile_args, "-fvisibility=hidden"]
    return found


_CODE = r"(?:^```.*?^```$|`[^`\n]+`)"             # (what stands in it is no link)
_LINK = re.compile(rf"{_CODE}|(!?)\[((?:[^][`]|`[^`]*`|\[[^][]*\])*)\]\(([^()\s]+)\)",
                   re.DOTALL | re.MULTILINE)
_EXAMPLE = "https://mattmazur.com/2015/03/17/a-step-by-step-backpropagation-example/"
_ELSEWHERE = re.compile("https?://|mailto:|#")


def described(readme, url):
    """The README for an index, which has no other file: links to files lead to `url`, or are their text."""
    def absolute(found):
        image, text, target = found.groups()
        if target is None:
            return found[0]
        text = text if image else described(text, url)          # (it may be a picture)
        if _ELSEWHERE.match(target):
            return f"{image}[{text}]({target})"
        return f"{image}[{text}]({url}/{'raw' if image else 'blob'}/HEAD/{target})" if url else text
    return _LINK.sub(absolute, readme)


def links(url):
    """The links that an index shows next to it: to where the worked example's numbers are from, and ours."""
    ours = {"Source": url, "Documentation": f"{url}/blob/HEAD/docs",
            "Changelog": f"{url}/blob/HEAD/CHANGELOG.md"}
    return {"Worked example": _EXAMPLE, **(ours if url else {})}


def facts():
    """What setup.cfg does not say."""
    config = configparser.ConfigParser()
    config.read("setup.cfg", encoding="utf-8")
    url = config["metadata"].get("url", "").rstrip("/")
    readme = Path("README.md").read_text(encoding="utf-8")
    return {"long_description": described(readme, url), "long_description_content_type": "text/markdown",
            "project_urls": links(url)}


if __name__ == "__main__":
    from setuptools import setup
    if os.environ.get("AUTOGRAD_LITE_COMPILE") == "1":
        try:
            setup(ext_modules=extensions(), **facts())
        except ModuleNotFoundError:             # pip asks what the build needs before it is there
            setup(setup_requires=["mypy>=2.0"], **facts())
    else:
        setup(**facts())
