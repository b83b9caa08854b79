# SPDX-License-Identifier: BSD-3-Clause
# Makes filters.h5 and filters.txt: datasets behind each filter, with the MD5 of their values as
# h5py reads them, little endian and in C order.
import hashlib
import h5py
import hdf5plugin
import numpy as np
from h5py import h5d, h5p, h5s, h5t, h5z

rng = np.random.default_rng(3)
out = open("filters.txt", "w")
print("# h5py", h5py.__version__, "HDF5", h5py.version.hdf5_version, "hdf5plugin", hdf5plugin.version, file=out)


def smooth(dtype, shape=(11, 19)):
    a = np.cumsum(rng.integers(-3, 4, shape), axis=1)
    if np.dtype(dtype).kind == "u":
        a = a + 60
    if np.dtype(dtype).kind == "f":
        a = a * 0.25 + 280
    return a.astype(dtype)


def record(name):
    a = f[name][...]
    a = np.ascontiguousarray(a.astype(a.dtype.newbyteorder("<")) if a.dtype.names is None else a)
    print(name, hashlib.md5(a.tobytes()).hexdigest(), file=out)


with h5py.File("filters.h5", "w", libver="latest") as f:
    def plain(name, a, **kw):
        f.create_dataset(name, data=a, chunks=(8, 8), **kw)
        record(name)

    for dt in ["i1", "u2", "<i4", ">i4", "<i8", "<f4", "<f8", "u1"]:
        n = dt.replace("<", "le").replace(">", "be")
        a = smooth(dt)
        plain("lz4_" + n, a, **hdf5plugin.LZ4())
        plain("bs_" + n, a, **hdf5plugin.Bitshuffle(cname="none"))
        plain("bslz4_" + n, a, **hdf5plugin.Bitshuffle(cname="lz4"))
        plain("bszstd_" + n, a, **hdf5plugin.Bitshuffle(cname="zstd", nelems=64))
        plain("szipnn_" + n, a, compression="szip", compression_opts=("nn", 8))
        plain("szipec_" + n, a, compression="szip", compression_opts=("ec", 16))
        if np.dtype(dt).kind == "f":
            plain("so_" + n, a, scaleoffset=2, fillvalue=7)
        else:
            plain("so_" + n, a, scaleoffset=0, fillvalue=3)
            plain("so4_" + n, (a % 5).astype(dt), scaleoffset=4)
    plain("lz4_noise", rng.random((11, 19)), **hdf5plugin.LZ4())
    plain("lz4_blocks", smooth("<i4"), **hdf5plugin.LZ4(nbytes=64))
    plain("szip_zeros", np.zeros((24, 24), "<i2"), compression="szip", compression_opts=("nn", 4))
    plain("szip_noise", rng.integers(0, 1 << 16, (11, 19)).astype("u2"), compression="szip", compression_opts=("nn", 32))
    plain("szip_sparse", (rng.random((24, 24)) < 0.03).astype("u1"), compression="szip", compression_opts=("nn", 32))
    plain("zfletcher", smooth("<i4"), compression="gzip", fletcher32=True, shuffle=True)
    plain("lzf", smooth("<i4"), compression="lzf", shuffle=True)

    def nbit(name, tid, a):
        d = h5p.create(h5p.DATASET_CREATE)
        d.set_chunk((8, 8))
        d.set_filter(h5z.FILTER_NBIT, h5z.FLAG_OPTIONAL, ())
        s = h5s.create_simple(a.shape)
        ds = h5d.create(f.id, name.encode(), tid, s, d)
        ds.write(h5s.ALL, h5s.ALL, np.ascontiguousarray(a))
        record(name)

    def part(base, precision, offset):
        t = base.copy()
        t.set_precision(precision)
        t.set_offset(offset)
        return t

    nbit("nbit_full", h5t.STD_I32LE, smooth("<i4"))
    nbit("nbit_i32", part(h5t.STD_I32LE, 17, 3), smooth("<i4"))
    nbit("nbit_be", part(h5t.STD_I32BE, 11, 5), smooth("<i4"))
    nbit("nbit_u16", part(h5t.STD_U16LE, 9, 0), smooth("<u2"))
    nbit("nbit_i64", part(h5t.STD_I64LE, 40, 9), smooth("<i8"))
    nbit("nbit_f4", h5t.IEEE_F32BE, smooth("<f4"))
    t = h5t.create(h5t.COMPOUND, 12)
    t.insert(b"a", 0, part(h5t.STD_I32LE, 20, 0))
    t.insert(b"b", 4, h5t.IEEE_F64LE)
    c = np.zeros((11, 19), [("a", "<i4"), ("b", "<f8")])
    c["a"], c["b"] = np.abs(smooth("<i4")), smooth("<f8")
    nbit("nbit_compound", t, c)
out.close()
