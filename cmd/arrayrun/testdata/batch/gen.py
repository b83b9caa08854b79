# SPDX-License-Identifier: BSD-3-Clause
"""Makes random expression cases for `arrayrun eval --batch` and what NumPy says about them.

    python gen.py OUT [--count 5000] [--seed 1] [--zip]

OUT gets in/*.npy (shared inputs), expected/ID.npy, jobs.jsonl (the batch) and cases.jsonl (how close each
result must be). Then `arrayrun eval --batch OUT/jobs.jsonl --overwrite` and `python check.py OUT`.
--zip packs the folder into OUT.zip and removes it: the small sets beside this file were made with
`gen.py cases --count 400 --seed 7 --zip` and `gen.py sorted --count 600 --seed 7 --sorting --zip`, Python 3.11.7, NumPy 2.4.6.
--sorting makes cases whose root sorts, searches or counts.

Each case is a tree; a node is a pair of text and value, so the text is never parsed here. What NumPy and
the contract define differently is generated as the contract says: integer lists index orthogonally
(np.ix_), float32 sums and means are computed in float64 and rounded once, functions that are not
correctly rounded are computed in a wider type.
"""
import argparse
import json
import os
import shutil

import numpy as np

INTS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
FLOATS = ["float16", "float32", "float64"]
SHAPES = [(), (7,), (1,), (40,), (3, 5), (5, 3), (4, 1), (1, 5), (6, 7), (2, 3, 4), (4, 5, 6), (3, 1, 4), (2, 3, 2, 3), (5, 1, 1), (0, 3), (300,), (20, 31)]
EXACT1 = ["abs", "negative", "positive", "sign", "square", "floor", "ceil", "trunc", "rint", "sqrt", "isnan", "isinf", "isfinite", "logical_not"]
TRANS1 = {"exp": None, "expm1": None, "log": None, "log1p": None, "log2": None, "log10": None, "sin": None, "cos": None, "tan": None,
          "arcsin": "asin", "arccos": "acos", "arctan": "atan", "sinh": None, "cosh": None, "tanh": None, "arcsinh": "asinh",
          "arccosh": "acosh", "arctanh": "atanh"}
ZERO_FREE = {"minimum", "maximum", "fmin", "fmax", "min", "max", "clip", "nanmin", "nanmax"}  # which zero they pick is nobody's promise


class Skip(Exception):
    """The drawn operation does not fit its operands; draw again."""


