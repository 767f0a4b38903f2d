"""ADBench's bundle adjustment: the reprojection error of a point in a camera, and its 2×15 Jacobian.

The 15 are the camera's rotation vector, centre, focal length, principal point and two radial distortions, the
point, and the observation's weight. Source: F. Šrajer, Z. Kukelova, A. Fitzgibbon, "A benchmark of selected
algorithmic differentiation tools on some problems in computer vision and machine learning", 2018.
"""
from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from sides import Row, Side, bound, in_c, jax_in_doubles, native, package, pointer

import autograd_lite as ag

POINTS = 30_000


def cross(a: Any, b: Any) -> list[Any]:
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]


def rotated(rotation: Any, x: Any, m: Any) -> list[Any]:
    """Rodrigues' formula."""
    square = rotation[0] * rotation[0] + rotation[1] * rotation[1] + rotation[2] * rotation[2]
    if m.branches and square == 0.0:
        return [a + b for a, b in zip(x, cross(rotation, x))]
    theta = m.sqrt(square)
    c, s = m.cos(theta), m.sin(theta)
    w = [r / theta for r in rotation]
    along = (w[0] * x[0] + w[1] * x[1] + w[2] * x[2]) * (1.0 - c)
    return [a * c + b * s + n * along for a, b, n in zip(x, cross(w, x), w)]


OURS = SimpleNamespace(sqrt=ag.sqrt, sin=ag.sin, cos=ag.cos, branches=True)


def residual(p: Any, feature: Any, m: Any = OURS) -> list[Any]:
    """How far the point is seen from where it was, times the weight."""
    rotation, centre, x = p[0:3], p[3:6], p[11:14]
    f, u, v, k1, k2, weight = p[6], p[7], p[8], p[9], p[10], p[14]
    seen = rotated(rotation, [a - c for a, c in zip(x, centre)], m)
    a, b = seen[0] / seen[2], seen[1] / seen[2]
    square = a * a + b * b
    stretch = 1.0 + k1 * square + k2 * square * square
    return [weight * (f * stretch * a + u - feature[0]), weight * (f * stretch * b + v - feature[1])]


def data(n: int = POINTS) -> tuple[Any, Any]:
    """Random observations: the parameters, (15, n), and the features, (2, n)."""
    rng = np.random.default_rng(4)
    p = np.empty((15, n))
    p[0:3] = rng.normal(0.0, 0.5, (3, n))
    p[3:6] = rng.normal(0.0, 0.3, (3, n))
    p[6] = rng.uniform(1.0, 2.0, n)
    p[7:9] = rng.normal(0.0, 0.1, (2, n))
    p[9:11] = rng.normal(0.0, 0.02, (2, n))
    p[11:14] = rng.normal(0.0, 0.5, (3, n)) + np.array([[0.0], [0.0], [6.0]])
    p[14] = rng.uniform(0.5, 1.5, n)
    return p, rng.normal(0.0, 0.5, (2, n))


# -- the sides: each gives the Jacobian as (2, 15, n) --------------------------------------------------

def ours(n: int = POINTS) -> Side:
    p, feature = data(n)
    fast = native(ag.jacobian(residual), batch=("p", "feature"))
    for factor in (1.0, 0.99, 0.98):
        fast(factor * p, feature)
    return Side(lambda: fast(p, feature))


def ours_bound(n: int = POINTS, rounding: str = "vector") -> Side:
    fast = native(ag.jacobian(residual), batch=("p", "feature"), rounding=rounding)
    return Side(bound(fast, *data(n)))


def ddx_ad(n: int = POINTS) -> Side:
    ddx = package("ddx")
    m = SimpleNamespace(sqrt=ddx.sqrt, sin=ddx.sin, cos=ddx.cos, branches=False)

    def model() -> Any:
        p = [ddx.var(f"p{i}") for i in range(15)]
        return tuple(residual(p, [ddx.param("u"), ddx.param("v")], m))
    call = ddx.equation(model).compile(points=n).buffer(np.concatenate(data(n)), want=ddx.Want.GRADIENT)
    return Side(call, lambda _: call.jacobian)


def jax(n: int = POINTS) -> Side:
    jax = jax_in_doubles()
    jnp = jax.numpy
    m = SimpleNamespace(sqrt=jnp.sqrt, sin=jnp.sin, cos=jnp.cos, branches=False)
    f = jax.jit(jax.vmap(jax.jacrev(lambda p, feature: jnp.stack(residual(p, feature, m)))))
    p, feature = (jnp.array(x.T) for x in data(n))
    return Side(lambda: f(p, feature).block_until_ready(), lambda j: np.moveaxis(np.asarray(j), 0, -1))


