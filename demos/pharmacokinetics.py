"""A drug's absorption and clearance fitted by SciPy with exact derivatives, and what follows with its errors.

    pip install '.[demos,sparse]' && python demos/pharmacokinetics.py [--output DIR]

One compartment, an oral dose of 320 mg at time 0: the drug is absorbed at the rate ka after a lag, spreads
in the volume V and is cleared at CL. The concentrations are synthetic: computed with ka = 1.4/h,
CL = 2.8 l/h, V = 32 l and a lag of 0.3 h, plus normal noise of 0.2 mg/l. Writes pharmacokinetics.png.
Model: M. Rowland, T. N. Tozer, Clinical Pharmacokinetics and Pharmacodynamics (4th ed., 2011), appendix.
"""
import argparse
import math
import sys
import time
from pathlib import Path

import matplotlib
import numpy as np
from scipy import optimize, special

import autograd_lite as ag
from autograd_lite.files import write_figure

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend comes first)

DOSE = 320.0                                                                    # mg
TIMES = [0.2, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0, 9.0, 12.0, 16.0, 20.0, 24.0]                  # h
FOUND = [0.0, 2.43, 4.67, 5.94, 7.69, 8.39, 8.26, 7.97, 6.88, 5.95, 4.84, 3.68, 2.66, 1.95, 1.42]
NAMES, TRUTH, START = ("ka", "CL", "V", "lag"), (1.4, 2.8, 32.0, 0.3), (0.8, 4.0, 20.0, 0.1)


def concentration(p, t):
    """Bateman's function: what the four parameters say of the time t, in mg/l."""
    ka, cl, v, lag = p
    if t <= lag:
        return 0.0
    k = cl / v
    return DOSE * ka / (v * (ka - k)) * (ag.exp(-k * (t - lag)) - ag.exp(-ka * (t - lag)))


def residuals(p):
    return [concentration(p, t) - y for t, y in zip(TIMES, FOUND)]


def half_squares(p):
    return 0.5 * ag.sum([r * r for r in residuals(p)])


def derived(p):
    """What a physician asks."""
    ka, cl, v, lag = p
    k = cl / v
    peak = lag + ag.log(ka / k) / (ka - k)
    return {"half-life (h)": math.log(2.0) / k, "AUC (mg h/l)": DOSE / cl, "time of peak (h)": peak,
            "peak (mg/l)": concentration(p, peak)}


def of_logarithms(q):
    """The same objective of the parameters' logarithms, which no step takes out of its domain."""
    return half_squares([ag.exp(x) for x in q])


def fits():
    """The parameters by each of SciPy's ways, and how often the objective was computed."""
    start, q = np.array(START), np.log(START)
    gradient = ag.value_and_grad(of_logarithms)
    hess = {"hess": ag.hessian(of_logarithms)}
    hessp = {"hessp": lambda q, d: ag.hvp(of_logarithms, (q,), (d,))}
    for method, second in {"L-BFGS-B": {}, "BFGS": {}, "Newton-CG": hess, "trust-ncg": hessp,
                           "trust-exact": hess}.items():
        found = optimize.minimize(gradient, q, jac=True, method=method, **second)
        yield f"minimize, {method}", np.exp(found.x), found.nfev
    found = optimize.least_squares(residuals, start, jac=ag.jacobian(residuals), x_scale=start)
    yield "least_squares", found.x, found.nfev
    found, _, info, _, _ = optimize.curve_fit(
        lambda t, *p: [concentration(p, x) for x in t], TIMES, FOUND, start, full_output=True,
        jac=lambda t, *p: np.array([ag.grad(concentration)(list(p), x) for x in t]))
    yield "curve_fit", found, info["nfev"]
    found = optimize.root(ag.grad(half_squares), found * 1.02, jac=ag.hessian(half_squares))
    yield "root of the gradient", found.x, found.nfev


def covariances(p):
    """The parameters' covariance matrix, from the Jacobian as curve_fit has it and from the Hessian."""
    r, jacobian = np.array(residuals(p)), np.array(ag.jacobian(residuals)(p))
    variance = r @ r / (len(r) - len(p))
    of_jacobian, of_hessian = jacobian.T @ jacobian, ag.hessian(half_squares)(p)
    return variance * np.linalg.inv(of_jacobian), variance * np.linalg.inv(of_hessian)


