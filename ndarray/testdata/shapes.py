# SPDX-License-Identifier: BSD-3-Clause
"""Writes shapes.json: what NumPy makes of expressions that both languages spell alike. Made with Python 3.11.7, NumPy 2.4.6:
    python shapes.py > shapes.json
Every case is a text that Python evaluates here and expr evaluates in shapes_test.go, over the arrays below."""
import json
import sys
import warnings

import numpy as np

warnings.simplefilter("ignore")
np.seterr(all="ignore")
R = np.random.default_rng(20261130)


def make(dtype, *shape):
    d = np.dtype(dtype)
    x = R.integers(-9, 10, shape)
    if d.kind == "b":
        return x > 0
    if d.kind == "u":
        return abs(x).astype(d)
    if d.kind == "f":
        return (x / 4).astype(d)
    if d.kind == "c":
        return (x / 4 + 1j * R.integers(-9, 10, shape) / 8).astype(d)
    return x.astype(d)


def special(*shape):
    x = make("float64", *shape).ravel()
    x[1::7], x[2::11], x[4::13] = np.nan, np.inf, -0.0
    return x.reshape(shape)


ARRAYS = {
    "m": make("float64", 4, 5), "f": make("float32", 5, 3), "i": make("int32", 4, 5), "b": make("int8", 3, 4), "u": make("uint8", 5), "t": make("bool", 4, 5),
    "h": make("float16", 6), "c": make("complex64", 3, 3), "z": make("complex128", 4), "x": make("float64", 2, 3, 4), "y": make("int64", 2, 3, 4),
    "v": make("float64", 7), "w": make("int16", 6), "s": special(6, 6), "q": special(8), "o": make("float64", 0, 3), "k": np.array(3), "g": np.array(2.5, "float32"),
    "r": np.array([0.5, 1.0, 2.5, 3.0, 7.0]), "p": np.arange(4.0) * 0.5, "d": make("uint16", 3, 3), "l": make("int64", 4), "n": np.array([1.5]), "j": make("bool", 6),
}
CASES = []


def case(text, *over):
    """Adds a case, once for each letter: $ in the text stands for it."""
    for a in over or [None]:
        CASES.append(text.replace("$", a) if a else text)


# Triangles, diagonals, traces.
for k in (0, 1, -1, 2, -3, 9, -9):
    case(f"tril($, {k})", "m", "i", "x", "c", "u", "t")
    case(f"triu($, k={k})", "m", "b", "y", "c", "v", "s")
    case(f"diag($, {k})", "v", "u", "c", "i", "q", "t")
    case(f"diagonal($, {k})", "m", "i", "x", "s")
    case(f"trace($, offset={k})", "m", "b", "u"[:0] or "d", "x", "t", "c")
case("tril($)", "m", "f", "d"); case("triu($)", "m", "f", "d"); case("$.diagonal()", "m", "x"); case("$.trace()", "c", "i")
case("diagonal(x, 1, 2, 0)"); case("diagonal(x, axis1=-1, axis2=1)"); case("diagonal(y, -1, axis1=0, axis2=-1)"); case("trace(y, 1, 2, 1)"); case("trace(b, dtype='float32')")
case("linalg.trace(x)"); case("linalg.trace(y, offset=1)"); case("linalg.diagonal(x)"); case("linalg.diagonal(x, offset=-2)"); case("linalg.matrix_transpose(x)")
case("diagflat($, 1)", "b", "u"); case("tri(3, 5, 1)"); case("tri(4)"); case("tri(4, 2, -1, dtype='int16')"); case("diag(o)"); case("tril(o)"); case("diagonal(o)"); case("trace(o)")

