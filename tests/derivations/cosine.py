"""The cosine of the angle between two vectors, and a loss on it."""
import numpy as np

import autograd_lite as ag

from . import leaves


def point(rng):
    return {"a": rng.normal(size=4), "b": rng.normal(size=4), "t": rng.uniform(1.2, 2.0)}


def forward(point):
    a, b = leaves(point["a"]), leaves(point["b"])
    dot = a @ b
    na, nb = ag.sqrt(a @ a), ag.sqrt(b @ b)
    cos = dot / (na * nb)
    L = (cos - point["t"]) ** 2
    ag.label(a=a, b=b, dot=dot, na=na, nb=nb, cos=cos, L=L)
    return L


def hand(point, write):
    a, b = point["a"], point["b"]
    dot, na, nb = a @ b, np.linalg.norm(a), np.linalg.norm(b)
    cos = dot / (na * nb)

    na_a = write(("na", "a"), a / na, missing_factor=lambda: a.copy(), factor=lambda: 2 * a / na,
                 factor_2=lambda: a / (2 * na))
    cos_dot = write(("cos", "dot"), 1 / (na * nb), extra_factor=lambda: dot / (na * nb))
    cos_na = write(("cos", "na"), -cos / na, sign=lambda: cos / na, missing_factor=lambda: -cos)
    cos_a = write(("cos", "a"), cos_dot * b + cos_na * na_a, missing_path=lambda: cos_dot * b,
                  missing_path_2=lambda: cos_na * na_a, missing_factor=lambda: cos_dot * b + cos_na * a,
                  substitution=lambda: cos_dot * b + cos_na * b / nb)
    dcos = write("cos", 2 * (cos - point["t"]), factor=lambda: cos - point["t"])
    write("na", dcos * cos_na)
    write("a", dcos * cos_a)
    write("b", dcos * (cos_dot * a - cos * b / nb ** 2),
          sign=lambda: dcos * (cos_dot * a + cos * b / nb ** 2),
          substitution=lambda: dcos * cos_a)
    return write.claims