class Case:
    def __init__(self, rng, pool):
        self.rng, self.pool = rng, pool
        self.inputs, self.ulp, self.rtol, self.zeros = {}, 0, 0.0, True

    def pick(self, *items):
        return items[self.rng.integers(len(items))]

    def chance(self, p):
        return self.rng.random() < p

    # leaves
    def leaf(self, like=None, kind=None):
        for _ in range(50):
            key = list(self.pool)[self.rng.integers(len(self.pool))]
            a = self.pool[key]
            if kind and a.dtype.kind not in kind:
                continue
            if like is not None:
                try:
                    np.broadcast_shapes(like, a.shape)
                except ValueError:
                    continue
            for name, (k, _) in self.inputs.items():
                if k == key:
                    return name, a
            if len(self.inputs) == 4:
                continue
            name = "abcd"[len(self.inputs)]
            chunks = [int(self.rng.integers(1, n + 1)) if n else 1 for n in a.shape] if self.chance(0.8) else None
            self.inputs[name] = (key, chunks)
            return name, a
        raise Skip

    def literal(self, dtype):
        k = np.dtype(dtype).kind
        if k == "b":
            return self.pick(("True", True), ("False", False))
        if k == "u" or k == "i":
            v = int(self.rng.integers(0 if k == "u" else -5, 10))
            return (str(v) if v >= 0 else f"({v})"), v
        v = self.pick(0.5, 2, 1.5, -3, 0.1, 1e3, 7)
        return (str(v) if v >= 0 else f"({v})"), v

    # operations
    def expr(self, depth):
        if depth <= 0 or self.chance(0.1):
            return self.leaf()
        for _ in range(30):
            ops = (self.arith, self.compare, self.bitwise, self.unary, self.choose, self.clip, self.minmax, self.view, self.view,
                   self.reduce, self.reduce, self.scan, self.join, self.cast, self.create, self.rounded, self.logical, self.arg, self.copysign,
                   self.rearrange, self.rearrange, self.product, self.parts)
            try:
                return ops[self.rng.integers(len(ops))](depth - 1)
            except Skip:
                continue
        return self.leaf()

    def pair(self, depth, kind=None):
        t, x = self.operand(depth, kind)
        if self.chance(0.3):
            u, y = self.literal(x.dtype)
            return (t, x, u, y) if self.chance(0.7) else (u, y, t, x)
        u, y = self.leaf(np.shape(x), kind)
        return (t, x, u, y) if self.chance(0.5) else (u, y, t, x)

    def operand(self, depth, kind=None):
        t, x = self.expr(depth)
        x = np.asarray(x)
        if kind and x.dtype.kind not in kind:
            return self.leaf(kind=kind)
        return t, x

    def arith(self, depth):
        t, x, u, y = self.pair(depth)
        op = self.pick("+", "-", "*", "/", "//", "%", "+", "*")
        kinds = {np.asarray(v).dtype.kind for v in (x, y)}
        if op == "-" and kinds == {"b"} or op in "//%" and kinds == {"b"}:
            raise Skip
        f = {"+": lambda: x + y, "-": lambda: x - y, "*": lambda: x * y, "/": lambda: x / y, "//": lambda: x // y, "%": lambda: x % y}[op]
        return f"({t} {op} {u})", f()

    def compare(self, depth):
        t, x, u, y = self.pair(depth)
        op = self.pick("<", "<=", ">", ">=", "==", "!=")
        f = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal, "!=": np.not_equal}[op]
        return f"({t} {op} {u})", f(x, y)

    def bitwise(self, depth):
        t, x, u, y = self.pair(depth, "biu")
        op = self.pick("&", "|", "^", "<<", ">>", "~")
        if op == "~":
            if not isinstance(x, np.ndarray):
                raise Skip
            return f"(~{t})", ~np.asarray(x)
        if op in ("<<", ">>"):
            x = np.asarray(x)
            if x.dtype.kind == "b" or x.ndim == 0 and not isinstance(x, np.ndarray):
                raise Skip
            n = int(self.rng.integers(0, 8 * x.dtype.itemsize + 2))
            if t[0] in "0123456789(" and not t.startswith("(("):
                t, x = self.leaf(kind="iu")
            return f"({t} {op} {n})", (x << n if op == "<<" else x >> n)
        return f"({t} {op} {u})", {"&": np.bitwise_and, "|": np.bitwise_or, "^": np.bitwise_xor}[op](x, y)

    def unary(self, depth):
        name = EXACT1[self.rng.integers(len(EXACT1))]
        t, x = self.operand(depth)
        if x.dtype.kind == "b" and name in ("negative", "positive", "sign", "square", "sqrt", "rint", "floor", "ceil", "trunc"):
            raise Skip
        if name == "negative" and self.chance(0.5):
            return f"(-{t})", -x
        return f"{name}({t})", getattr(np, name)(x)

    def rounded(self, depth):
        t, x = self.operand(depth, "f")
        n = int(self.rng.integers(0, 4))
        if x.dtype == np.float16:
            raise Skip  # NumPy's own scaling overflows where the contract's does not have to
        return f"round({t}, {n})", np.round(x, n)

    def logical(self, depth):
        t, x, u, y = self.pair(depth)
        name = self.pick("logical_and", "logical_or", "logical_xor")
        return f"{name}({t}, {u})", getattr(np, name)(x, y)

    def copysign(self, depth):
        t, x = self.operand(depth, "f")
        u, y = self.leaf(x.shape, "f")
        if np.isnan(y).any() or np.isnan(x).any():
            raise Skip
        return f"copysign({t}, {u})", np.copysign(x, y)

    def minmax(self, depth):
        name = self.pick("minimum", "maximum", "fmin", "fmax")
        t, x, u, y = self.pair(depth)
        self.zeros = False
        return f"{name}({t}, {u})", getattr(np, name)(x, y)

    def clip(self, depth):
        t, x = self.operand(depth, "iuf")
        lo, hi = sorted((int(v) for v in self.rng.integers(0, 9, 2)))
        self.zeros = False
        return self.pick(f"clip({t}, {lo}, {hi})", f"clip({t}, min={lo}, max={hi})"), np.clip(x, lo, hi)

    def choose(self, depth):
        t, x, u, y = self.pair(depth)
        c, m = self.leaf(np.broadcast_shapes(np.shape(x), np.shape(y)), "b")
        return f"where({c}, {t}, {u})", np.where(m, x, y)

    def cast(self, depth):
        t, x = self.operand(depth)
        to = self.pick(*INTS, *FLOATS, "bool")
        if np.dtype(to).kind in "iu" and x.size:  # what is out of range saturates, in NumPy it wraps
            i = np.iinfo(to)
            if x.dtype.kind == "f" and (not np.isfinite(x).all() or np.trunc(x).min() < i.min or np.trunc(x).max() >= float(i.max)):
                raise Skip
            if x.dtype.kind in "iu" and (int(x.min()) < i.min or int(x.max()) > i.max):
                raise Skip
        return self.pick(f"astype({t}, '{to}')", f"{t}.astype('{to}')"), x.astype(to)

    def create(self, depth):
        t, x = self.operand(depth, "iuf")
        if x.ndim == 0:
            raise Skip
        n = x.shape[-1]
        u, y = self.pick((f"arange({n})", np.arange(n)), (f"ones({n})", np.ones(n)), (f"zeros(({n},))", np.zeros(n)),
                         (f"full(({n},), 3)", np.full((n,), 3)), (f"arange(1, {2 * n + 1}, 2)", np.arange(1, 2 * n + 1, 2)))
        op = self.pick("+", "*")
        return f"({t} {op} {u})", (x + y if op == "+" else x * y)

    def view(self, depth):
        t, x = self.operand(depth)
        if x.ndim == 0:
            return f"{t}[None]", x[None]
        what = self.rng.integers(10)
        if what == 0:
            return f"{t}.T", x.T
        if what == 1:
            p = [int(i) for i in self.rng.permutation(x.ndim)]
            return f"{self.pick('transpose', 'permute_dims')}({t}, ({', '.join(map(str, p))},))", np.transpose(x, p)
        if what == 2:
            ax = int(self.rng.integers(-x.ndim, x.ndim))
            return f"flip({t}, axis={ax})", np.flip(x, ax)
        if what == 3:
            ax = int(self.rng.integers(x.ndim + 1))
            return f"expand_dims({t}, axis={ax})", np.expand_dims(x, ax)
        if what == 4 and 1 in x.shape:
            ax = x.shape.index(1)
            return f"squeeze({t}, axis={ax})", np.squeeze(x, ax)
        if what == 5:
            shape = (int(self.rng.integers(1, 4)), *x.shape)
            return f"broadcast_to({t}, {shape})", np.broadcast_to(x, shape)
        if what == 6:
            n, ax = int(self.rng.integers(-5, 6)), int(self.rng.integers(x.ndim))
            return f"roll({t}, {n}, axis={ax})", np.roll(x, n, ax)
        return self.index(t, x)

    def index(self, t, x):
        texts, parts, lists, ellipsis = [], [], {}, False
        axis = 0
        while axis < x.ndim and (self.chance(0.85) or axis == 0):
            n = x.shape[axis]
            what = self.rng.random()
            if what < 0.1:
                texts.append(self.pick("None", "newaxis"))
                parts.append(None)
                continue
            if what < 0.2 and not ellipsis:
                skip = int(self.rng.integers(0, x.ndim - axis + 1))
                texts.append("...")
                parts.append(Ellipsis)
                ellipsis, axis = True, axis + skip
                rest = x.ndim - axis
                for k in range(rest):
                    texts.append(":")
                    parts.append(slice(None))
                axis = x.ndim
                continue
            if what < 0.35 and n > 0:
                i = int(self.rng.integers(-n, n))
                texts.append(str(i))
                parts.append(i)
            elif what < 0.5 and n > 0:
                ids = [int(i) for i in self.rng.integers(-n, n, self.rng.integers(1, 5))]
                texts.append(str(ids))
                parts.append(slice(None))
                lists[axis] = ids
            else:
                lo, hi = (None if self.chance(0.4) else int(self.rng.integers(-n - 1, n + 2)) for _ in range(2))
                step = self.pick(None, None, 1, 2, 3, -1, -2, -7)
                s = f"{'' if lo is None else lo}:{'' if hi is None else hi}"
                texts.append(s if step is None else f"{s}:{step}")
                parts.append(slice(lo, hi, step))
            axis += 1
        for ax, ids in lists.items():  # orthogonal: one axis at a time
            x = np.take(x, ids, axis=ax)
        return f"{t}[{', '.join(texts)}]", x[tuple(parts)]

    def mask(self, t, x):
        """Only at the root: the length is known when the engine has counted."""
        u, m = self.leaf(kind="b")
        if m.ndim == 0 or x.ndim == 0 or m.shape != x.shape[:m.ndim] or m.ndim not in (1, x.ndim):
            raise Skip
        return f"{t}[{u}]", x[m]

    def axes(self, x, single=False):
        if x.ndim == 0 or self.chance(0.25):
            return "", None
        if single or self.chance(0.6):
            ax = int(self.rng.integers(-x.ndim, x.ndim))
            return f"axis={ax}", ax
        k = sorted(int(i) for i in self.rng.choice(x.ndim, self.rng.integers(1, x.ndim + 1), replace=False))
        return f"axis=({', '.join(map(str, k))},)", tuple(k)

    def call(self, name, t, *args):
        args = [a for a in args if a]
        if self.chance(0.3):
            return f"{t}.{name}({', '.join(args)})" if name not in ("count_nonzero",) and not name.startswith("nan") else f"{name}({', '.join([t, *args])})"
        return f"{name}({', '.join([t, *args])})"

    def reduce(self, depth):
        t, x = self.operand(depth)
        name = self.pick("sum", "prod", "mean", "min", "max", "any", "all", "count_nonzero", "var", "std", "nansum", "nanmean", "nanmin", "nanmax", "sum", "mean")
        text, ax = self.axes(x)
        count = x.size if ax is None else int(np.prod([x.shape[a] for a in np.atleast_1d(ax)]))
        if count == 0 and name not in ("sum", "prod", "any", "all", "count_nonzero", "nansum"):
            raise Skip
        keep = self.chance(0.3)
        kt = "keepdims=True" if keep else ""
        kw = {"axis": ax, "keepdims": keep}
        y = x
        if x.dtype.kind == "f" and name in ("sum", "nansum", "mean", "nanmean", "var", "std", "prod"):
            y = x.astype(np.longdouble)
            # Another order of adding moves the last bits, in proportion to the magnitudes added: only cases where
            # that is small beside the result are kept, and only at the root.
            if depth_of(self) or name == "prod" and not np.isfinite(np.prod(np.abs(y[np.isfinite(y)]))):
                raise Skip
            scale = np.nansum(np.abs(y), **kw)
            with np.errstate(all="ignore"):
                r = getattr(np, name)(y, **kw)
                if name in ("sum", "nansum", "mean", "nanmean") and np.any(np.abs(r) * (count if "mean" in name else 1) < scale * 0.01):
                    raise Skip
                if name in ("var", "std") and np.any(r < 1e-3 * np.nanmax(np.abs(y), initial=0) ** (2 if name == "var" else 1)):
                    raise Skip
            eps = np.finfo(x.dtype).eps
            self.rtol = max(self.rtol, 4 * eps if x.dtype != np.float64 and name != "prod" else 500 * count * np.finfo("f8").eps if x.dtype == np.float64 else 4 * count * eps)
            self.root = True
            return self.call(name, t, text, kt), r.astype(x.dtype)
        if name in ("var", "std", "mean", "nanmean") and x.dtype.kind in "iub":
            if depth_of(self):
                raise Skip
            self.root, self.rtol = True, max(self.rtol, 1e-12)
            r = getattr(np, name)(x.astype(np.float64).astype(np.longdouble), **kw)
            return self.call(name, t, text, kt), r.astype(np.float64)
        if name in ZERO_FREE:
            self.zeros = False
        if name in ("nanmin", "nanmax") and x.dtype.kind == "f" and np.isnan(x).all(axis=ax).any():
            raise Skip
        return self.call(name, t, text, kt), getattr(np, name)(x, **kw)

    def scan(self, depth):
        t, x = self.operand(depth)
        name = self.pick("cumsum", "cumprod", "nancumsum", "nancumprod", "cumulative_sum", "cumulative_prod")
        text, ax = self.axes(x, single=True)
        if name.startswith("cumulative") and x.ndim != 1 and ax is None:
            raise Skip
        return self.call(name, t, text), getattr(np, name)(x, axis=ax)

    def arg(self, depth):
        t, x = self.operand(depth)
        text, ax = self.axes(x, single=True)
        if x.size == 0 or x.ndim == 0:
            raise Skip
        name = self.pick("argmin", "argmax")
        return self.call(name, t, text), getattr(np, name)(x, axis=ax)

    def join(self, depth):
        t, x = self.operand(depth)
        if x.ndim == 0:
            raise Skip
        u, y = self.leaf(kind=x.dtype.kind)
        if self.chance(0.4):
            ax = int(self.rng.integers(x.ndim + 1))
            return f"stack(({t}, {t}), axis={ax})", np.stack((x, x), axis=ax)
        ax = int(self.rng.integers(x.ndim))
        if y.ndim != x.ndim or any(i != ax and m != n for i, (m, n) in enumerate(zip(x.shape, y.shape))):
            u, y = t, x
        return f"{self.pick('concat', 'concatenate')}(({t}, {u}), axis={ax})", np.concatenate((x, y), axis=ax)

    def rearrange(self, depth):
        """Elements moved, joined, left out or put in: every result is exact."""
        t, x = self.operand(depth)
        what = self.pick("pad", "pad", "tril", "rot90", "delete", "insert", "split", "unstack", "diagonal", "diag", "hstack", "append", "select", "block", "ediff1d")
        if x.ndim == 0 and what not in ("diag", "append", "select"):
            raise Skip
        ax = int(self.rng.integers(-x.ndim, x.ndim)) if x.ndim else 0
        n = x.shape[ax] if x.ndim else 0
        k = int(self.rng.integers(-3, 4))
        if what == "pad":
            mode = self.pick("constant", "edge", "reflect", "symmetric", "wrap")
            w = tuple((int(self.rng.integers(0, 4)), int(self.rng.integers(0, 9))) for _ in range(x.ndim))
            if x.size == 0 and mode != "constant":
                raise Skip
            return f"pad({t}, {w}, {mode!r})", np.pad(x, w, mode)
        if what == "tril":
            name = self.pick("tril", "triu")
            return f"{name}({t}, {k})", getattr(np, name)(x, k)
        if what in ("rot90", "diagonal"):
            if x.ndim < 2:
                raise Skip
            i, j = (int(v) for v in self.rng.choice(x.ndim, 2, replace=False))
            return (f"rot90({t}, {k}, axes=({i}, {j}))", np.rot90(x, k, (i, j))) if what == "rot90" else (f"diagonal({t}, {k}, {i}, {j})", np.diagonal(x, k, i, j))
        if what == "diag":
            if x.ndim not in (1, 2):
                raise Skip
            return f"diag({t}, {k})", np.diag(x, k)
        if what == "append":
            u, y = self.leaf(kind=x.dtype.kind)
            return f"append({t}, {u})", np.append(x, y)
        if what in ("delete", "insert"):
            if n == 0:
                raise Skip
            ids = [int(v) for v in self.rng.integers(-n, n, self.rng.integers(1, 4))]
            if what == "delete":
                return f"delete({t}, {ids}, axis={ax})", np.delete(x, ids, ax)
            return f"insert({t}, {ids}, 1, axis={ax})", np.insert(x, ids, 1, ax)
        if what in ("split", "unstack"):
            parts = np.array_split(x, 3, ax) if what == "split" else np.unstack(x, axis=ax)
            if not parts:
                raise Skip
            i = int(self.rng.integers(len(parts)))
            return (f"array_split({t}, 3, axis={ax})" if what == "split" else f"unstack({t}, axis={ax})") + f"[{i}]", parts[i]
        if what == "hstack":
            name = self.pick("hstack", "vstack", "dstack", "column_stack")
            if name == "column_stack" and x.ndim > 2:
                raise Skip
            return f"{name}(({t}, {t}))", getattr(np, name)((x, x))
        if what == "block":
            return f"block([[{t}, {t}], [{t}, {t}]])", np.block([[x, x], [x, x]])
        if what == "ediff1d":
            if x.dtype.kind == "b":
                raise Skip
            return f"ediff1d({t})", np.ediff1d(x)
        u, y = self.leaf(x.shape)
        c, m = self.leaf(np.broadcast_shapes(np.shape(x), np.shape(y)), "b")
        return f"select([{c}, ~{c}], [{t}, {u}])", np.select([m, ~m], [x, y])

    def product(self, depth):
        """Sums of products of integers and bool, which wrap and so do not depend on their order."""
        t, x = self.operand(depth, "iu")
        what = self.pick("trace", "outer", "kron", "inner", "tensordot", "vecdot", "einsum1", "einsum2", "matmul")
        if x.size > 400 or x.size == 0 or not 0 < x.ndim < 5:
            raise Skip
        if what == "trace":
            if x.ndim < 2:
                raise Skip
            k = int(self.rng.integers(-2, 3))
            return f"trace({t}, {k})", np.trace(x, k)
        if what == "einsum1":
            names = "ijkl"[:x.ndim]
            keep = "".join(c for c in self.rng.permutation(list(names)) if self.chance(0.6))
            return f"einsum('{names}->{keep}', {t})", np.einsum(f"{names}->{keep}", x)
        if what in ("outer", "kron"):
            u, y = self.leaf(kind="iu")
            if y.size > 40 or what == "kron" and x.ndim + y.ndim > 6:
                raise Skip
            return f"{what}({t}, {u})", getattr(np, what)(x, y)
        if what == "einsum2":
            names = "ijkl"[:x.ndim]
            keep = "".join(c for c in names + "q" if self.chance(0.6))
            return f"einsum('{names},{names[-1]}q->{keep}', {t}, stack(({t}, {t}), axis=-1)[{'0, ' * (x.ndim - 1)}...])", np.einsum(f"{names},{names[-1]}q->{keep}", x, np.stack((x, x), -1)[(0,) * (x.ndim - 1)])
        if what == "tensordot":
            n = int(self.rng.integers(0, x.ndim + 1))
            if x.size ** 2 > 10**5 and n == 0 or x.ndim * 2 - 2 * n > 6:
                raise Skip
            axes = list(range(n))
            return f"tensordot({t}, {t}, axes=({axes}, {axes}))", np.tensordot(x, x, (axes, axes))
        if what == "vecdot":
            return f"vecdot({t}, {t})", np.vecdot(x, x)
        if what == "inner":
            if x.ndim > 3:
                raise Skip
            return f"inner({t}, {t})", np.inner(x, x)
        if x.ndim < 2:
            raise Skip
        return f"({t} @ matrix_transpose({t}))", x @ np.matrix_transpose(x)

    def parts(self, depth):
        """Parts of numbers, exactly."""
        t, x = self.operand(depth, "iuf")
        what = self.pick("modf", "frexp", "divmod", "ldexp")
        i = int(self.rng.integers(2))
        if what == "ldexp":
            n = int(self.rng.integers(-12, 13))
            return f"ldexp({t}, {n})", np.ldexp(x, n)
        if what == "divmod":
            return f"divmod({t}, 3)[{i}]", np.divmod(x, 3)[i]
        return f"{what}({t})[{i}]", getattr(np, what)(x)[i]

    def transcendental(self, depth):
        """A function within 4 ulp of the correctly rounded result, on exact operands, at the root."""
        self.root = True
        name = list(TRANS1)[self.rng.integers(len(TRANS1) + 0)]
        two = self.chance(0.25)
        t, x = self.operand(depth, "f" if two else "iuf")
        if two:
            name = self.pick("arctan2", "hypot", "power")
            u, y = self.leaf(x.shape, "f")
            out = np.result_type(x, y)
            f = getattr(np, name)
            value = f(x.astype(np.longdouble), y.astype(np.longdouble)).astype(out)
            text = f"{name}({t}, {u})"
        else:
            out = getattr(np, name)(x[..., None][..., :0]).dtype if x.ndim else getattr(np, name)(x[None][:0]).dtype
            # Integers become the result's type first.
            value = getattr(np, name)(x.astype(out).astype(np.longdouble)).astype(out)
            text = f"{self.pick(name, TRANS1[name] or name)}({t})"
        self.ulp = 1 if out == np.float16 else 4
        return self.view_of(text, value) if self.chance(0.3) else (text, value)

    # Sorting, searching and counting: at the root.
    def sorting(self, depth):
        t, x = self.operand(depth)
        for _ in range(20):
            try:
                what = (self.sort, self.sort, self.rank, self.find, self.where, self.take, self.distinct, self.distinct, self.bins, self.count)
                return what[self.rng.integers(len(what))](t, x)
            except Skip:
                pass
        raise Skip

    def sort(self, t, x):
        if x.ndim == 0:
            raise Skip
        ax = int(self.rng.integers(-x.ndim, x.ndim))
        back, name = self.chance(0.3), self.pick("sort", "argsort")
        ids = np.argsort(x, axis=ax, kind="stable")
        if back:  # descending, equal elements in the order of their positions
            ids = x.shape[ax] - 1 - np.flip(np.argsort(np.flip(x, ax), axis=ax, kind="stable"), ax)
        args = self.pick(f"axis={ax}", f"axis={ax}, stable=True") if back else self.pick(f"axis={ax}", f"axis={ax}, kind='stable'")
        return self.call(name, t, args, "descending=True" if back else ""), np.take_along_axis(x, ids, ax) if name == "sort" else ids

    def rank(self, t, x):
        u, y = self.leaf()
        if x.ndim == 0 or y.shape != x.shape:
            raise Skip
        ax = int(self.rng.integers(-x.ndim, x.ndim))
        return f"lexsort(({t}, {u}), axis={ax})", np.lexsort((x, y), axis=ax)

    def find(self, t, x):
        u, y = self.leaf()
        if y.ndim != 1:
            raise Skip
        side = self.pick("left", "right")
        if self.chance(0.3):
            return f"searchsorted({u}, {t}, side='{side}', sorter=argsort({u}))", np.searchsorted(y, x, side=side, sorter=np.argsort(y, kind="stable"))
        if np.isnan(y.astype(float)).any() or self.chance(0.5):
            return f"searchsorted(sort({u}), {t}, '{side}')", np.searchsorted(np.sort(y, kind="stable"), x, side)
        back = self.chance(0.5)
        edges = np.sort(y)[::-1] if back else np.sort(y)
        return f"digitize({t}, sort({u}){'[::-1]' if back else ''}, right={side == 'right'})", np.digitize(x, edges, side == "right")

    def where(self, t, x):
        if x.ndim == 0:
            raise Skip
        k = int(self.rng.integers(x.ndim))
        return self.pick((f"flatnonzero({t})", np.flatnonzero(x)), (f"argwhere({t})", np.argwhere(x)), (f"nonzero({t})[{k}]", np.nonzero(x)[k]), (f"array_equal({t}, {t})", np.array(np.array_equal(x, x))))

    def take(self, t, x):
        if x.ndim == 0 or x.size == 0:
            raise Skip
        ax = int(self.rng.integers(-x.ndim, x.ndim))
        n = x.shape[ax]
        u, y = self.leaf(kind="iu")
        if y.ndim != x.ndim:
            raise Skip
        try:
            return f"take_along_axis({t}, {u} % {n}, axis={ax})", np.take_along_axis(x, (y % y.dtype.type(n) if n < 100 else y.astype(int) % n).astype(int), ax)
        except (ValueError, IndexError):
            raise Skip from None

    def distinct(self, t, x):
        parts = ("values", "indices", "inverse_indices", "counts")
        k = int(self.rng.integers(4))
        same = self.chance(0.5)
        r = np.unique(x, return_index=True, return_inverse=True, return_counts=True, equal_nan=same)[k]
        if same:
            return f"unique({t}, return_index=True, return_inverse=True, return_counts=True)[{k}]", r
        return self.pick(f"unique_all({t}).{parts[k]}", f"unique_all({t})[{k}]"), r

    def bins(self, t, x):
        k = int(self.rng.integers(2))
        if x.dtype.kind == "b":
            raise Skip
        if self.chance(0.4):
            e = sorted({float(v) for v in np.round(self.rng.normal(size=5) * 5, 1)})
            return f"histogram({t}, bins={e})[{k}]", np.histogram(x, bins=e)[k]
        n = int(self.rng.integers(1, 12))
        lo, hi = sorted(float(v) for v in np.round(self.rng.normal(size=2) * 5, 1))
        if self.chance(0.4):
            return f"histogram({t}, bins={n}, range=({lo}, {hi}))[{k}]", np.histogram(x, bins=n, range=(lo, hi))[k]
        try:
            return f"histogram({t}, bins={n})[{k}]", np.histogram(x, bins=n)[k]
        except ValueError:
            raise Skip from None

    def count(self, t, x):
        n = int(self.rng.integers(0, 30))
        if x.ndim != 1 or x.dtype.kind not in "iu" or x.size == 0 or x.min() < 0 or x.max() > 10**6:
            raise Skip
        return f"bincount({t}, minlength={n})", np.bincount(x, minlength=n)

    def view_of(self, t, x):
        return self.index(t, x) if x.ndim else (t, x)