# Products.
case("tensordot(m, m.T)"); case("tensordot(m, i, axes=2)"); case("tensordot(m, f, 1)"); case("tensordot(m, f, 0)"); case("tensordot(x, y, axes=([0, 2], [0, 2]))")
case("tensordot(x, y, axes=((1,), (-2,)))"); case("tensordot(x, m, axes=(2, 0))"); case("tensordot(b, i, axes=(1, 0))"); case("tensordot(c, z[:3], 1)"); case("tensordot(t, t.T, 1)")
case("tensordot(u, u, 1)"); case("tensordot(o, f[:3], 1)"); case("linalg.tensordot(m, f, axes=1)"); case("tensordot(i, x, axes=([0], [2]))"); case("tensordot(k, m, 0)")
case("inner(m, i)"); case("inner(v, v)"); case("inner(x, y)"); case("inner(b, l)"); case("inner(k, m)"); case("inner(c, c)"); case("inner(b, b)"); case("inner(t, t)")
case("outer(u, w)"); case("outer(m, f)"); case("outer(z, u)"); case("linalg.outer(v, u)"); case("outer(t, j)"); case("outer(u, u)")
case("vecdot(m, i)"); case("vecdot(x, y, axis=0)"); case("vecdot(c, c)"); case("vecdot(c, c, axis=0)"); case("linalg.vecdot(x, l)"); case("vecdot(b, b)"); case("vecdot(t, t)"); case("vecdot(z, z)")
case("dot(x, y[0].T)"); case("dot(x, y.swapaxes(1, 2))"); case("dot(v, v)"); case("dot(m, u)"); case("dot(u, f)"); case("dot(l, x.T)"); case("dot(k, m)"); case("dot(x, l)")
case("matmul(x, y.mT)"); case("x @ y.mT"); case("b @ b.T"); case("u @ u"); case("(b * 9) @ l.astype('int8')"); case("t @ t.T"); case("linalg.matmul(c, c)"); case("d @ d"); case("x @ l"); case("l @ i")
case("(i * 100000000) @ i.T"); case("(u * 40) @ (u * 30)"); case("inner(w * 5000, w * 7000)"); case("tensordot(d * 9999, d * 7777, 2)")
case("kron($, b)", "m", "u", "k", "x", "t"); case("kron(b, $)", "f", "v", "y", "c"); case("kron(k, k)")
case("cross(d, d.T)"); case("cross(f, f[::-1])"); case("cross(f, f[0])"); case("cross(x, y, axis=1)"); case("cross(x, y, axisa=1, axisb=1)"); case("cross(x, y, 1, 1, 0)"); case("cross(c, d)")
case("linalg.cross(f, f[1])"); case("linalg.cross(x, y, axis=1)"); case("cross([1, 2, 3], [4, 5, 6])")
for e, args in [("ij,jk->ik", "m, f"), ("ij,jk", "i, f"), ("ij,kj->ki", "m, i"), ("ij->ji", "m"), ("ij->", "i"), ("ij->j", "b"), ("ii->i", "c"), ("ii", "d"), ("ii", "s"), ("i,i", "v, v"),
                ("i,j->ij", "u, w"), ("i,j", "u, w"), ("ijk,ijk->i", "x, y"), ("ijk->kji", "x"), ("ba", "m"), ("...j->...", "x"), ("...ij,...kj->...ik", "x, y"), ("i...->...", "x"), ("...", "x"),
                ("ij,ij->", "m, i"), ("ij,j->i", "m, u"), ("i,ij,j->", "l, m, u"), ("ij,jk,kl->il", "m, f, d"), ("ij,jk,kl", "i, f, c"), ("iij->j", "stack([d, d, d])"), ("ij, jk -> ik", "b, i"),
                ("i,i->i", "b[0], b[1]"), ("ij,ij->ij", "t, t"), ("ij,kj->ik", "t, t"), ("ijk,lk->lij", "y, b"), (",ij->ij", "k, m"), ("->", "k"), ("i->", "o[:, 0]"), ("ij,j->i", "o, d[0]"), ("a,b,c->cab", "u, l, z"),
                ("...,...", "m, m"), ("ij...,j->i...", "x, d[0]"), ("ab,bc,cd->", "m, f, d"), ("ik,kj->ij", "f[:, :1], f[:1]"), ("Ab,bC->AC", "m, f"), ("ij,ij,ij->i", "m, i, m")]:
    case(f"einsum({e!r}, {args})")
case("linalg.norm($)", "m", "x", "v", "c", "i", "f", "h", "k"); case("linalg.norm($, axis=0)", "m", "x", "c", "f", "b", "o")
for o in ("1", "inf", "-inf", "2", "0", "3", "-1", "0.5"):
    case(f"linalg.norm($, {o}, axis=-1)", "m", "c", "b", "f"); case(f"linalg.norm($, {o})", "v", "z", "u"); case(f"linalg.vector_norm($, axis=(0, 2), ord={o})", "x"); case(f"linalg.vector_norm($, ord={o}, keepdims=True)", "m", "c")
