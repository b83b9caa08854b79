# SPDX-License-Identifier: BSD-3-Clause
"""Writes functions.txt: correctly rounded values of the elementary functions, by mpmath.

Each line is: name x [y] result, as float64 bit patterns in hex. Points are edges,
powers of two, random patterns and random points where a function is interesting.

Run: python functions.py > functions.txt
"""
import math
import random
import struct
from statistics import NormalDist

import mpmath as mp

mp.mp.prec = 1300  # sin of 1e308 needs 1024 bits before the point
random.seed(20261125)


def bits(x):
    return "%016x" % struct.unpack("<Q", struct.pack("<d", x))[0]


def unbits(u):
    return struct.unpack("<d", struct.pack("<Q", u))[0]


def to_float(v):
    """Rounds an mpf once to float64, subnormals and overflow included."""
    if isinstance(v, mp.mpc):
        return math.nan
    if mp.isnan(v):
        return math.nan
    if mp.isinf(v):
        return math.inf if v > 0 else -math.inf
    if v == 0:
        return 0.0
    sign, a = (-1.0, -v) if v < 0 else (1.0, v)
    e = int(mp.floor(mp.log(a, 2)))
    while mp.mpf(2) ** e > a:
        e -= 1
    while mp.mpf(2) ** (e + 1) <= a:
        e += 1
    ulp = max(e - 52, -1074)
    n = int(mp.nint(mp.ldexp(a, -ulp)))
    try:
        return sign * math.ldexp(n, ulp)
    except OverflowError:
        return sign * math.inf


TINY = [5e-324, 1e-310, 2.2250738585072014e-308, 1e-300, 1e-200, 1e-100, 1e-20, 1e-16, 1.1102230246251565e-16,
        2.220446049250313e-16, 1e-9, 7.450580596923828e-09, 1e-5]
MID = [0.001, 0.1, 0.25, 0.2928932188134524, 0.34657359027997264, 0.41421356237309503, 0.4375, 0.5, 0.5493061443340549,
       0.6875, 0.7071067811865475, 0.7071067811865476, 0.75, 0.7853981633974483, 0.9, 0.975, 0.9999999999999999, 1.0,
       1.0000000000000002, 1.1875, 1.4142135623730951, 1.5707963267948966, 2.0, 2.4375, 2.718281828459045, 3.0,
       3.141592653589793, 4.0, 6.283185307179586, 8.0, 10.0, 21.999, 22.0, 100.0, 355.0, 700.0, 708.5, 709.782712893384,
       709.7827128933841, 710.4, 710.4758600739439, 710.5, 744.0, 745.13, 745.2, 746.0, 1000.0, 1023.5, 1024.0, 1074.5, 1075.0]
BIG = [1e5, 33554432.0, 1e10, 2.0**39, 2.0**40, 2.0**40 + 0.5, 1e15, 1e16, 5e18, 6381956970095103.0 * 2.0**797, 1e22, 1e100, 1e200, 1e300,
       1.7976931348623157e308]


def signs(xs):
    return [s * x for x in xs for s in (1.0, -1.0)]


EDGES = signs(TINY + MID + BIG)