def depth_of(case):
    """Whether an inexact fold may not be made here: it must be the last operation."""
    return getattr(case, "root", False) or not case.at_root


def build(rng, pool, masks, sorting=False):
    while True:
        case = Case(rng, pool)
        try:
            with np.errstate(all="ignore"):
                case.at_root = False
                what = rng.random()
                if sorting:
                    text, value = case.sorting(int(rng.integers(0, 3)))
                elif what < 0.2:
                    text, value = case.transcendental(int(rng.integers(0, 3)))
                elif what < 0.4:
                    case.at_root = True
                    save = case.expr
                    case.expr = lambda d: (setattr(case, "at_root", False), save(d), setattr(case, "at_root", True))[1]
                    text, value = case.reduce(int(rng.integers(0, 3)))
                else:
                    text, value = case.expr(int(rng.integers(2, 6)))
                    if masks and rng.random() < 0.05:
                        text, value = case.mask(text, np.asarray(value))
        except (Skip, OverflowError, TypeError):
            continue
        value = np.asarray(value)
        if not case.inputs or len(text) == 1 and rng.random() < 0.95 or value.size > 3000 or len(text) > 240 or value.ndim > 8:
            continue
        return case, text, value


def inputs(rng):
    pool = {}
    for dt in ["bool", *INTS, *FLOATS]:
        for i, shape in enumerate(SHAPES):
            d = np.dtype(dt)
            if d.kind == "b":
                a = rng.random(shape) < 0.5
            elif d.kind in "iu":
                top = 12 if i % 2 else min(np.iinfo(d).max, 10**9)
                a = rng.integers(0 if d.kind == "u" else -top, top, shape)
            else:
                a = np.round(rng.normal(size=shape) * 5, 1) if i % 2 else rng.normal(size=shape) * rng.choice([1, 100], shape)
                if i % 3 == 0 and np.size(a) > 3:
                    flat = a.reshape(-1)
                    flat[::7], flat[3::29] = np.nan, np.inf
            pool[f"{dt}-{i}"] = np.asarray(a).astype(d)
    return pool