for o in ("'fro'", "1", "-1", "inf", "-inf"):
    case(f"linalg.norm($, {o})", "m", "c", "i", "s", "f"); case(f"linalg.norm($, ord={o}, axis=(2, 0))", "x", "y"); case(f"linalg.matrix_norm($, ord={o}, keepdims=True)", "x", "m"); case(f"linalg.norm($, {o}, (0, 1), True)", "x", "b")
case("linalg.matrix_norm($)", "x", "c"); case("linalg.vector_norm($)", "x", "f"); case("linalg.norm(x, axis=(0, 1))"); case("linalg.norm(s, axis=1, keepdims=True)")

# Padding.
for mode in ("constant", "edge", "reflect", "symmetric", "wrap"):
    for w in ("1", "(2, 3)", "(0, 0)", "((1, 2), (3, 0))", "((0, 7), (11, 13))", "((1,), (2,))", "((9, 4),)"):
        case(f"pad($, {w}, {mode!r})", "m", "i", "t", "c" if len(w) < 12 else "b")
    case(f"pad($, 5, mode={mode!r})", "u", "h", "n", "q"); case(f"pad($, (40, 33), mode={mode!r})", "v", "n", "l"); case(f"pad($, ((1, 0), (0, 4), (3, 2)), {mode!r})", "x", "y")
case("pad(o, 2)"); case("pad(o, ((1, 2), (0, 0)))"); case("pad(k, 1)"); case("pad(k, (), 'edge')") if 0 else None; case("pad(o, ((0, 0), (2, 1)), 'edge')")
case("pad($, 2, constant_values=3)", "m", "i", "t", "c", "u"); case("pad($, (1, 2), 'constant', constant_values=(4, 5.5))", "m", "b"); case("pad($, 1, constant_values=((1, 2), (3, 4)))", "m", "i"); case("pad(f, 1, constant_values=nan)")
case("pad(c, 1, constant_values=1+2j)"); case("pad(h, (3, 1), constant_values=(0.1, 7))"); case("pad([1, 2, 3], 2, 'reflect')")

# Joining, cutting, editing.
for k in range(-3, 6):
    case(f"rot90($, {k})", "m", "x"); case(f"rot90(x, {k}, axes=(2, 0))"); case(f"rot90(y, k={k}, axes=(1, -1))")
case("rot90(i)")
for n in ("vstack", "hstack", "dstack", "column_stack"):
    case(f"{n}(($, $ * 2))", "m", "v", "x", "k", "b", "c"); case(f"{n}([$, u])", "u", "w[:5]"); case(f"{n}([v])"); case(f"{n}((1, 2.5))")
case("vstack((m, u))"); case("column_stack((m, l))"); case("hstack((m, b[:1].T, m[:, :2]))") if 0 else None; case("column_stack((l, m, p))"); case("hstack((u, w, h))"); case("dstack((i, m))")
case("block([[m, ones((4, 1))], [u, 7]])"); case("block([u, w, 3])"); case("block([[i[:2, :2], zeros((2, 3))], [m[:1]]])"); case("block([[[x]], [[y]]])"); case("block(m)"); case("block([[1, 2], [3, 4.5]])"); case("block([[u], [u]])")
for n in ("atleast_1d", "atleast_2d", "atleast_3d"):
    case(f"{n}($)", "k", "v", "m", "x", "g"); case(f"{n}(k, v, m)")
case("append(m, i)"); case("append(m, i, axis=0)"); case("append(m, i, axis=-1)"); case("append(u, 3)"); case("append(u, [1, 300])"); case("append(k, 1.5)")
for i in ("0", "-1", "[0, 2]", "[1, 1, -1]", "slice(1, 3)", "slice(None, None, 2)", "[]", "slice(None, None, -1)", "2"):
    case(f"delete($, {i}, axis=0)", "m", "y" if "2" not in i and "3" not in i else "i", "v", "q"); case(f"delete($, {i})", "m", "w"); case(f"delete($, {i}, -1)", "x", "b")
