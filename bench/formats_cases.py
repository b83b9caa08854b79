# SPDX-License-Identifier: BSD-3-Clause
"""What bench/run formats compares: READS of whole files (and parts) and WRITES. Two literal tables, and the makers of the files."""
import dataclasses
import os

import numpy as np

import data

MIB = int(os.environ.get("BENCH_FORMATS_MIB", "128"))  # of each array in memory
SHAPES = {"i2": (MIB, 512, 1024), "q": (MIB // 2, 512, 1024), "noise": (MIB // 2, 512, 1024)}
CHUNKS = {"i2": (4, 512, 512), "q": (4, 512, 512), "noise": (4, 512, 512)}  # 2 and 4 MiB
ZARRS = ("tensorstore", "zarrs", "zarr")


@dataclasses.dataclass
class Read:
    name: str
    array: str  # i2: noisy packed int16; q: float32 in steps of 1/16; noise: float32 with all its bits
    make: dict  # what zarr.create_array or netCDF4's createVariable takes; "version" 2 or 3, or "nc"
    peers: tuple = ZARRS
    beat: float = 1.0  # times faster than each peer but zarr-python, which has a goal of its own nowhere
    alone: float = 0.0  # the same with codecs in Go alone; 0: beat
    part: str = ""  # an index in NumPy's notation


def codec(name, **kw):
    """A compressor of zarr's, as words that maker() understands."""
    return {"codec": name, **kw}


NC = ("h5py", "netCDF4", "xarray")
SERIES = "[:, 100, 300]"

READS = [
    Read("i2 v2 blosc-lz4", "i2", {"version": 2, **codec("blosc", cname="lz4")}, beat=1.2),
    Read("q v2 blosc-lz4", "q", {"version": 2, **codec("blosc", cname="lz4")}, beat=1.2),
    Read("i2 v3 zstd", "i2", {"version": 3, **codec("zstd")}, beat=1.1),
    Read("q v3 zstd", "q", {"version": 3, **codec("zstd")}, beat=1.1),
    Read("i2 v3 shards zstd", "i2", {"version": 3, **codec("zstd"), "shards": 4}, beat=1.1),
    Read("i2 v3 shards, a time series", "i2", {"version": 3, **codec("zstd"), "shards": 4}, part=SERIES),
    Read("i2 v3 shards, a column of inner chunks", "i2", {"version": 3, **codec("zstd"), "shards": 4}, part="[:, :512, 512:]"),
    Read("q v3 uncompressed", "q", {"version": 3, **codec("none")}, beat=2.0),
    Read("i2 v3 blosc-zstd", "i2", {"version": 3, **codec("blosc", cname="zstd")}, alone=0.85),
    Read("q v3 blosc-zstd", "q", {"version": 3, **codec("blosc", cname="zstd")}, alone=0.85),
    Read("noise v3 blosc-zstd", "noise", {"version": 3, **codec("blosc", cname="zstd")}, alone=0.85),
    Read("i2 v3 gzip", "i2", {"version": 3, **codec("gzip")}, alone=0.85),
    Read("q v3 gzip", "q", {"version": 3, **codec("gzip")}, alone=0.85),
    Read("q NetCDF-4 shuffle, deflate 4", "q", {"version": "nc"}, NC, beat=4.0),
    Read("noise NetCDF-4 shuffle, deflate 4", "noise", {"version": "nc"}, NC, beat=4.0),
    Read("q NetCDF-4, a time series", "q", {"version": "nc"}, NC, beat=3.0, part=SERIES),
]


@dataclasses.dataclass
class Write:
    name: str
    array: str
    product: list  # flags of arrayrun convert
    ending: str
    peers: dict  # library: words for its writer
    beat: float = 0.6  # times the speed of each peer, with codecs in Go alone
    parity: float = 1.0  # with the libraries
    size: float = 1.05  # largest size relative to the smallest of the peers'


def both(**kw):
    return {"tensorstore": kw, "zarr": kw}


WRITES = [
    Write("i2 v3 zstd 3", "i2", ["--codec", "zstd:3"], "zarr", both(version=3, codec="zstd", level=3)),
    Write("q v3 zstd 3", "q", ["--codec", "zstd:3"], "zarr", both(version=3, codec="zstd", level=3)),
    Write("q v2 zlib 4", "q", ["--codec", "zlib:4", "--zarr-version", "2"], "zarr", both(version=2, codec="zlib", level=4)),
    Write("q v2 blosc-lz4", "q", ["--codec", "blosc-lz4", "--zarr-version", "2"], "zarr", both(version=2, codec="blosc", cname="lz4")),
    Write("q NetCDF-4 shuffle, deflate 4", "q", ["--codec", "zlib:4"], "nc", {"netCDF4": {"version": "nc"}}, beat=2.0, parity=2.0, size=1.0),
    Write("noise NetCDF-4 shuffle, deflate 4", "noise", ["--codec", "zlib:4"], "nc", {"netCDF4": {"version": "nc"}}, beat=2.0, parity=2.0, size=1.0),
]


def values(kind):
    """The array, made once on the RAM disk; small steps along time make it what models and reanalyses are like."""
    path = os.path.join(data.RAM, f"formats_{kind}_{MIB}.npy")
    if not os.path.exists(path):
        os.makedirs(data.RAM, exist_ok=True)
        shape = SHAPES[kind]
        r = np.random.default_rng(len(kind))
        out = np.lib.format.open_memmap(path + ".part", mode="w+", dtype="i2" if kind == "i2" else "f4", shape=shape)
        y, x = np.mgrid[: shape[1], : shape[2]]
        base = (1000 * np.sin(y / 80) * np.cos(x / 110)).astype("f4")
        for t in range(shape[0]):
            part = base + 100 * np.sin(t / 20) + 20 * r.standard_normal(shape[1:], dtype="f4")
            out[t] = part if kind == "i2" else np.round(part / 20 * 16) / 16 + 280 if kind == "q" else part / 20 + 280
        del out
        os.rename(path + ".part", path)
    return path


def name_of(kind, make):
    return f"formats-{kind}-{MIB}-" + "-".join(f"{v}" for v in make.values()) + (".nc" if make["version"] == "nc" else ".zarr")


def compressor(make):
    """zarr's compressor for the words of a case."""
    import numcodecs
    from zarr.codecs import BloscCodec, GzipCodec, ZstdCodec

    name, level = make["codec"], make.get("level")
    if make["version"] == 2:
        return {"zlib": lambda: numcodecs.Zlib(level or 1), "blosc": lambda: numcodecs.Blosc(make.get("cname"), 5, numcodecs.Blosc.SHUFFLE)}[name]()
    return {"none": lambda: None, "zstd": lambda: ZstdCodec(level=level or 3), "gzip": lambda: GzipCodec(level=level or 5),
            "blosc": lambda: BloscCodec(cname=make.get("cname"), clevel=3, shuffle="shuffle")}[name]()


def write_zarr(path, a, chunks, make):
    import zarr

    shards = {"shards": (chunks[0] * make["shards"], *a.shape[1:]), "chunks": chunks} if "shards" in make else {"chunks": chunks}
    z = zarr.create_array(path, shape=a.shape, dtype=a.dtype, zarr_format=make["version"], compressors=compressor(make), overwrite=True, **shards)
    z[...] = a


def write_netcdf(path, a, chunks):
    import netCDF4

    with netCDF4.Dataset(path, "w") as d:
        for n, size in zip("tyx", a.shape, strict=True):
            d.createDimension(n, size)
        v = d.createVariable("v", a.dtype, ("t", "y", "x"), zlib=True, complevel=4, shuffle=True, chunksizes=chunks)
        v.set_auto_maskandscale(False)
        v[...] = a


def made(kind, make):
    """The path of the file of a case, made once by zarr-python or netCDF4-python."""
    path = os.path.join(data.DISK, name_of(kind, make))
    if not data.once(path):
        a = np.load(values(kind), mmap_mode="r")
        if make["version"] == "nc":
            write_netcdf(path + ".part", a, CHUNKS[kind])
        else:
            write_zarr(path + ".part", a, CHUNKS[kind], make)
        os.rename(path + ".part", path)
    return path


SMALL = 100_000


def small():
    """float32 in 100,000 chunks of 4 KiB, without compression."""
    import zarr

    path = os.path.join(data.DISK, "formats-small.zarr")
    if not data.once(path):
        zarr.create_array(path + ".part", shape=(SMALL * 1024,), chunks=(1024,), dtype="f4", compressors=None, overwrite=True)
        os.makedirs(path + ".part/c")
        b = np.arange(1024, dtype="<f4")
        for i in range(SMALL):  # as zarr would, which takes minutes
            with open(f"{path}.part/c/{i}", "wb") as f:
                f.write((b + i % 7).tobytes())
        os.rename(path + ".part", path)
    return path
