# SPDX-License-Identifier: BSD-3-Clause
"""The peers of bench/run formats. python formats_peers.py LIBRARY answers lines: open PATH, prepare INDEX, run, save PREFIX STEP, write NPY PATH JSON.

Reads go into memory that is there before, where a library can do that.
"""
import json
import os
import shutil
import sys
import time

import numpy as np

import formats_cases as cases

THREADS = int(os.environ.get("BENCH_THREADS", "2"))


def index(text):
    """slices and numbers of an index such as [:, 100, 300]."""
    return eval(f"np.s_{text}", {"np": np}) if text else Ellipsis


class Tensorstore:
    def __init__(self):
        import tensorstore as ts

        self.ts = ts
        self.context = ts.Context({"data_copy_concurrency": {"limit": THREADS}, "file_io_concurrency": {"limit": 4}, "cache_pool": {"total_bytes_limit": 0}})

    def open(self, path):
        driver = "zarr3" if os.path.exists(path + "/zarr.json") else "zarr"
        self.a = self.ts.open({"driver": driver, "kvstore": {"driver": "file", "path": path}}, read=True, context=self.context).result()

    def prepare(self, text):
        self.view = self.a[index(text)]
        self.out = np.zeros(self.view.shape, self.view.dtype.numpy_dtype)
        self.target = self.ts.array(self.out, context=self.context, copy=False, write=True)

    def run(self):
        self.target.write(self.view).result()

    def write(self, a, path, chunks, make):
        codec, level = make["codec"], make.get("level")
        if make["version"] == 2:
            compressor = {"id": "zlib", "level": level} if codec == "zlib" else {"id": "blosc", "cname": make["cname"], "clevel": 5, "shuffle": 1}
            spec = {"driver": "zarr", "metadata": {"shape": a.shape, "chunks": chunks, "dtype": a.dtype.str, "compressor": compressor}}
        else:
            spec = {"driver": "zarr3", "metadata": {
                "shape": a.shape, "data_type": a.dtype.name, "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunks}},
                "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": codec, "configuration": {"level": level}}]}}
        s = self.ts.open({**spec, "kvstore": {"driver": "file", "path": path}}, create=True, context=self.context).result()
        s.write(a).result()


class Zarr:
    def __init__(self):
        import zarr

        self.zarr = zarr
        zarr.config.set({"threading.max_workers": THREADS})

    def open(self, path):
        self.a = self.zarr.open_array(path, mode="r")

    def prepare(self, text):
        from zarr.core.buffer.cpu import NDBuffer

        self.index = index(text)
        self.out = np.zeros(np.broadcast_to(np.zeros((), self.a.dtype), self.a.shape)[self.index].shape, self.a.dtype)
        self.buffer = NDBuffer.from_numpy_array(self.out)

    def run(self):
        self.a.get_basic_selection(self.index, out=self.buffer)

    def write(self, a, path, chunks, make):
        cases.write_zarr(path, a, chunks, make)


class Zarrs(Zarr):
    def __init__(self):
        super().__init__()
        import zarrs  # noqa: F401

        # strict: without it what zarrs cannot do is done by zarr-python, and timed as zarrs'
        self.zarr.config.set({"codec_pipeline.path": "zarrs.ZarrsCodecPipeline", "codec_pipeline.strict": True})


class H5py:
    """The HDF5 library by itself."""

    def open(self, path):
        import h5py

        f = h5py.File(path, "r")
        self.a = f["v" if "v" in f else "data"]  # data: the product's name for what a .npy file holds

    def prepare(self, text):
        self.index = index(text)
        self.out = np.zeros(self.a.shape if not text else self.a[self.index].shape, self.a.dtype)

    def run(self):
        self.a.read_direct(self.out, source_sel=self.index)


class NetCDF4:
    def __init__(self):
        import netCDF4

        # as large as h5py's: with netCDF's own a second read of a small file finds its chunks decoded
        netCDF4.set_chunk_cache(1 << 20, 521, 0.75)

    def open(self, path):
        import netCDF4

        self.d = netCDF4.Dataset(path)
        self.a = self.d["v"]
        self.a.set_auto_maskandscale(False)

    def prepare(self, text):
        self.index = index(text)

    def run(self):
        self.out = self.a[self.index]

    def write(self, a, path, chunks, make):
        cases.write_netcdf(path, a, chunks)


class Xarray(NetCDF4):
    def open(self, path):
        import xarray

        self.a = xarray.open_dataset(path, mask_and_scale=False, cache=False)["v"]

    def run(self):
        self.out = self.a[self.index].values


def main():
    s = {"tensorstore": Tensorstore, "zarr": Zarr, "zarrs": Zarrs, "h5py": H5py, "netCDF4": NetCDF4, "xarray": Xarray}[sys.argv[1]]()
    for line in sys.stdin:
        w = line.rstrip("\n").split("\t")
        try:
            answer = ""
            if w[0] == "open":
                s.open(w[1])
            elif w[0] == "prepare":
                s.prepare(w[1] if len(w) > 1 else "")
            elif w[0] == "run":
                t, c = time.perf_counter(), time.process_time()
                s.run()
                answer = f"{time.perf_counter() - t:.9f} {time.process_time() - c:.6f}"
            elif w[0] == "save":
                s.out.reshape(-1)[:: int(w[2])].tofile(w[1] + ".0")
                answer = s.out.dtype.name
            elif w[0] == "write":
                make = json.loads(w[3])
                a = np.load(w[1])
                shutil.rmtree(w[2], ignore_errors=True)
                t, c = time.perf_counter(), time.process_time()
                s.write(a, w[2], make["chunks"], make)
                answer = f"{time.perf_counter() - t:.9f} {time.process_time() - c:.6f}"
            print(f"ok {answer}".rstrip(), flush=True)
        except Exception as e:
            print("error", type(e).__name__, str(e).replace("\n", " ")[:300], flush=True)


if __name__ == "__main__":
    main()