case("delete(v, [True, False, True, False, False, False, True])"); case("delete(w, j)"); case("delete(m, [4, 4, 0], 1)"); case("delete(o, 1, axis=1)")
for i in ("0", "2", "-1", "4", "[0, 2]", "[1, 1, 3]", "[-1, 0]", "[2]", "slice(1, 3)"):
    n = {"[1, 1, 3]": 3, "[0, 2]": 2, "[-1, 0]": 2, "slice(1, 3)": 2}.get(i, 1)
    case(f"insert($, {i}, 9)", "m", "v", "w", "u"); case(f"insert($, {i}, 2.75, axis=0)", "m", "i"); case(f"insert(m, {i}, u, axis=0)"); case(f"insert(x, {i}, {list(range(n))}, axis=2)") if n > 1 else None
case("insert(m, 1, l, axis=1)"); case("insert(m, [1], l.reshape(4, 1), axis=1)"); case("insert(v, 2, [7, 8, 9])"); case("insert(m, 2, i[:2], axis=0)"); case("insert(m, -1, [[1, 2], [3, 4], [5, 6], [7, 8]][0], axis=0)") if 0 else None
case("insert(v, [], [])") if 0 else None; case("insert(m, [0, 4], m[:2], 0)"); case("insert(m, [5, 0], m[:, :2], 1)"); case("insert(u, 1, [1, 2])")
for n, a in (("split", "2"), ("split", "4"), ("split", "[1, 3]"), ("split", "[3, 1, -1, 9]"), ("array_split", "3"), ("array_split", "7"), ("array_split", "[2]"), ("array_split", "1")):
    case(f"{n}($, {a})", "m", "l"); case(f"{n}(x, {a}, axis=-1)")
case("hsplit(x, 3)"); case("vsplit(x, 2)"); case("dsplit(x, [1, 2])"); case("hsplit(w, 3)"); case("vsplit(m, [1])"); case("array_split(u, 3)"); case("split(w, 3)")
case("unstack($)", "m", "x", "v", "c"); case("unstack($, axis=-1)", "b", "y"); case("unstack(o)")
case("meshgrid(u, l)"); case("meshgrid(u, l, p, indexing='ij')")

# Choosing.
case("select([m > 1, m < 0], [m, i])"); case("select([m > 1, i < 0], [f[:1, :1], i * 2], default=nan)"); case("select([t, m > 0], [1, 2.5], 7)"); case("select([t], [b[0, 0]])"); case("select([t, t], [f[0, 0], i], -1)")
case("select((u > 3, u > 1), (u, 0), default=5)"); case("select([m > 0, m <= 0], [c[0, 0], m])"); case("select([t, t], [2, True])"); case("select([True, False], [m, i])") if 0 else None
case("choose(abs(i) % 3, [m, i, 7])"); case("choose(i, [m, i * 2, t], mode='wrap')"); case("choose(i, (u, 10, 20), mode='clip')"); case("choose(k, [m, m, m, i])"); case("choose(t, [i, m])"); case("choose([0, 1, 1], [[1, 2, 3], [4, 5, 6]])"); case("choose(abs(l) % 2, [u[:, None], 3])")

# Parts of numbers.
case("divmod($, 3)", "m", "i", "b", "s", "f", "u"); case("divmod(m, i)"); case("divmod(w, l[0])"); case("divmod(u, u)"); case("divmod(-m, 0.75)")
case("modf($)", "m", "i", "b", "s", "f", "h", "q", "w", "t", "u"); case("frexp($)", "m", "i", "b", "s", "f", "h", "w", "t"); case("frexp(m * 1e-310)"); case("frexp(q * 1e300)")
case("ldexp($, 3)", "m", "f", "h", "s", "i", "b"); case("ldexp(m, i)"); case("ldexp(f, b[:, :3][:1])"); case("ldexp(v, -1070)"); case("ldexp(v * 1e-320, 1090)"); case("ldexp(f * 1e-30, [-45, -50, -49])"); case("ldexp(h, w)"); case("ldexp(1.5, u)")
case("ldexp(s, 5000)"); case("ldexp(u, 2)")

