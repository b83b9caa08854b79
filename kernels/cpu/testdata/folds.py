# SPDX-License-Identifier: BSD-3-Clause
"""Writes folds.txt: reductions by NumPy. One case a line:

    op dtype shape axes ddof | input bytes in hex | result dtype, shape and bytes in hex, or "error"

Float sums are math.fsum's, rounded once, so that they judge the last bit. Made with NumPy 2.4.6:

    python3 folds.py > folds.txt
"""
import itertools
import math
import warnings

import numpy as np

warnings.simplefilter("ignore")
rng = np.random.default_rng(20)
DTYPES = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64"]
OPS = ["sum", "prod", "mean", "var", "std", "min", "max", "any", "all", "count_nonzero", "argmin", "argmax",
       "nansum", "nanprod", "nanmean", "nanvar", "nanstd", "nanmin", "nanmax", "nanargmin", "nanargmax"]


def data(op, dt, shape, nans):
    if dt == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if dt.startswith(("int", "uint")):
        info = np.iinfo(dt)
        if rng.integers(3) == 0 and not op.endswith(("mean", "var", "std")):  # nothing cancels there
            return rng.integers(info.min, info.max, shape, dtype=dt, endpoint=True)
        return rng.integers(0 if dt[0] == "u" else -5, 6, shape).astype(dt)
    x = (rng.normal(size=shape) * 2 + 3).astype(dt)
    if nans:
        x[rng.random(shape) < nans] = np.nan
    return x


def exact(op, x, axes):
    """Sums and means of floats, correctly rounded; None for what NumPy does as well."""
    if x.dtype.kind != "f" or op not in ("sum", "nansum", "mean", "nanmean"):
        return None
    kept = [i for i in range(x.ndim) if i not in axes]
    y = x.transpose(kept + list(axes)).reshape([x.shape[i] for i in kept] + [-1]).astype("f8")
    out = np.empty(y.shape[:-1], "f8")
    for k in np.ndindex(out.shape):
        v = y[k]
        if op.startswith("nan"):
            v = v[~np.isnan(v)]
        s = math.nan if np.isnan(v).any() else math.fsum(v)
        out[k] = s if op.endswith("sum") else (s / len(v) if len(v) else math.nan)
    return out.astype(x.dtype)


for op, dt in itertools.product(OPS, DTYPES):
    for k in range(3):
        rank = 1 + k
        shape = tuple(int(v) for v in rng.integers(1, [13, 7, 5][k] + 1, rank))
        axes = tuple(range(rank)) if k == 0 else tuple(sorted(rng.choice(rank, rng.integers(1, rank + 1), replace=False).tolist()))
        if op.endswith(("argmin", "argmax")):
            axes = axes[:1]
        ddof = int(rng.integers(0, 2)) if op.endswith(("var", "std")) else 0
        x = data(op, dt, shape, [0, 0.2, 0.7][rng.integers(3)] if dt[0] == "f" else 0)
        y = x.astype("f8") if op.endswith(("var", "std", "prod")) and dt in ("float16", "float32") else x
        kw = {"ddof": ddof} if op.endswith(("var", "std")) else {}
        head = f"{op} {dt} {','.join(map(str, shape))} {','.join(map(str, axes))} {ddof} | {x.tobytes().hex()} | "
        try:
            r = exact(op, x, axes)
            if r is None:
                r = getattr(np, op)(y, axis=axes if not op.endswith(("argmin", "argmax")) else axes[0], **kw)
        except ValueError:
            print(head + "error")
            continue
        r = np.asarray(r)
        if y is not x:
            r = r.astype(dt)
        print(head + f"{r.dtype} {','.join(map(str, r.shape))} {r.tobytes().hex()}")
