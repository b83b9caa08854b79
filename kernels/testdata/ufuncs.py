# SPDX-License-Identifier: BSD-3-Clause
"""Writes ufuncs.txt: dtypes and values of NumPy's ufuncs.

Lines: `values DTYPE HEX` gives the operands of a dtype (native bytes); `NAME D1 [D2 ..] -> DTYPE` the
signature, or `-> error`; `NAME D -> DTYPE HEX` the results for all operands, or all pairs of them
(first operand outside). Integer powers use the operands that are not negative as exponents.

Run: python ufuncs.py > ufuncs.txt
"""
import warnings

import numpy as np

warnings.simplefilter("ignore")
DTYPES = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64".split()
UNARY = """negative positive absolute fabs sign square sqrt reciprocal invert bitwise_count floor ceil trunc rint
isnan isinf isfinite isposinf isneginf signbit logical_not spacing exp exp2 expm1 log log2 log10 log1p cbrt sin cos tan arcsin arccos
arctan sinh cosh tanh arcsinh arccosh arctanh deg2rad rad2deg real imag conjugate round""".split()
BINARY = """add subtract multiply divide floor_divide remainder fmod power float_power hypot minimum maximum fmin fmax heaviside gcd lcm
equal not_equal less less_equal greater greater_equal logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor
left_shift right_shift copysign nextafter logaddexp logaddexp2 arctan2""".split()


def operands(d):
    dt = np.dtype(d)
    if d == "bool":
        return np.array([False, True])
    if dt.kind in "iu":
        i = np.iinfo(dt)
        return np.array([0, 1, 2, 3, 5, 7, 11, i.max - 1, i.max] + ([-1, -2, -3, -7, i.min, i.min + 1] if dt.kind == "i" else [64, 100]), dt)
    f = np.finfo(dt)
    return np.array([0.0, -0.0, 1, -1, 0.1, 0.5, -0.75, 1.5, -2.5, 3, 7, 100.5, -33, f.max, f.tiny, f.smallest_subnormal, np.inf, -np.inf, np.nan], dt)


def hexof(a):
    return np.ascontiguousarray(a).tobytes().hex()


def call(name, *args):
    try:
        with np.errstate(all="ignore"):
            return getattr(np, name)(*args)
    except TypeError:
        return None


print(f"# numpy {np.__version__}: ufuncs.py")
vals = {d: operands(d) for d in DTYPES}
for d in DTYPES:
    print("values", d, hexof(vals[d]))
for name in UNARY:
    for d in DTYPES:
        r = call(name, vals[d])
        print(name, d, "->", "error" if r is None else f"{r.dtype} {hexof(r)}")
for name in BINARY:
    for a in DTYPES:
        for b in DTYPES:
            if a == b:
                x, y = vals[a][:, None], vals[b][None, :]
                if name == "power" and np.dtype(a).kind == "i":
                    y = y[y >= 0][None, :]
                r = call(name, x, y)
                print(name, a, b, "->", "error" if r is None else f"{r.dtype} {hexof(r)}")
            else:
                r = call(name, np.ones(1, a), np.ones(1, b))
                print(name, a, b, "->", "error" if r is None else r.dtype)

COMPLEX = ["complex64", "complex128"]
CUNARY = "negative positive absolute conjugate real imag square sqrt exp log isnan isinf isfinite reciprocal sign angle fabs floor invert signbit".split()
CBINARY = "add subtract multiply divide equal not_equal bitwise_and hypot".split()
PARTS = [0, 1j, -1j, 1, -1, 0.5 - 2j, -3 + 4j, 1e-3 + 7j, -1e10 - 1e-5j, 3 + 1e-8j, 0.6 + 0.8j]
for d in COMPLEX:
    vals[d] = np.array(PARTS, d)
    print("values", d, hexof(vals[d]))
for name in CUNARY:
    for d in COMPLEX:
        r = call(name, vals[d])
        print(name, d, "->", "error" if r is None else f"{r.dtype} {hexof(r)}")
for name in CBINARY:
    for a in COMPLEX:
        for b in COMPLEX + DTYPES:
            r = call(name, vals[a][:, None], vals[b][None, :])
            if a == b:
                print(name, a, b, "->", "error" if r is None else f"{r.dtype} {hexof(r)}")
            else:
                print(name, a, b, "->", "error" if r is None else r.dtype)
for a in DTYPES:
    for b in DTYPES:
        print("where bool", a, b, "->", np.where(np.ones(1, bool), np.ones(1, a), np.ones(1, b)).dtype)