# Neighbours.
for o in ("1", "2"):
    case(f"gradient($, edge_order={o})", "v", "m", "i", "h", "u", "z", "q"); case(f"gradient($, axis=0, edge_order={o})", "m", "f", "b", "c"); case(f"gradient(r, r, edge_order={o})") ; case(f"gradient(m, p, axis=0, edge_order={o})")
    case(f"gradient(m, r, axis=1, edge_order={o})"); case(f"gradient(m, p, r, edge_order={o})"); case(f"gradient(m, 2, r, edge_order={o})"); case(f"gradient(f, 0.1, axis=0, edge_order={o})"); case(f"gradient(x, 2.0, axis=(1, 2), edge_order={o})")
    case(f"gradient(i, [1, 2, 4, 8], axis=0, edge_order={o})"); case(f"gradient(f, r, axis=0, edge_order={o})"); case(f"gradient(c, 0.3, edge_order={o})"); case(f"gradient(h, 0.7, edge_order={o})"); case(f"gradient(x[1], 3, 0.25, edge_order={o})")
case("gradient(x, axis=0)"); case("gradient(m, axis=-1)"); case("gradient(x, 1, 2, [0.0, 1.0, 3.0, 3.5])"); case("gradient(v[:2])"); case("gradient(t * 1)")
case("trapezoid($)", "m", "i", "v", "f", "b", "u", "z", "q", "o"); case("trapezoid($, axis=0)", "m", "i", "f", "c", "x"); case("trapezoid($, dx=0.3)", "m", "b", "f"); case("trapezoid(m, r)"); case("trapezoid(m, p, axis=0)"); case("trapezoid(m, x=m + 1)")
case("trapezoid(i, [0, 1, 2, 4], axis=-2)"); case("trapezoid(v, dx=2)"); case("trapezoid(r, r)"); case("trapezoid(n)"); case("trapezoid(t * 1.0)")
case("ediff1d($)", "m", "u", "w", "c", "n", "x"); case("ediff1d(m, to_end=[1, 2])"); case("ediff1d(i, to_begin=-99, to_end=b)"); case("ediff1d(v, 3, 0.5)"); case("ediff1d(k)")
for a in ("m", "i", "s", "1.75", "f", "k", "-5", "[0.5, 3, 7]", "r + 0.1", "x"):
    case(f"interp({a}, r, [3, 2, 0, 5.5, -1])"); case(f"interp({a}, [0, 1, 2], [1.5, nan, 2])"); case(f"interp({a}, r, r * 2, left=-99, right=nan)"); case(f"interp({a}, [10, 350, 190, 5], [1, 2, 3, 4], period=360)")
    case(f"interp({a}, arange(5), [inf, 1, 1, -inf, 2])"); case(f"interp({a}, [2], [4])"); case(f"interp({a}, [0, 1, 1, 2], [0, 1, 2, 3])")
case("polyval([1, 2, 3], $)", "m", "i", "b", "f", "u", "c", "k"); case("polyval([0.5, -1], $)", "m", "b", "f"); case("polyval(u, m)"); case("polyval([3], m)"); case("polyval(z, c)"); case("polyval([2, 1], 3)")
case("cov($)", "m", "i", "v", "c", "x[0]", "f", "b"); case("cov($, rowvar=False)", "m", "i", "c"); case("cov($, bias=True)", "m", "f"); case("cov($, ddof=2)", "m", "i"); case("cov(v, v * 2 + 1)"); case("cov(m, i)"); case("cov(m, i, rowvar=False)"); case("cov(m, u)"); case("cov(l, l, ddof=0)")
case("corrcoef($)", "m", "i", "v", "c", "f"); case("corrcoef(m, rowvar=False)"); case("corrcoef(v, v[::-1])"); case("corrcoef(m, i)")

for mode in ("'full'", "'same'", "'valid'"):
    for n in ("convolve", "correlate"):
        for a, b in (("v", "r"), ("r", "v"), ("v", "v"), ("u", "w"), ("w", "u"), ("z", "r"), ("r", "z"), ("z", "z"), ("h", "h[:3]"), ("f[0]", "r"), ("u * 40", "u * 30"), ("n", "v"), ("v", "p"), ("j", "j[:4]"), ("l", "[1, 2]"), ("m.ravel()", "r"), ("u", "m.ravel()"), ("c[0]", "f[1]")):
            case(f"{n}({a}, {b}, {mode})")
