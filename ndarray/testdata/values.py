# SPDX-License-Identifier: BSD-3-Clause
"""Writes values.json: results of NumPy for the cases of values_test.go.

Made with NumPy 2.4.6: python values.py > values.json
"""
import json
import sys

import numpy as np

x = (np.arange(24.0).reshape(2, 3, 4) * 1.25 - 7).copy()
i = np.array([5, -3, 0, 7, 2], np.int32)
u = np.array([0, 1, 7, 200, 255], np.uint8)
f = (np.arange(35, dtype=np.float32).reshape(7, 5) * np.float32(0.1))
b = np.array([True, False, True, True, False])
n = np.array([1.5, np.nan, -2.0, np.nan, 0.0])

cases = {
    # Weak numbers.
    "u+3": u + 3, "u*2.5": u * 2.5, "u/300": u / 300, "u<300": u < 300, "u>=-1": u >= -1, "u==256": u == 256, "u!=-4": u != -4, "300>u": 300 > u,
    "clip(u,-5,100)": np.clip(u, -5, 100), "clip(i,1,2.5)": np.clip(i, 1, 2.5), "i**2": i**2, "2**f": 2**f[0], "i//0": i * 0, "i%4": i % 4, "f+1": f + 1,
    "b+1": b + 1, "b*1.5": b * 1.5, "where(b,u,7)": np.where(b, u, 7), "where(b,1,2)": np.where(b, 1, 2), "i+u": i + u, "f*i": f * i, "i-True": i - True,
    # Creation.
    "arange(3,20,4)": np.arange(3, 20, 4), "arange(10,0,-3)": np.arange(10, 0, -3), "arange(0,1,.1)": np.arange(0, 1, 0.1), "arange(1,2,.3,f4)": np.arange(1, 2, 0.3, dtype=np.float32),
    "arange(-1.5,3)": np.arange(-1.5, 3), "linspace(0,1,7)": np.linspace(0, 1, 7), "linspace(2,-3,5,endpoint=False)": np.linspace(2, -3, 5, endpoint=False),
    "linspace(1,10,4,i4)": np.linspace(1, 10, 4, dtype=np.int32), "linspace(5,5,3)": np.linspace(5, 5, 3), "linspace(1,2,1)": np.linspace(1, 2, 1),
    "eye(3)": np.eye(3), "eye(2,4,1)": np.eye(2, 4, 1), "eye(4,3,-2,i2)": np.eye(4, 3, -2, dtype=np.int16), "full(2,3)": np.full((2, 3), 7.5), "zeros(0,3)": np.zeros((0, 3)),
    "meshgrid": np.meshgrid(i, u[:2], indexing="ij")[1],
    # Indexing.
    "x[1]": x[1], "x[-1,2]": x[-1, 2], "x[0,1,2]": x[0, 1, 2], "x[:,::-1]": x[:, ::-1], "x[...,1:3]": x[..., 1:3], "x[:,None,1]": x[:, None, 1], "x[::-1,:,::-2]": x[::-1, :, ::-2],
    "x[:,[2,0]]": x[:, [2, 0]], "x[[1,0]][:,[0,0,2]]": x[[1, 0]][:, [0, 0, 2]], "x[ix]": x[np.ix_([1, 0], [2, 1], [3, 3, 0])], "x[5:2]": x[5:2], "x[:,-2:]": x[:, -2:], "x[:,10:-10:-1]": x[:, 10:-10:-1],
    "i[b]": i[b], "x[:,b[:3]]": x[:, b[:3]], "x[x>0]": x[np.array(x > 0)], "vindex": x[[0, 1, -1], [2, 2, 0]], "take": np.array([n[0], np.nan, n[4]]),
    # Shapes.
    "x.T": x.T, "x.permute(1,2,0)": x.transpose(1, 2, 0), "moveaxis": np.moveaxis(x, 0, 2), "swapaxes": x.swapaxes(0, 1), "concat": np.concatenate([x, x[:, :1]], 1), "concat types": np.concatenate([i, u]),
    "stack": np.stack([i, i * 2], 1), "broadcast": np.broadcast_to(i, (2, 5)), "flip": np.flip(x), "flip(1)": np.flip(x, 1), "roll(2)": np.roll(i, 2), "roll(-7)": np.roll(i, -7), "repeat": np.repeat(i, 3),
    "tile": np.tile(i, (2, 2)), "reshape(4,6)": x.reshape(4, 6), "reshape(3,-1,2)": x.reshape(3, -1, 2), "reshape(2,2,6)": x.reshape(2, 2, 6), "ravel": x.T.ravel(), "reshape units": x.reshape(1, 2, 1, 3, 4),
    "squeeze": x[:, :1].squeeze(1), "expand": np.expand_dims(i, (0, 2)),
    # Reductions.
    "x.sum()": x.sum(), "x.sum(1)": x.sum(1), "x.sum((0,2),keepdims)": x.sum((0, 2), keepdims=True), "i.sum()": i.sum(), "u.sum()": u.sum(), "u.prod()": u.astype(np.uint8)[1:3].prod(), "x.mean(0)": x.mean(0),
    "i.mean()": i.mean(), "x.var(2)": x.var(2), "x.std(ddof=1)": x.std(2, ddof=1), "x.min(0)": x.min(0), "x.max()": x.max(), "n.max()": n.max(), "n.nanmax": np.nanmax(n), "n.nanmean": np.nanmean(n), "n.nansum": np.nansum(n),
    "b.any": b.any(), "b.all": b.all(), "x.argmax(1)": x.argmax(1), "x.argmin()": x.argmin(), "n.argmax": n.argmax(), "n.nanargmin": np.nanargmin(n), "sum of nothing": np.zeros((0, 2)).sum(0), "count_nonzero": np.count_nonzero(i),
    "groups": np.array([i[[0, 2]].sum(), i[[1, 4]].sum(), 0]), "groups by element": np.stack([x[0].sum(-1), x[1].sum(-1)]),
    # Rewrites on the way.
    "(x*2).mean(0)[1,::2]": (x * 2).mean(0)[1, ::2], "(x+i[:4])[:,1:,::-1][0]": (x + i[:4])[:, 1:, ::-1][0], "concat[3:1:-1]": np.concatenate([i, i * 2])[6:2:-1], "arange[::3]": np.arange(100)[50:2:-7],
}


def number(v):
    v = float(v)
    return "nan" if np.isnan(v) else v


json.dump({k: {"dtype": str(np.asarray(v).dtype), "shape": np.shape(v), "values": [number(e) for e in np.asarray(v).ravel()]} for k, v in cases.items()}, sys.stdout, indent=None, separators=(",", ":"))
