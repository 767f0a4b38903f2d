"""Thirty gradients graded, by `pytest demos/grading`: of each wrong one, its entry and kind of mistake."""
import pytest
from hypothesis import strategies as st
from submissions import SUBMISSIONS, loss

from autograd_lite.testing import assert_gradients

tenths = st.integers(-20, 20).map(lambda k: k / 10)


@pytest.mark.parametrize("student", SUBMISSIONS)
def test_gradient(student):
    def gradient(point):
        return dict(zip("abxt", SUBMISSIONS[student](**point)))

    points = st.fixed_dictionaries(dict.fromkeys("abxt", tenths))
    assert_gradients(lambda p: loss(**p), points, claimed=gradient)