def main():
    p = argparse.ArgumentParser()
    p.add_argument("out")
    p.add_argument("--count", type=int, default=5000)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--masks", action="store_true", help="also index by boolean masks")
    p.add_argument("--sorting", action="store_true", help="sort, search or count at the root")
    p.add_argument("--zip", action="store_true")
    o = p.parse_args()
    rng = np.random.default_rng(o.seed)
    for d in ("in", "expected"):
        os.makedirs(os.path.join(o.out, d), exist_ok=True)
    pool = inputs(rng)
    used = set()
    with open(os.path.join(o.out, "jobs.jsonl"), "w") as jobs, open(os.path.join(o.out, "cases.jsonl"), "w") as cases:
        for i in range(o.count):
            case, text, value = build(rng, pool, o.masks, o.sorting)
            name = f"{o.seed}-{i:04d}"
            ins = {}
            for k, (key, chunks) in case.inputs.items():
                ins[k] = {"uri": f"in/{key}.npy"}
                used.add(key)
                if chunks is not None:
                    ins[k]["chunks"] = chunks
            jobs.write(json.dumps({"id": name, "expr": text, "inputs": ins, "outputs": {"result": f"out/{name}.npy"}}) + "\n")
            cases.write(json.dumps({"id": name, "expr": text, "ulp": case.ulp, "rtol": float(case.rtol), "zeros": case.zeros}) + "\n")
            np.save(os.path.join(o.out, "expected", name + ".npy"), value)
    for key in used:
        np.save(os.path.join(o.out, "in", key + ".npy"), pool[key])
    if o.zip:
        shutil.make_archive(o.out, "zip", o.out)
        shutil.rmtree(o.out)


if __name__ == "__main__":
    main()