def points(n, lo, hi):
    pts = list(EDGES)
    pts += [random.uniform(lo, hi) for _ in range(n)]
    pts += [unbits(random.getrandbits(64)) for _ in range(n // 4)]
    return [p for p in pts if p == p and abs(p) != math.inf]


UNARY = {
    "exp": (mp.exp, -745, 710), "exp2": (lambda x: mp.power(2, x), -1075, 1024), "expm1": (mp.expm1, -3, 5),
    "log": (mp.log, 0, 3), "log2": (lambda x: mp.log(x, 2), 0, 3), "log10": (mp.log10, 0, 1100), "log1p": (mp.log1p, -1, 2),
    "cbrt": (lambda x: mp.cbrt(x) if x >= 0 else -mp.cbrt(-x), -10, 10),
    "sin": (mp.sin, -1000, 1000), "cos": (mp.cos, -1000, 1000), "tan": (mp.tan, -1000, 1000),
    "arcsin": (mp.asin, -1, 1), "arccos": (mp.acos, -1, 1), "arctan": (mp.atan, -5, 5),
    "sinh": (mp.sinh, -5, 25), "cosh": (mp.cosh, -5, 25), "tanh": (mp.tanh, -3, 3),
    "arcsinh": (mp.asinh, -5, 5), "arccosh": (mp.acosh, 1, 5), "arctanh": (mp.atanh, -1, 1),
}
print(f"# mpmath {mp.__version__}: functions.py")
for name, (f, lo, hi) in UNARY.items():
    for x in points(200, lo, hi):
        if name in ("log", "log2", "log10") and x < 0 or name == "log1p" and x < -1:
            continue
        if name == "log1p" and x == -1:
            continue
        if name in ("arcsin", "arccos") and abs(x) > 1 or name == "arccosh" and x < 1 or name == "arctanh" and abs(x) >= 1:
            continue
        if name in ("exp", "exp2", "expm1", "sinh", "cosh") and abs(x) > 1200:
            r = {"expm1": (math.inf, -1.0), "sinh": (math.inf, -math.inf), "cosh": (math.inf, math.inf)}.get(name, (math.inf, 0.0))
            print(name, bits(x), bits(r[0] if x > 0 else r[1]))
            continue
        if name == "tanh" and abs(x) > 100:
            print(name, bits(x), bits(math.copysign(1.0, x)))
            continue
        print(name, bits(x), bits(to_float(f(mp.mpf(x)))))

mp.mp.prec = 300
state = random.getstate()


def ndtri(p):
    """Inverse of the normal distribution's cumulative function, by Newton's steps for its logarithm."""
    q = mp.mpf(p)
    if q > 0.5:
        return -ndtri(1 - q)
    x = mp.mpf(NormalDist().inv_cdf(p)) if p > 1e-300 else -mp.sqrt(-2 * mp.log(q))
    for _ in range(60):
        step = (mp.log(mp.ncdf(x)) - mp.log(q)) * mp.ncdf(x) / mp.npdf(x)
        x -= step
        if abs(step) < abs(x) * mp.mpf(2) ** -200 or x == 0:
            return x
    raise ArithmeticError(p)


for x in points(200, 0, 1) + [random.random() * 2.0 ** -random.randrange(70) for _ in range(400)] + [1 - random.random() * 2.0 ** -random.randrange(50) for _ in range(400)]:
    if 0 < x < 1:
        print("ndtri", bits(x), bits(to_float(ndtri(x)) if x != 0.5 else 0.0))
random.setstate(state)  # what follows has the points it had


def pairs(n, lo, hi):
    e = signs([5e-324, 1e-310, 1e-300, 1e-16, 0.5, 0.9999999999999999, 1.0, 1.0000000000000002, 2.0, 3.0, 10.0, 1e16, 1e154, 1e300, 1.7976931348623157e308])
    out = [(x, y) for x in e for y in e]
    out += [(random.uniform(lo, hi), random.uniform(lo, hi)) for _ in range(n)]
    out += [(random.uniform(lo, hi), random.uniform(0, 1) * 10.0 ** random.uniform(-20, 3)) for _ in range(n // 2)]
    return out


for x, y in pairs(600, -10, 10):
    print("hypot", bits(x), bits(y), bits(to_float(mp.sqrt(mp.mpf(x) ** 2 + mp.mpf(y) ** 2))))
    r = mp.atan2(mp.mpf(x), mp.mpf(y))
    v = to_float(r)
    print("arctan2", bits(x), bits(y), bits(math.copysign(v, x)))
for x, y in pairs(1500, 0, 300):
    x = abs(x)
    try:
        ly = mp.mpf(y) * mp.log(mp.mpf(x))
        v = to_float(mp.exp(ly)) if abs(ly) < 800 else (math.inf if ly > 0 else 0.0)
    except (ValueError, OverflowError):
        continue
    print("power", bits(x), bits(y), bits(v))