case("convolve(v, r)"); case("correlate(v, r)"); case("convolve(v, [0.5, 0.5], mode='same')"); case("correlate(r, v)")

# dtypes.
for d in ("float16", "float32", "float64", "complex64", "complex128"):
    for n in ("bits", "eps", "max", "min", "smallest_normal", "tiny", "smallest_subnormal"):
        case(f"finfo({d!r}).{n}")
for d in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"):
    for n in ("bits", "min", "max"):
        case(f"iinfo({d!r}).{n}")
case("finfo($).eps", "m", "f", "c"); case("iinfo($).max", "i", "u"); case("finfo('float32').dtype == 'float32'"); case("finfo(float64).bits")
TYPES = ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float16", "float32", "float64", "complex64", "complex128"]
for a in TYPES:
    for b in TYPES[::2] if len(a) % 2 else TYPES[1::2]:
        case(f"can_cast({a!r}, {b!r})"); case(f"can_cast({a!r}, {b!r}, casting='same_kind')")
    for kind in ("bool", "signed integer", "unsigned integer", "integral", "real floating", "complex floating", "numeric"):
        case(f"isdtype({a}, {kind!r})")
    case(f"isdtype({a}, ('bool', 'integral'))"); case(f"isdtype({a}, float32)"); case(f"result_type({a!r}, 3) == {str(np.result_type(a, 3))!r}"); case(f"result_type({a!r}, 2.5) == {str(np.result_type(a, 2.5))!r}")
    case(f"result_type({a!r}, 1j, i) == {str(np.result_type(a, 1j, 'int32'))!r}"); case(f"result_type({a!r}, f) == {str(np.result_type(a, 'float32'))!r}")
case("result_type(1, 2.5) == 'float64'"); case("can_cast(f, 'float64')"); case("can_cast('float64', 'int8', casting='unsafe')")


class Info:
    """Python numbers, as the array API has them, where NumPy has scalars of the dtype."""
    def __init__(self, i):
        self.i = i

    def __getattr__(self, name):
        v = getattr(self.i, name)
        return float(v) if isinstance(v, np.floating) else v


SCOPE = {n: getattr(np, n) for n in dir(np) if not n.startswith("_")}
SCOPE |= {"finfo": lambda t: Info(np.finfo(getattr(t, "dtype", t))), "iinfo": lambda t: Info(np.iinfo(getattr(t, "dtype", t))), "abs": np.abs, "slice": slice, "divmod": np.divmod, "round": np.round,
          "can_cast": lambda a, b, **k: np.can_cast(getattr(a, "dtype", a), b, **k), "isdtype": lambda a, k: np.isdtype(np.dtype(a), k), **ARRAYS}


def numbers(v):
    v = np.ravel(v)
    if v.dtype.kind == "c":
        v = np.stack([v.real, v.imag], -1).ravel()
    if v.dtype.kind in "iub":
        return [int(t) for t in v]
    def one(t):
        if np.isnan(t):
            return None
        if np.isinf(t):
            return "inf" if t > 0 else "-inf"
        return float(t) if t else ("-0" if np.signbit(t) else 0)
    return [one(t) for t in v.astype(float)]


out, seen = [], set()
for text in CASES:
    if text in seen:
        continue
    seen.add(text)
    try:
        r = eval(text, dict(SCOPE))
    except Exception as e:
        print("skipped", text, type(e).__name__, e, file=sys.stderr)
        continue
    several = isinstance(r, (tuple, list))
    results = [np.asarray(v) for v in (r if several else [r])]
    out.append({"expr": text, "several": several, "results": [{"dtype": str(v.dtype), "shape": list(v.shape), "values": numbers(v)} for v in results]})
print('{"arrays": {')
print(",\n".join(f'"{n}": ' + json.dumps({"dtype": str(a.dtype), "shape": list(a.shape), "values": numbers(a)}) for n, a in ARRAYS.items()))
print('}, "cases": [')
print(",\n".join(json.dumps(c, separators=(",", ":")) for c in out))
print("]}")
print(len(out), "cases", file=sys.stderr)