def seconds(f):
    """The least CPU time of a call, after one that compiles."""
    f()
    times = []
    for _ in range(5):
        before = time.process_time()
        f()
        times.append(time.process_time() - before)
    return min(times)


def draw(p, cov, path):
    figure, (fit, shares) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    times = np.linspace(0.31, 25.0, 120).tolist()
    band = ag.propagate(lambda p: [concentration(p, t) for t in times], p, cov, order=1)
    centre, width = np.array(band.value), 1.96 * np.array(band.std)
    fit.fill_between(times, centre - width, centre + width, color="#2166ac", alpha=0.25, linewidth=0,
                     label="95 % of the curve")
    fit.plot(times, centre, color="#2166ac", label="fit")
    fit.plot(TIMES, FOUND, "o", color="#333333", markersize=4, label="data")
    fit.set(title="concentration", xlabel="time (h)", ylabel="mg/l", xlim=(0, 25), ylim=(0, None))
    fit.legend(frameon=False)
    result = ag.propagate(derived, p, cov)
    names = list(result.shares)
    high, low = np.zeros(len(names)), np.zeros(len(names))
    for k, name in enumerate(NAMES):
        share = np.array([100.0 * result.shares[what][k] for what in names])
        shares.bar(range(len(names)), share, 0.6, bottom=np.where(share < 0.0, low, high), label=name)
        high, low = high + np.maximum(share, 0.0), low + np.minimum(share, 0.0)
    shares.set(title="whose error it is", ylabel="share of the variance (%)")
    shares.set_xticks(range(len(names)), [name.replace(" (", "\n(") for name in names])
    shares.legend(frameon=False, ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.15))
    write_figure(figure, path, dpi=150)


def main():
    parser = argparse.ArgumentParser(description="Fit a pharmacokinetic model with SciPy.")
    parser.add_argument("--output", type=Path, default=Path(), metavar="DIR",
                        help="where pharmacokinetics.png goes")
    output = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)

    print(f"{'':24s}" + "".join([f"{name:>11s}" for name in NAMES]) + "      calls")
    print(f"{'the truth':24s}" + "".join([f"{x:11.6g}" for x in TRUTH]))
    for name, p, calls in fits():
        print(f"{name:24s}" + "".join([f"{x:11.6g}" for x in p]) + f"{calls:11d}")

    found, cov = optimize.curve_fit(
        lambda t, *p: [concentration(p, x) for x in t], TIMES, FOUND, START,
        jac=lambda t, *p: np.array([ag.grad(concentration)(list(p), x) for x in t]))
    p = found.tolist()
    for name, matrix in zip(("curve_fit's pcov", "J'J", "the Hessian"), (cov, *covariances(p))):
        print(f"{'error, by ' + name:28s}" + "  ".join([f"{x:9.5g}" for x in np.sqrt(np.diag(matrix))]))

    result = ag.propagate(derived, p, cov)
    quantile = special.stdtrit(len(TIMES) - len(p), 0.975)
    print(f"\n{'':18s}{'value':>9s}{'error':>9s}{'bias':>10s}   95 % interval")
    for name, value in result.value.items():
        std = result.std[name]
        print(f"{name:18s}{value:9.3f}{std:9.3f}{result.bias[name]:10.4f}"
              f"   {value - quantile * std:.3f} to {value + quantile * std:.3f}")

    def fit(f):
        return optimize.minimize(f, np.log(START), jac=True, method="L-BFGS-B")
    gradient = ag.value_and_grad(of_logarithms)
    fast = ag.compile(gradient)
    same = fit(gradient).x.tolist() == fit(fast).x.tolist()
    eager, compiled = seconds(lambda: fit(gradient)), seconds(lambda: fit(fast))
    print(f"\nL-BFGS-B: {1e3 * eager:.1f} ms, compiled {1e3 * compiled:.1f} ms; the same numbers: {same}")
    draw(p, cov, output / "pharmacokinetics.png")
    print(f"wrote {output / 'pharmacokinetics.png'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