IN_C = """
#include <math.h>

#if defined __AVX512F__
#define LANES 8
#define OF_LIBMVEC(name) _ZGVeN8v_##name
#elif defined __AVX2__
#define LANES 4
#define OF_LIBMVEC(name) _ZGVdN4v_##name
#else
#define LANES 2
#define OF_LIBMVEC(name) _ZGVbN2v_##name
#endif
typedef double V __attribute__((vector_size(8 * LANES)));
typedef double U __attribute__((vector_size(8 * LANES), aligned(8)));
V OF_LIBMVEC(sin)(V);
V OF_LIBMVEC(cos)(V);

static V root(V x) { for (int i = 0; i < LANES; i++) x[i] = sqrt(x[i]); return x; }

/* The Jacobian of the residual by hand, as (2, 15, n), of p, (15, n), and feature, (2, n); n ≥ LANES. */
void jacobian(const double *restrict p, const double *restrict feature, double *restrict j, long n)
{
    const V zero = {0.0};
#define P(k) (*(const U *)(p + (k) * n + i))
    for (long next = 0; next < n; next += LANES) {
        long i = next + LANES > n ? n - LANES : next;
        V r0 = P(0), r1 = P(1), r2 = P(2), x0 = P(11) - P(3), x1 = P(12) - P(4), x2 = P(13) - P(5);
        V f = P(6), u = P(7), v = P(8), k1 = P(9), k2 = P(10), weight = P(14);

        V theta = root(r0 * r0 + r1 * r1 + r2 * r2), inverse = 1.0 / theta;
        V c = OF_LIBMVEC(cos)(theta), s = OF_LIBMVEC(sin)(theta), d = 1.0 - c;
        V w0 = r0 * inverse, w1 = r1 * inverse, w2 = r2 * inverse;
        V c0 = w1 * x2 - w2 * x1, c1 = w2 * x0 - w0 * x2, c2 = w0 * x1 - w1 * x0;
        V dot = w0 * x0 + w1 * x1 + w2 * x2;
        V y0 = c * x0 + s * c0 + d * dot * w0, y1 = c * x1 + s * c1 + d * dot * w1;
        V y2 = c * x2 + s * c2 + d * dot * w2;

        V z = 1.0 / y2, a = y0 * z, b = y1 * z;
        V square = a * a + b * b, stretch = 1.0 + k1 * square + k2 * square * square;
        V bend = 2.0 * (k1 + 2.0 * k2 * square), wf = weight * f, mixed = wf * bend * a * b;

        /* the rotation matrix, and what the angle does */
        V R00 = c + d * w0 * w0, R01 = d * w0 * w1 - s * w2, R02 = d * w0 * w2 + s * w1;
        V R10 = d * w0 * w1 + s * w2, R11 = c + d * w1 * w1, R12 = d * w1 * w2 - s * w0;
        V R20 = d * w0 * w2 - s * w1, R21 = d * w1 * w2 + s * w0, R22 = c + d * w2 * w2;
        V t0 = c * c0 - s * x0 + s * dot * w0, t1 = c * c1 - s * x1 + s * dot * w1;
        V t2 = c * c2 - s * x2 + s * dot * w2;

        /* a row, by its derivatives by a and b */
#define ROW(out, by_a, by_b, at, g7, g8, centre, feature) do { \
        V b0 = (by_a) * z, b1 = (by_b) * z, b2 = -(b0 * a + b1 * b);                    /* by y */ \
        V turn = b0 * t0 + b1 * t1 + b2 * t2, along = d * (b0 * w0 + b1 * w1 + b2 * w2); \
        V e0 = s * (x1 * b2 - x2 * b1) + d * dot * b0 + along * x0;                     /* by w */ \
        V e1 = s * (x2 * b0 - x0 * b2) + d * dot * b1 + along * x1; \
        V e2 = s * (x0 * b1 - x1 * b0) + d * dot * b2 + along * x2; \
        V radial = e0 * w0 + e1 * w1 + e2 * w2, stretched = stretch * (at); \
        V m0 = b0 * R00 + b1 * R10 + b2 * R20, m1 = b0 * R01 + b1 * R11 + b2 * R21; \
        V m2 = b0 * R02 + b1 * R12 + b2 * R22, k = wf * (at) * square; \
        V row[15] = {turn * w0 + (e0 - radial * w0) * inverse, turn * w1 + (e1 - radial * w1) * inverse, \
                     turn * w2 + (e2 - radial * w2) * inverse, -m0, -m1, -m2, weight * stretched, g7, g8, \
                     k, k * square, m0, m1, m2, f * stretched + centre - *(const U *)(feature)}; \
        for (int l = 0; l < 15; l++) *(U *)((out) + l * n + i) = row[l]; } while (0)

        ROW(j, wf * (stretch + bend * a * a), mixed, a, weight, zero, u, feature + i);
        ROW(j + 15 * n, mixed, wf * (stretch + bend * b * b), b, zero, weight, v, feature + n + i);
    }
}
"""


def c(n: int = POINTS) -> Side:
    """By hand, over the lanes of the machine's vectors, with the sine and cosine of libmvec."""
    p, feature = data(n)
    library, j = in_c(IN_C, "-march=native", "-fno-math-errno", "-lmvec"), np.empty((2, 15, n))
    return Side(lambda: library.jacobian(pointer(p), pointer(feature), pointer(j), n), lambda _: j)


ROWS = {
    "bundle-ddx": Row("bundle, 2×15, 30,000 points", ours, "ddx-ad, buffered", ddx_ad),
    "bundle-jax": Row("bundle, 2×15, 30,000 points", ours, "JAX, vmap(jacrev)", jax, 10.0),
    "bundle-c": Row("bundle, 2×15, 30,000 points", ours, "C, by hand, SIMD", c, 1 / 1.5),
    "bundle-bound-ddx": Row("bundle, bound", ours_bound, "ddx-ad, buffered", ddx_ad),
    "bundle-bound-c": Row("bundle, bound", ours_bound, "C, by hand, SIMD", c),
    "bundle-cores-ddx": Row("bundle, bound, all cores", ours_bound, "ddx-ad, buffered", ddx_ad, 3.0,
                            cores=True),
    "bundle-cores-jax": Row("bundle, bound, all cores", ours_bound, "JAX, vmap(jacrev)", jax, cores=True),
    "bundle-free": Row("  the same, rounding free", lambda: ours_bound(rounding="free"), "C, by hand, SIMD",
                       c),
}
