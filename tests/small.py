"""Functions of the small language (see `autograd_lite.native.language`) that use all of it."""
from __future__ import annotations

import math

from autograd_lite.native import runtime
from autograd_lite.native.objects import (Floats, Ints, Object, Objects, Words, as_floats, as_object,
                                          call_many, list_item, new_float, stack, words_from)
from autograd_lite.ops import special

HALF, MANY = 0.5, 3
size_of_all = len


def branches(a: float, b: float) -> float:
    """What is returned in branches."""
    if a < b:
        return a
    if a == 0.0:
        pass
    elif a >= 2.0 * b or not b:
        a = -a + b
    else:
        return +b
        a = 7.0
    if a:
        a -= 1.0
    return a


def loops(a: float, n: int) -> float:
    total = 0.0
    for i in range(n):
        if i == 3:
            continue
        total += a * i
        if total > 9.0:
            break
    for i in range(2, n):
        total = total - i
    for i in range(n, 1, -2):
        for j in range(i, n, 2):
            total += i * j
    while total > 10.0 and n:
        total *= HALF
    while True:
        n = n - 1
        if n < MANY:
            return total


def numbers(a: float, n: int, flag: bool) -> float:
    """Of three kinds, and each as another."""
    whole = int(a) + int(flag) + int(n) + 2 - -3
    mixed = n * 2 + whole // 2 + (n & 7) + (n >> 1) + True
    real = float(n) + float(flag) + n / 2 + 1 + math.pi + MANY
    truth = n < 3 <= mixed
    if n:
        real = real + (flag == (n > 1)) - (n != 2)
    if flag:
        real = 1
    return real + mixed + truth + (-n) * a + -a + (n if flag else 2) + (1 if a > 0.0 else signs(a)) % 3.0


def signs(a: float) -> int:
    return -1 if a < -1.0 and a > -2.0 or a == 5.0 else 0


def flags(a: float) -> bool:
    if a > 1.0:
        return a < 2.0
    raise ValueError


def nothing(a: float) -> float:
    if a > 1.0:
        return


def wholes(a: float) -> int:
    if a > 1.0:
        raise ValueError


def libraries(a: float, b: float) -> float:
    c = math.exp(a) * math.atan2(a, b) + math.sqrt(abs(b)) + math.floor(a) + math.copysign(a, b)
    return c + max(a, b, 2.0) - min(a, 3) + math.pow(a, 2.0) + math.pow(a, b) + math.pow(2.0, a)


def calls(a: float, b: float) -> float:
    c = branches(a, 1) + a % b + a // 2
    return c + 1.0 if signs(c) > 0 and branches(b, a) > 0.0 else (d := c + 1.0) * d


def choices(a: float, b: float) -> float:
    if a > 0.0 or math.log(a) < b and b < 9.0 or b == a:
        return (math.sin(a) if b > 0.0 else 2) + (a if b < 1.0 else b)
    return runtime.nan


def lists(a: float, n: int) -> float:
    xs = [a, 2, n]
    ys: Floats = [0.5] * 4
    zs = (a, a)
    xs[n] = ys[-1] + zs[0]
    xs[0] += a
    xs[-1] = ys[n - 1] = 4
    b, c = a, xs[1]
    b, c = c, b
    return b - c + xs[2]


def sums(a: float, b: float) -> float:
    ps = special.shares(a, b, 1.0)
    return special.fsum(a, b, 1.0) + special.fdot(a, 1.0, b, 2.0, a) + special.mean(a, b) + ps[1]


def middle(a: float, b: float = 2, c: float = 0.25) -> float:
    return a + b * c


def defaults(a: float) -> float:
    return middle(a) + middle(a, 3.0) + middle(a, nothing(a), a)


def arrays(m: Floats, t: Ints, w: Words, os: Objects, n: int) -> int:
    m[t[n]] = m[n] + t[0]
    t[n] = n + 1
    w[0] = w[1] - 1
    new = words_from(w, 2)
    own = stack(n)
    own[0] = as_floats(new[0])[1]
    if os[0] is None or os[1] is not as_object(w[3]):
        return n
    call_many(os[0], os, 1, None)
    new_float(n)
    return 0


def objects(x: Object, n: int) -> Object:
    item = list_item(x, n)
    if item is None:
        raise ValueError
    found = new_float(1.5) if n else item
    return found if n < 2 else x


def of_python(a: float) -> float:
    return called_back(a, 1) + size_of_all(a) + called_back(1, a)


def called_back(a, b):
    return [x for x in (a, b)][0]


# -- over lanes ------------------------------------------------------------------------------------------


def parting(x: float, y: float) -> float:
    """Lanes that end in branches; those that compute something are done where a lane needs them."""
    if x > y:
        if y > 0.0:
            return x - y
        z = x * 2.0
    elif x == y:
        z = math.exp(x)
    else:
        z = y
        raise ValueError
    if not x or y:
        z = -z
    return z + 1.0


def turns(x: float, n: int) -> float:
    """Lanes that leave loops, or turns of them."""
    total = 0.0
    for i in range(n):
        if i == 3 or x < i:
            continue
        if total > 4.0:
            break
        if total > x:
            return -total
        total += x
    while x > 1.0:
        for i in range(2):
            total -= x
        x = x / 2.0
        if x < total:
            break
    return total


def lanes_of_wholes(x: float, y: float) -> float:
    n = int(x)
    m = n * 2 - 1 + int(y > 0.0)
    m = -m if n < 2 else m
    if n:
        m += 1
    if 1 < n == m != 7:
        return
    return m + n * x + (3 if y < 0.0 else 4) + (2.0 if y < 1.0 and x else n) + float(True) + int(3)


def chosen(x: float, n: int) -> float:
    """Entries that each lane chooses."""
    xs = [x, n, 3.0]
    at = 0
    for i in range(3):
        if xs[i] > xs[at]:
            at = i
    xs[at] = 2 * xs[-1]
    xs[0] += 1.0
    if x > 0.0:
        xs[1] = x
        xs[at] = n
    return xs[at] + n


def called(x: float, y: float) -> float:
    """Vector functions, those that are made lane by lane, and functions of the language."""
    z = math.exp(x) + math.atan2(x, y) + math.fmod(x, y) + math.sqrt(abs(y)) + math.copysign(x, y)
    if x > 0.0:
        z = max(x, y, 2.0) - min(x, 3) + math.pow(x, 2.0) + math.pow(x, y) + math.lgamma(x) + signs(y)
    return z + x % y + called_back(x, y) + of_objects(x)


def of_objects(x: float) -> float:
    found = new_float(x)
    return 1.0 if found is None else 2.0


def summed(xs: Floats, n: int) -> float:
    total = xs[0]
    for i in range(1, n):
        xs[i] = xs[0] = total + xs[i]
        total = xs[i]
    return total


OF_FLOATS = [branches, loops, numbers, signs, flags, nothing, wholes, libraries, calls, choices, lists, sums,
             defaults, arrays, objects, of_python]
OVER_LANES = [parting, turns, lanes_of_wholes, chosen, called, summed, nothing, signs]
