"""What is built of the checkout: metadata, the README as an index shows it, and what the sdist holds."""
import configparser
import importlib.util
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import autograd_lite

ROOT = Path(__file__).parent.parent
PACKAGE = Path(autograd_lite.__file__).parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONFIG = configparser.ConfigParser()
CONFIG.read(ROOT / "setup.cfg", encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
_spec = importlib.util.spec_from_file_location("setup_script", ROOT / "setup.py")
setup = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(setup)

URL = "https://forge.example/us/autograd_lite"


def targets(text):
    """Where the links of a page in Markdown lead, found in another way than setup.py's."""
    plain, inside = [], False
    for line in text.splitlines():
        inside ^= line.startswith("```")
        plain.append("" if inside or line.startswith("```") else line)
    return [part.split(")")[0] for part in re.sub(r"`[^`\n]*`", "", "\n".join(plain)).split("](")[1:]]


def test_with_an_address_every_relative_link_of_the_readme_is_absolute():
    shown = setup.described(README, URL)
    before, after = targets(README), targets(shown)
    assert len(before) == len(after) and any(".png" in target for target in before)
    for old, new in zip(before, after):
        assert new == old if old.startswith(("#", "http")) else new.startswith(URL) and new.endswith(old)
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", shown)
    assert pictures and all(target.startswith(f"{URL}/raw/HEAD/docs/pictures/") for target in pictures)


def test_without_an_address_a_picture_is_its_text_and_no_link_is_left_that_leads_nowhere():
    shown = setup.described(README, "")
    assert all(target.startswith(("#", "http")) for target in targets(shown))
    assert "![" not in shown
    assert "The computation graph of a 2-2-2 sigmoid network" in shown


@pytest.mark.parametrize("text, shown, plain", [
    ("see [`a`](docs/a.md).", "see [`a`](U/blob/HEAD/docs/a.md).", "see `a`."),
    ("![a [b] c](p.png)", "![a [b] c](U/raw/HEAD/p.png)", "a [b] c"),
    ("[![a](p.png)](docs)", "[![a](U/raw/HEAD/p.png)](U/blob/HEAD/docs)", "a"),
    ("[![a](p.png)](https://x.y)", "[![a](U/raw/HEAD/p.png)](https://x.y)", "[a](https://x.y)"),
    ("[a](#here) [b](https://x.y/z) [c](mailto:a@b.c)",) + 2 * (
        "[a](#here) [b](https://x.y/z) [c](mailto:a@b.c)",),
    ("`f[i](x)` and `[a](b)`",) + 2 * ("`f[i](x)` and `[a](b)`",),
    ("```\nf[i](x)\n```\n[a](b)", "```\nf[i](x)\n```\n[a](U/blob/HEAD/b)", "```\nf[i](x)\n```\na"),
    ("x[0] (y) [a]\n(b)",) + 2 * ("x[0] (y) [a]\n(b)",)])
def test_a_link_is_told_from_what_only_looks_like_one(text, shown, plain):
    assert setup.described(text, "U") == shown
    assert setup.described(text, "") == plain


def test_the_address_is_one_setting_and_makes_the_other_links(tmp_path, monkeypatch):
    (tmp_path / "setup.cfg").write_text(f"[metadata]\nurl = {URL}/\n", encoding="utf-8")
    (tmp_path / "README.md").write_text("![∂](a.png)", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    facts = setup.facts()
    assert facts["long_description"] == f"![∂]({URL}/raw/HEAD/a.png)"
    links = facts["project_urls"]
    example = links.pop("Worked example")
    assert example.startswith("https://mattmazur.com/2015/")
    assert set(links) == {"Source", "Documentation", "Changelog"}
    assert all(link.startswith(URL) and "//" not in link[8:] for link in links.values())
    for name in ("docs", "CHANGELOG.md"):
        assert (ROOT / name).exists() and any(link.endswith(f"/HEAD/{name}") for link in links.values())
    (tmp_path / "setup.cfg").write_text("[metadata]\n", encoding="utf-8")
    assert setup.facts()["project_urls"] == {"Worked example": example}


def test_the_version_is_in_one_place():
    assert CONFIG["metadata"]["version"] == "attr: autograd_lite.__version__"
    assert "version" in PROJECT["project"]["dynamic"] and "version" not in PROJECT["project"]
    assert f"## {autograd_lite.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    done = subprocess.run([sys.executable, "-m", "autograd_lite", "--version"], capture_output=True,
                          text=True)
    assert done.stdout.split()[-1] == autograd_lite.__version__


def test_the_licence_is_an_spdx_expression_and_no_classifier_says_it_again():
    assert CONFIG["metadata"]["license_expression"] == "MIT"
    assert "License ::" not in CONFIG["metadata"]["classifiers"]
    assert (ROOT / CONFIG["metadata"]["license_files"]).read_text(encoding="utf-8").startswith("MIT License")


def test_keywords_stand_one_to_a_line_without_commas_which_would_leave_an_empty_one():
    keywords = CONFIG["metadata"]["keywords"].split("\n")
    assert not keywords.pop(0) and len(keywords) > 5 and not any("," in word for word in keywords)


def test_the_classifiers_name_the_versions_that_tox_and_ci_try():
    named = re.findall(r":: (3\.\d+)$", CONFIG["metadata"]["classifiers"], re.MULTILINE)
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    tried = re.findall(r"for version in (.*); do", script)[0].split()
    assert named == tried == [f"3.{x[3:]}" for x in CONFIG["tox:tox"]["envlist"].split(", ")]
    assert CONFIG["options"]["python_requires"] == f">={named[0]}"


def test_every_field_that_setup_cfg_gives_is_told_to_come_from_there():
    assert PROJECT["project"].keys() == {"name", "dynamic"}
    assert set(PROJECT["project"]["dynamic"]) >= {
        "authors", "classifiers", "dependencies", "description", "entry-points", "keywords", "license",
        "optional-dependencies", "readme", "requires-python", "scripts", "urls", "version"}


def test_the_sdist_takes_what_its_tests_read():
    manifest = (ROOT / "MANIFEST.in").read_text(encoding="utf-8")
    for folder in ("demos", "docs", "tests", ".ci"):
        assert f"graft {folder}\n" in manifest
    assert "include *.md" in manifest


def test_an_editable_install_is_a_path_which_type_checkers_follow():
    assert CONFIG["options"]["package_dir"].strip() == "= ."


def test_the_library_runs_from_a_zip_file(tmp_path):
    """As an application that is one file holds it: nothing is read by a path next to a module."""
    archive = tmp_path / "with a space" / "library.zip"
    archive.parent.mkdir()
    with zipfile.ZipFile(archive, "w") as file:
        for path in [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.js")]:
            file.write(path, path.relative_to(PACKAGE.parent))
    program = f"""if True:
        import sys
        sys.path.insert(0, {str(archive)!r})
        import autograd_lite as ag
        assert ag.__file__.startswith({str(archive)!r})
        x = ag.Value(2.0, "x")
        y = ag.sin(x) * x
        ag.label(y=y)
        y.backward()
        print(ag.audit(y, {{(y, x): x.grad}}).ok, ag.compile(ag.sin)(0.0), ag.derive(y, x).text != "")
        from autograd_lite.drawing import animation
        animation.run = lambda *_: b'<svg xmlns="http://www.w3.org/2000/svg" width="9pt" height="9pt"/>'
        try:
            ag.animate(y, "a.html")
        except ag.RenderError as error:
            print(error)
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["True 0.0 True"]


def test_the_library_runs_without_its_sources_but_for_native_code(tmp_path):
    """As in an application that PyInstaller makes: code, the names of whose files lead nowhere."""
    program = f"""if True:
        import sys
        from importlib.machinery import FileFinder, SourceFileLoader
        class Loader(SourceFileLoader):
            def get_code(self, name):
                path = self.get_filename(name)
                return compile(self.get_data(path), path.replace({str(PACKAGE)!r}, "autograd_lite"), "exec")
            def get_source(self, name):
                return None
        def finder(folder):
            if folder.startswith({str(PACKAGE)!r}) or folder == {str(PACKAGE.parent)!r}:
                return FileFinder(folder, (Loader, [".py"]))
            raise ImportError
        sys.path_hooks.insert(0, finder)
        sys.path_importer_cache.clear()
        sys.path.insert(0, {str(PACKAGE.parent)!r})
        import autograd_lite as ag
        sys.path[:] = [folder for folder in sys.path if folder != {str(PACKAGE.parent)!r}]
        x = ag.Value(2.0, "x")
        try:
            with ag.record_lines():
                ag.log(x - 3.0)
        except ag.DomainError as error:
            print(error.line.file)
        print(ag.compile(ag.value_and_grad(ag.exp2)).bind(1.0)()[0])
        try:
            ag.compile(ag.exp2, target="native")
        except ag.InputError as error:
            print(error)
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    line, result, refused = done.stdout.splitlines()
    assert (line, result) == ("<string>", "2.0") and "not without the library's sources" in refused


def test_the_page_on_installing_names_every_extra():
    page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `\[(\w+)\]`", page, re.MULTILINE)) == set(CONFIG["options.extras_require"])


def test_the_time_of_an_import_is_measured(capsys):
    sys.path.insert(0, str(ROOT / "tests" / "benchmarks"))
    try:
        importlib.import_module("importing").main(1)
    finally:
        sys.path.pop(0)
    times = [float(x) for x in re.findall(r"least +([\d.]+) ms", capsys.readouterr().out)]
    assert len(times) == 4 and times[0] < times[2]
