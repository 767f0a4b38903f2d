"""Every demonstration runs from anywhere, without a screen, and leaves a picture."""
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import matplotlib.image
import pytest

FOLDER = Path(__file__).parent.parent / "demos"
DEMOS = sorted(FOLDER.glob("*.py"))
SMALLER = {"gpt.py": ["--longest", "2", "--steps", "10"]}


def opened(picture):
    """The picture's width and height, if it can be read and is not of one colour."""
    if picture.suffix == ".svg":
        root = ElementTree.parse(picture).getroot()
        assert len(list(root.iter())) > 20
        return tuple(float(root.attrib[side].rstrip("pt")) for side in ("width", "height"))
    pixels = matplotlib.image.imread(picture)
    assert pixels.std() > 0.01
    return pixels.shape[1], pixels.shape[0]


def run(demo, *options, cwd):
    ran = subprocess.run([sys.executable, "-W", "error", demo, *options], cwd=cwd, capture_output=True,
                         timeout=300, env={**os.environ, "PYTHONIOENCODING": "utf-8"}, encoding="utf-8")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran


def test_there_are_demonstrations():
    assert {"moons.py", "fit.py", "gpt.py"} <= {demo.name for demo in DEMOS}


@pytest.mark.parametrize("demo", DEMOS, ids=lambda demo: demo.stem)
def test_a_demonstration_leaves_a_picture_in_the_current_directory(demo, tmp_path):
    ran = run(demo, *SMALLER.get(demo.name, ()), cwd=tmp_path)
    assert ran.stdout and all(len(line) <= 80 for line in ran.stdout.splitlines())
    assert "\r" not in ran.stderr                # a progress bar is for a terminal
    pictures = [path for path in tmp_path.iterdir() if path.suffix in (".png", ".svg")]
    assert pictures
    for picture in pictures:
        width, height = opened(picture)
        assert width >= 300 and height >= 150, picture


def test_the_fit_has_ten_of_nists_digits_and_goes_where_it_is_told(tmp_path):
    demo = next(demo for demo in DEMOS if demo.name == "fit.py")
    lines = run(demo, "--output", "pictures", cwd=tmp_path).stdout.splitlines()
    digits = [float(line.split()[-1]) for line in lines if line.count("e-") + line.count("e+") == 2]
    assert len(digits) == 10 and min(digits) > 10.0
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["fit.png"]


def test_every_way_of_scipy_ends_in_one_place_and_its_errors_are_curve_fits(tmp_path):
    said = run(FOLDER / "pharmacokinetics.py", cwd=tmp_path).stdout.splitlines()
    fits = [[float(x) for x in line.split()[-5:-1]] for line in said[2:10]]
    assert all(fit == pytest.approx(fits[0], rel=2e-5) for fit in fits) and "root" in said[9]
    pcov, ours, hessian = ([float(x) for x in line.split()[-4:]] for line in said[10:13])
    assert ours == pytest.approx(pcov, rel=1e-4) and hessian == pytest.approx(pcov, rel=0.1)
    assert all(abs(a - b) > 1e-3 * b for a, b in zip(hessian, ours))
    for found, std, true in zip(fits[0], pcov, (1.4, 2.8, 32.0, 0.3)):
        assert abs(found - true) < 3.0 * std
    assert any(line.startswith("half-life (h)         7.673    0.204") for line in said)
    assert said[-2].endswith("the same numbers: True")


def test_the_language_model_learns_short_names_as_it_does_eagerly(tmp_path):
    said = run(FOLDER / "gpt.py", "--longest", "3", "--steps", "60", cwd=tmp_path).stdout
    assert "their first 3 losses are equal: True" in said
    losses = [float(line.split()[-1]) for line in said.splitlines() if line.startswith("  steps")]
    assert len(losses) == 5 and losses[-1] < losses[0] - 0.2
    invented = said.partition("new names: ")[2].splitlines()[0].split(", ")
    known = (FOLDER / "data" / "names.txt").read_text(encoding="utf-8").split()
    assert len(set(invented)) > 3 and not set(invented) & set(known)
    assert all(name.isascii() and name.islower() and len(name) <= 4 for name in invented)


def test_the_names_say_their_source():
    lines = (FOLDER / "data" / "names.txt").read_text(encoding="utf-8").splitlines()
    head, names = lines[:4], lines[4:]
    assert all(line.startswith("# ") for line in head) and "public domain" in " ".join(head)
    assert names == sorted(set(names)) and all(name.isalpha() and name.islower() for name in names)


def test_an_empty_picture_is_noticed(tmp_path):
    import numpy as np
    matplotlib.image.imsave(tmp_path / "blank.png", np.ones((200, 400, 3)))
    with pytest.raises(AssertionError):
        opened(tmp_path / "blank.png")
    (tmp_path / "half.png").write_bytes((tmp_path / "blank.png").read_bytes()[:60])
    with pytest.raises((OSError, SyntaxError)):
        opened(tmp_path / "half.png")


def test_a_class_of_thirty_is_graded_with_a_summary(tmp_path):
    result = subprocess.run(
        [sys.executable, "-m", "pytest", FOLDER / "grading", "--tb=no", "-p", "no:cacheprovider"],
        cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", timeout=300)
    assert result.returncode == 1 and result.stdout.count("FAILED") == 11, result.stdout[-2000:]
    text = " ".join(result.stdout.partition("wrong gradients")[2].split())
    for said in ("05 ∂f/∂p['t']: claimed", "sign flipped, at each of 5 points", "factor p['a'] is missing",
                 "p['b'] where p['x'] belongs", "off by a factor 2", "claimed 0, at each of 5 points"):
        assert said in text
    assert not any(f"{right}  ∂" in result.stdout for right in ("01", "02", "03", "06", "12", "30"))


def test_workers_that_trace_nothing_train_as_one_process_does(tmp_path):
    ran = run(FOLDER / "parallel" / "train.py", "--workers", "2", "--steps", "4", cwd=tmp_path)
    lines = ran.stdout.splitlines()
    assert all(len(line) <= 80 for line in lines) and not ran.stderr
    assert lines[3].endswith("they traced for 0 s")
    assert lines[-2] == "one process, same shards: equal to the last bit"
    losses = [float(line.split()[-1]) for line in lines if line.startswith("  step")]
    assert losses == sorted(losses, reverse=True) and len(losses) == 3
    assert float(lines[-1].split()[-1]) < 1e-12
