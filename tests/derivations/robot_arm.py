"""A robot's arm of two links: the Jacobian of its tip, and the gradient of the distance to a goal."""
import numpy as np

import autograd_lite as ag

from . import leaves


def point(rng):
    return {"l": rng.uniform(0.6, 1.4, 2), "theta": rng.uniform(0.3, 1.2, 2), "goal": rng.normal(size=2)}


def forward(point):
    links, theta = leaves(point["l"]), leaves(point["theta"])
    both = theta[0] + theta[1]
    tip = np.array([links[0] * ag.cos(theta[0]) + links[1] * ag.cos(both),
                    links[0] * ag.sin(theta[0]) + links[1] * ag.sin(both)])
    E = 0.5 * ((tip - point["goal"]) ** 2).sum()
    reach = tip @ tip
    ag.label(l=links, theta=theta, both=both, tip=tip, E=E, reach=reach)
    return E, reach


def hand(point, write):
    (l1, l2), (t1, t2) = point["l"], point["theta"]
    s1, c1, s12, c12 = np.sin(t1), np.cos(t1), np.sin(t1 + t2), np.cos(t1 + t2)
    at = np.array([l1 * c1 + l2 * c12, l1 * s1 + l2 * s12])

    def jacobian(x1, x2, y1, y2):
        return np.array([[x1, x2], [y1, y2]])

    J = write(("tip", "theta"), jacobian(-l1 * s1 - l2 * s12, -l2 * s12, l1 * c1 + l2 * c12, l2 * c12),
              missing_path=lambda: jacobian(-l1 * s1, -l2 * s12, l1 * c1, l2 * c12),
              sign=lambda: jacobian(l1 * s1 + l2 * s12, l2 * s12, l1 * c1 + l2 * c12, l2 * c12),
              substitution=lambda: jacobian(-l1 * s1 - l2 * np.sin(t2), -l2 * np.sin(t2),
                                            l1 * c1 + l2 * np.cos(t2), l2 * np.cos(t2)),
              transposition=lambda: jacobian(-l1 * s1 - l2 * s12, l1 * c1 + l2 * c12, -l2 * s12, l2 * c12),
              missing_factor=lambda: jacobian(-s1 - s12, -s12, c1 + c12, c12),
              substitution_2=lambda: jacobian(-l1 * c1 - l2 * c12, -l2 * c12, l1 * s1 + l2 * s12, l2 * s12))
    J_l = write(("tip", "l"), jacobian(c1, c12, s1, s12), transposition=lambda: jacobian(c1, s1, c12, s12),
                substitution=lambda: jacobian(c1, np.cos(t2), s1, np.sin(t2)))
    miss = write("tip", at - point["goal"], sign=lambda: point["goal"] - at)
    write("theta", J.T @ miss, transposition=lambda: J @ miss, missing_term=lambda: J[0] * miss[0])
    write("l", J_l.T @ miss)
    turn = write(("reach", "tip"), 2 * at, factor=lambda: at.copy())
    write(("reach", "theta"), turn @ J, transposition=lambda: J @ turn)
    return write.claims
