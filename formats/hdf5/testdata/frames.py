# SPDX-License-Identifier: BSD-3-Clause
# Makes frames.h5 and frames.txt: datasets behind HDF5's filter 32026, with the MD5 of their values as h5py reads them;
# those named frame_ hold frames made by python-blosc2 and the MD5 of what they were made of.
# Run with h5py 3.16.0, hdf5plugin 7.1.0, blosc2 4.14.1.
import hashlib

import blosc2
import h5py
import hdf5plugin
import numpy as np

rng = np.random.default_rng(4)
B = hdf5plugin.Blosc2
out = open("frames.txt", "w")
print("# h5py", h5py.__version__, "HDF5", h5py.version.hdf5_version, "hdf5plugin", hdf5plugin.version, "blosc2", blosc2.__version__, file=out)


def smooth(dtype, shape=(13, 22)):
    return (np.cumsum(rng.integers(-3, 4, shape), axis=1) + 60).astype(dtype)


def record(name, a):
    print(name, hashlib.md5(np.ascontiguousarray(a).tobytes()).hexdigest(), file=out)


with h5py.File("frames.h5", "w", libver="latest") as f:
    def plain(name, a, chunks=(13, 11), **kw):
        f.create_dataset(name, data=a, chunks=chunks, **B(**kw))
        record(name, f[name][...])

    for c in ["blosclz", "lz4", "lz4hc", "zlib", "zstd"]:
        plain(c, smooth("<i4", (40, 50)), (40, 50), cname=c)
    for name, filt in [("none", B.NOFILTER), ("bit", B.BITSHUFFLE), ("delta", B.DELTA), ("trunc", B.TRUNC_PREC)]:
        for dt in ["u1", "<i2", "<f4", "<f8"]:
            if name != "trunc" or dt[1] == "f":
                plain(name + dt.replace("<", "_"), smooth(dt), filters=filt, cname="lz4")
    plain("cube", smooth("<i2", (9, 10, 11)), (4, 5, 6), cname="zstd")
    plain("line", smooth("<f8", (1, 3000))[0], (1000,), cname="lz4")
    plain("zeros", np.zeros((14, 14), "<f4"), (14, 14))
    plain("same", np.full((14, 14), 7, "<i4"), (14, 14))
    plain("nan", np.full((14, 14), np.nan, "<f4"), (14, 14))
    plain("noise", rng.random((14, 14)), (14, 14))

    def frame(name, a, **kw):
        n = blosc2.asarray(a, **kw)
        d = f.create_dataset(name, shape=a.shape, chunks=a.shape, dtype=a.dtype, **B())
        d.id.write_direct_chunk((0,) * a.ndim, n.to_cframe())
        record(name, a)

    frame("frame_parts", smooth("<i4", (23, 31)), chunks=(10, 12), blocks=(4, 5))
    frame("frame_cube", smooth("<i2", (7, 8, 9)), chunks=(5, 5, 5), blocks=(2, 3, 4))
    frame("frame_nan", np.full((30, 30), np.nan), chunks=(10, 10), blocks=(5, 5))
    z = np.zeros((30, 30), "<i4")
    z[3, 4] = 1
    frame("frame_zeros", z, chunks=(10, 10), blocks=(5, 5))
    a = smooth("<f8", (1, 5000))[0]
    s = blosc2.SChunk(chunksize=8000, data=a, cparams={"typesize": 8, "codec": blosc2.Codec.ZSTD, "filters": [blosc2.Filter.DELTA, blosc2.Filter.SHUFFLE]})
    d = f.create_dataset("frame_chunks", shape=a.shape, chunks=a.shape, dtype=a.dtype, **B())
    d.id.write_direct_chunk((0,), s.to_cframe())
    record("frame_chunks", a)
out.close()
