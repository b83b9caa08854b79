# SPDX-License-Identifier: BSD-3-Clause
"""Writes files with other people's programs and reads them with arrayrun, and the other way round.

    python interop.py --arrayrun PATH --dir FOLDER [--require] [--only NAME ...]

Every difference is printed; the exit status is 1 when there is one. With --require a peer that is not installed is one.
"""
import json
import os
import shutil
import sys
import time

import numpy as np

import common
import updates
from common import NUMBERS, SHAPE, TEXTS, args, arrayrun, check, expect, fail, peer, run, same, values

# They write, we read.


def h5py_writes():
    h5py = peer("h5py")
    if not h5py:
        return
    for libver in ["earliest", "latest"]:
        path, want = f"h5py-{libver}.h5", {}
        with h5py.File(path, "w", libver=libver) as f:
            def put(name, a, more=None, **kw):
                f.create_dataset(name, data=a, **kw)
                want[name] = (a, more or {})
            for dt in NUMBERS + ["f2", "c8", "c16", ">i4", ">f8"]:
                put("flat_" + dt, values(dt))
                put("gzip_" + dt, values(dt), {"chunks": [5, 7], "codecs": ["shuffle", "zlib"]}, chunks=(5, 7), compression="gzip", shuffle=True)
            for dt in ["i2", "i4", "f4"]:
                put("lzf_" + dt, values(dt), chunks=(5, 17), compression="lzf")
                put("sum_" + dt, values(dt), chunks=(23, 17), fletcher32=True)
                fill = np.dtype(dt).type(-7)
                d = f.create_dataset("fill_" + dt, SHAPE, dt, chunks=(6, 6), fillvalue=fill, compression="gzip")
                d[7:9, 2:5] = values(dt)[7:9, 2:5]
                a = np.full(SHAPE, fill, dt)
                a[7:9, 2:5] = values(dt)[7:9, 2:5]
                want["fill_" + dt] = (a, {"fill_value": -7.0 if dt == "f4" else -7})
            put("scaleoffset", values("i4"), chunks=(23, 17), scaleoffset=0)
            put("grow", values("f4"), maxshape=(None, None), chunks=(4, 4))
            f.create_dataset("texts", data=TEXTS, dtype=h5py.string_dtype())
            want["texts"] = TEXTS
        expect(path, path, want)


def netcdf4_writes():
    nc = peer("netCDF4")
    if not nc:
        return
    kinds = {"NETCDF4": NUMBERS, "NETCDF4_CLASSIC": ["i1", "i2", "i4", "f4", "f8"], "NETCDF3_CLASSIC": ["i1", "i2", "i4", "f4", "f8"],
             "NETCDF3_64BIT_OFFSET": ["i1", "i2", "i4", "f4", "f8"], "NETCDF3_64BIT_DATA": NUMBERS}
    codecs = {"none": {}, "zlib": {"compression": "zlib", "complevel": 5}, "zlib-bare": {"compression": "zlib", "shuffle": False}, "zstd": {"compression": "zstd"},
              "bzip2": {"compression": "bzip2"}, "sum": {"compression": "zlib", "fletcher32": True}, "blosc_lz4": {"compression": "blosc_lz4"},
              "blosc_zstd": {"compression": "blosc_zstd", "blosc_shuffle": 2}, "szip": {"compression": "szip"}}
    for kind, dtypes in kinds.items():
        for unlimited in [False, True]:
            path, want = f"nc-{kind}-{unlimited}.nc", {}
            with nc.Dataset(path, "w", format=kind) as f:
                f.createDimension("y", None if unlimited else SHAPE[0])
                f.createDimension("x", SHAPE[1])
                for dt in dtypes:
                    for codec, kw in codecs.items() if kind.startswith("NETCDF4") and dt in ("i2", "f4", "i8") else [("none", {})]:
                        if kw and kind.startswith("NETCDF4"):
                            kw = dict(kw, chunksizes=(6, 17))
                        try:
                            v = f.createVariable(f"{codec}_{dt}", dt, ("y", "x"), fill_value=100, **kw)
                        except RuntimeError as e:  # a library without the filter
                            print(f"left out: {codec} of netCDF4: {e}")
                            continue
                        a = values(dt)
                        if codec.startswith("blosc"):  # their filter fails where it cannot compress
                            a = np.repeat(a[:, :1], SHAPE[1], 1)
                        v[:20] = a[:20]
                        a[20:] = 100
                        if unlimited:
                            a = a[:20]
                        v.units = "K"
                        want[v.name] = (a, {"dims": ["y", "x"]})
                if unlimited:
                    continue
                if kind == "NETCDF4":
                    t = f.createVariable("texts", str, ("y",))
                    t[:] = np.array(TEXTS, dtype=object)
                    want["texts"] = TEXTS
            expect(path, path, want)


def zarr_writes():
    zarr = peer("zarr")
    if not zarr:
        return
    import numcodecs
    from zarr.codecs import BloscCodec, BytesCodec, GzipCodec, ZstdCodec
    for version in [2, 3]:
        root, path, want = zarr.open_group(f"zarr{version}.zarr", mode="w", zarr_format=version), f"zarr{version}.zarr", {}
        codecs = {"none": None, "blosc": BloscCodec(cname="lz4", clevel=5), "bit": BloscCodec(cname="zstd", shuffle="bitshuffle"), "zstd": ZstdCodec(level=3),
                  "gzip": GzipCodec(level=6)}
        if version == 2:
            codecs = {"none": None, "blosc": numcodecs.Blosc("lz4", 5, 1), "bit": numcodecs.Blosc("zstd", 5, 2), "zstd": numcodecs.Zstd(3), "gzip": numcodecs.GZip(6),
                      "zlib": numcodecs.Zlib(4), "lz4": numcodecs.LZ4()}
        for dt in NUMBERS + ["f2", "c8", "c16", "?"] + ([">i4", ">f8"] if version == 2 else []):
            for name, codec in codecs.items():
                a = values(dt)
                n = f"{name}_{dt.strip('>?')}{'be' if dt[0] == '>' else ''}"
                fill = np.dtype(dt).type(1)
                z = root.create_array(n, shape=SHAPE, dtype=dt, chunks=(7, 5), compressors=codec, fill_value=fill, dimension_names=["y", "x"] if version == 3 else None)
                z[:15] = a[:15]
                a[15:] = fill
                want[n] = (a, {"chunks": [7, 5]})
        if version == 3:
            for dt in ["i2", "f4"]:
                for end in ["start", "end"]:
                    n = f"shards_{dt}_{end}"
                    z = root.create_array(n, shape=SHAPE, dtype=dt, chunks=(4, 4), shards={"shape": (12, 8), "index_location": end}, fill_value=0)
                    z[3:20] = values(dt)[3:20]
                    want[n] = (z[:], {"chunks": [4, 4], "shards": [12, 8]})
            z = root.create_array("big", shape=SHAPE, dtype="i4", chunks=(7, 5), serializer=BytesCodec(endian="big"), filters=None)
            z[:] = values("i4")
            want["big"] = values("i4")
        z = root.create_array("texts", shape=(23,), dtype=str, chunks=(7,))
        z[:] = np.array(TEXTS, dtype=object)
        want["texts"] = TEXTS
        if version == 3:
            z = root.create_array("shards_texts", shape=(23,), dtype=str, chunks=(4,), shards=(12,))
            z[:] = np.array(TEXTS, dtype=object)
            want["shards_texts"] = (TEXTS, {"chunks": [4], "shards": [12]})
        expect(path, path, want)
        shutil.copytree(path, "c" + path)
        zarr.consolidate_metadata("c" + path)
        expect("c" + path, "c" + path, want)


def tensorstore_writes():
    ts = peer("tensorstore")
    if not ts:
        return
    for driver in ["zarr", "zarr3"]:
        for dt in NUMBERS + ["f2"]:
            a, path = values(dt), f"ts-{driver}-{dt}.zarr"
            s = ts.open({"driver": driver, "kvstore": {"driver": "file", "path": path}}, create=True, delete_existing=True, dtype=ts.dtype(a.dtype), shape=SHAPE,
                        chunk_layout=ts.ChunkLayout(chunk_shape=[7, 5])).result()
            s[:, :].write(a).result()
            expect(path, path, {f"ts-{driver}-{dt}": a})


def tifffile_writes():
    tifffile = peer("tifffile")
    if not tifffile:
        return
    for dt in NUMBERS + ["f2", "c8"]:
        for n, kw in enumerate([{}, {"compression": "zlib", "predictor": dt not in ("c8", "i8", "u8"), "tile": (16, 16)}, {"compression": "zstd", "rowsperstrip": 5}, {"compression": "lzw"},
                                {"bigtiff": True, "byteorder": ">", "compression": "zlib", "predictor": dt not in ("c8", "i8", "u8")}]):
            path = f"tifffile-{dt}-{n}.tif"
            tifffile.imwrite(path, values(dt), metadata=None, **kw)
            expect(path, path, {"image": values(dt)})


def gdal_writes():
    rasterio = peer("rasterio")
    if not rasterio:
        return
    for dt in ["uint8", "int16", "uint16", "int32", "float32", "float64"]:
        for driver, kw in [("GTiff", {}), ("GTiff", {"compress": "deflate", "predictor": 2, "tiled": True, "blockxsize": 16, "blockysize": 16}),
                           ("GTiff", {"compress": "lzw", "interleave": "band"}), ("COG", {"compress": "zstd"})]:
            path, a = f"gdal-{driver}-{len(kw)}-{dt}.tif", np.stack([values(dt), values(dt, 1)])
            with rasterio.open(path, "w", driver=driver, height=SHAPE[0], width=SHAPE[1], count=2, dtype=dt, nodata=3, **kw) as f:
                f.write(a)
            if kw.get("interleave") != "band":
                a = a.transpose(1, 2, 0)
            expect(path, path, {"image": (a, {"fill_value": 3.0 if "float" in dt else 3})})


def table():
    pa = peer("pyarrow")
    rng = np.random.default_rng(3)
    hole = rng.random(200) < 0.2
    cols, want = {}, {}
    for dt in NUMBERS:
        a = (rng.random(200) * 100).astype(dt)
        cols[dt], want[dt] = pa.array(a), a
        fill = np.nan if dt[0] == "f" else np.iinfo(dt).min if dt[0] == "i" else np.iinfo(dt).max
        cols[dt + "_null"], want[dt + "_null"] = pa.array(a, mask=hole), np.where(hole, np.array(fill, dt), a)
    texts = ["t%d" % (i % 11) for i in range(200)]
    cols["texts"], want["texts"] = pa.array(texts), texts
    cols["time"], want["time"] = pa.array(np.arange(200), pa.timestamp("us")), np.arange(200, dtype="i8")
    cols["bool"], want["bool"] = pa.array(hole), hole
    return pa.table(cols), want


def pyarrow_writes():
    if not peer("pyarrow"):
        return
    import pyarrow.feather as feather
    import pyarrow.parquet as pq
    t, want = table()
    for codec in ["none", "snappy", "gzip", "zstd", "brotli", "lz4"]:
        for version in ["1.0", "2.0"]:
            path = f"pa-{codec}-{version}.parquet"
            pq.write_table(t, path, compression=codec, data_page_version=version, row_group_size=70, data_page_size=300)
            expect(path, path, want)
    for codec in ["uncompressed", "lz4", "zstd"]:
        path = f"pa-{codec}.arrow"
        feather.write_feather(t, path, compression=codec, chunksize=70)
        expect(path, path, want)


def cdo_writes():
    cdo = peer("cdo")
    if not cdo:
        return
    for kind in ["nc", "nc2", "nc4", "nc4c", "nc5"]:
        path = f"cdo-{kind}.nc"
        run(path, cdo, "-s", "-f", kind, *(["-z", "zip_4"] if kind.startswith("nc4") else []), "-b", "F64", "topo,r18x9", path)
        out = run(path, cdo, "-s", "outputf,%.17g,1", path)
        if os.path.exists(path):
            expect(path, path, {"topo": np.array(out.split(), "f8").reshape(9, 18)})


def ome_writes():
    """Images, labels and a plate of ome-zarr, as arrays: what their metadata say is the Go package's test."""
    zarr, ome = peer("zarr"), peer("ome_zarr")
    if not ome:
        return
    from ome_zarr.format import FormatV04, FormatV05
    from ome_zarr.writer import write_image, write_labels, write_plate_metadata, write_well_metadata
    for fmt, version in [(FormatV04(), 2), (FormatV05(), 3)]:
        path = f"ome-{version}.zarr"
        shutil.rmtree(path, ignore_errors=True)
        a = (np.random.default_rng(2).random((2, 3, 64, 80)) * 1000).astype("u2")
        root = zarr.open_group(path, mode="w", zarr_format=version)
        write_image(a, root, axes="czyx", fmt=fmt)
        write_labels((a[0] > 500).astype("i4"), root, "cells", axes="zyx", fmt=fmt)
        g = zarr.open_group(path, mode="r")
        expect(path, path, {"s0": (a, {"dims": ["c", "z", "y", "x"]}), "s1": g["s1"][:]})
        expect(path, path + "/labels/cells", {"s0": (g["labels/cells/s0"][:], {"dims": ["z", "y", "x"]})})
        plate = f"plate-{version}.zarr"
        shutil.rmtree(plate, ignore_errors=True)
        root = zarr.open_group(plate, mode="w", zarr_format=version)
        write_plate_metadata(root, ["A"], ["1"], ["A/1"], fmt=fmt)
        well = root.require_group("A/1")
        write_well_metadata(well, ["0"], fmt=fmt)
        write_image(a, well.require_group("0"), axes="czyx", fmt=fmt)
        expect(plate, plate + "/A/1/0", {"s0": (a, {"dims": ["c", "z", "y", "x"]})})


# We write, they read.


def source():
    """A data set of theirs to be converted, with the values it has."""
    nc = peer("netCDF4")
    if os.path.exists("source.nc"):
        os.remove("source.nc")
    want = {}
    with nc.Dataset("source.nc", "w") as f:
        f.title = "source"
        f.createDimension("y", SHAPE[0])
        f.createDimension("x", SHAPE[1])
        for dt in NUMBERS:
            v = f.createVariable("v_" + dt, dt, ("y", "x"), fill_value=100, chunksizes=(6, 17), compression="zlib")
            v.set_auto_maskandscale(False)
            v.units = "K"
            v[:] = want["v_" + dt] = values(dt)
        x = f.createVariable("x", "f8", ("x",))
        x[:] = want["x"] = np.arange(SHAPE[1]) * 0.5
    return want


def netcdf_read():
    nc, h5py, xr = peer("netCDF4"), peer("h5py"), peer("xarray")
    if not nc:
        return
    want = source()
    for fmt, codec in [("netcdf4", "zlib:4"), ("netcdf4", "zstd:3"), ("netcdf4", "none"), ("netcdf3-64bit-data", "none")]:
        path = f"ours-{fmt}-{codec.replace(':', '')}.nc"
        if arrayrun(path, "convert", "source.nc", path, "--format", fmt, *([] if codec == "none" and fmt != "netcdf4" else ["--codec", codec])) is None:
            continue
        with nc.Dataset(path) as f:
            f.set_auto_maskandscale(False)
            check(path, f.title == "source", "title is lost")
            for name, w in want.items():
                same(f"{path} {name} netCDF4", f[name][:], w)
                if name != "x":
                    check(path, f[name]._FillValue == 100 and f[name].units == "K" and f[name].dimensions == ("y", "x"), f"attributes or dimensions of {name}")
        if fmt == "netcdf4" and h5py:
            with h5py.File(path) as f:
                for name, w in want.items():
                    same(f"{path} {name} h5py", f[name][:], w)
            if peer("h5dump"):
                run(path, "h5dump", "-H", path)
        if xr:
            with xr.open_dataset(path, mask_and_scale=False) as d:
                same(f"{path} xarray", d.v_f4.values, want["v_f4"])
        if peer("ncdump"):
            check(path, 'v_f4:units = "K"' in run(path, "ncdump", "-h", path), "ncdump shows no units")
        if peer("cdo"):
            run(path, "cdo", "-s", "infon", "-selname,v_f4", path)


def netcdf_values_read():
    """What NetCDF has no type for: complex numbers, times of NumPy's types, texts of a fixed size, JSON in attributes. Each comes from a Zarr array of zarr-python's."""
    nc, h5py, xr, zarr = peer("netCDF4"), peer("h5py"), peer("xarray"), peer("zarr")
    if not (nc and zarr):
        return
    for name, w in {"complex": np.array([1 + 2j, -0.5j, 3], "c8"), "times": np.array(["2000-02-29", "NaT", "1960-01-01"], "M8[s]"), "fixed": np.array([b"ab", b"", b"wxyz"], "S4")}.items():
        z = zarr.create_array(f"values-{name}.zarr", data=w, zarr_format=2, overwrite=True)
        z.attrs.update({"nested": {"a": [1, None, {"b": True}]}, "yes": True})
        path = f"values-{name}.nc"
        if arrayrun(path, "convert", f"values-{name}.zarr", path) is None:
            continue
        with nc.Dataset(path, auto_complex=True) as f:
            var = list(f.variables)[0]
            check(path, json.loads(f[var].nested) == {"a": [1, None, {"b": True}]} and f[var].yes == 1, "attributes of JSON")
            if name == "complex":
                same(f"{path} netCDF4", f[var][:], w)
            if name == "fixed":
                check(path, list(f[var][:]) == ["ab", "", "wxyz"], f"netCDF4 reads {f[var][:]}")
        if h5py and name == "complex":
            with h5py.File(path) as f:
                same(f"{path} h5py", f[var][:], w)
        if xr and name == "times":
            with xr.open_dataset(path) as d:
                got = d[var].values.astype("M8[s]")  # NaT is equal to nothing
                check(path, np.array_equal(got.astype("i8"), w.astype("i8")), f"xarray reads {got}")
        if peer("ncdump"):
            run(path, "ncdump", path)


def zarr_read():
    zarr, xr, ts = peer("zarr"), peer("xarray"), peer("tensorstore")
    if not zarr:
        return
    want = source()
    for fmt, more in [("zarr3", []), ("zarr3", ["--codec", "zstd:5", "--chunks", "y=6,x=8"]), ("zarr3", ["--codec", "blosc-lz4"]), ("zarr3", ["--codec", "none"]),
                      ("zarr3", ["--chunks", "y=4,x=4", "--shards", "y=12,x=8"]), ("zarr2", []), ("zarr2", ["--codec", "zlib:4"]), ("zarr2", ["--codec", "blosc-lz4"])]:
        path = "ours-" + "-".join([fmt, *more]).replace("--", "").replace(":", "").replace(",", "") + ".zarr"
        if arrayrun(path, "convert", "source.nc", path, "--format", fmt, *more) is None:
            continue
        g = zarr.open_group(path, mode="r")
        check(path, g.attrs["title"] == "source", "title is lost")
        for name, w in want.items():
            same(f"{path} {name} zarr", g[name][:], w)
        if xr:
            with xr.open_zarr(path, mask_and_scale=False) as d:
                same(f"{path} xarray", d.v_i2.values, want["v_i2"])
                check(path, d.v_i2.dims == ("y", "x") and d.v_i2.attrs["units"] == "K", "dimensions or units")
        if ts:
            s = ts.open({"driver": "zarr3" if fmt == "zarr3" else "zarr", "kvstore": {"driver": "file", "path": path + "/v_f8"}}).result()
            same(f"{path} tensorstore", s.read().result(), want["v_f8"])


def tiff_read():
    tifffile, rasterio = peer("tifffile"), peer("rasterio")
    for dt in NUMBERS + ["f2", "c8"]:
        rng = np.random.default_rng(5)
        a = (rng.random((700, 530)) * 100).astype(dt)
        np.save("tiff.npy", a)
        path = f"ours-{dt}.tif"
        if arrayrun(path, "eval", "a", "a=tiff.npy", "-o", path, "--overwrite") is None:
            continue
        if tifffile:
            same(path + " tifffile", tifffile.imread(path), a)
            with tifffile.TiffFile(path) as t:
                check(path, [x.shape for x in t.series[0].levels] == [(700, 530), (350, 265)], "overviews")
        if rasterio:
            with rasterio.open(path) as r:
                same(path + " GDAL", r.read(1).astype(dt), a)  # some versions widen float16
        if peer("rio_cogeo"):
            from rio_cogeo.cogeo import cog_validate
            ok, errors, notes = cog_validate(path, quiet=True)
            check(path, ok and not notes, f"not cloud-optimised: {errors} {notes}")


def ome_read():
    zarr, ome = peer("zarr"), peer("ome_zarr")
    if not ome:
        return
    import xarray as xr
    from ome_zarr.io import parse_url
    from ome_zarr.reader import Reader
    from ome_zarr_models import v04, v05
    a = (np.random.default_rng(4).random((2, 3, 301, 530)) * 1000).astype("u2")
    y = ("y", np.arange(301) * 0.25 + 1, {"units": "um"})
    xr.Dataset({"image": (("c", "z", "y", "x"), a), "cells": (("z", "y", "x"), (a[0] > 500).astype("i4"))}, coords={"y": y}).to_netcdf("ome.nc")
    for fmt, models in [("ome-zarr", v05), ("ome-zarr-0.4", v04)]:
        path = f"ours-{fmt}.ome.zarr"
        if arrayrun(path, "convert", "ome.nc", path, "--format", fmt, "--var", "image", "--var", "cells", "--var", "y") is None:
            continue
        nodes = list(Reader(parse_url(path))())
        image, cells = nodes[0], nodes[-1]
        same(path, image.data[0].compute(), a)
        same(path + " labels", cells.data[0].compute(), (a[0] > 500).astype("i4"))
        same(path + " labels' level", cells.data[1].compute(), (a[0] > 500).astype("i4")[:, ::2, ::2])
        wide = np.full((2, 3, 302, 530), np.nan)
        wide[:, :, :301] = a
        mean = np.nanmean(wide.reshape(2, 3, 151, 2, 265, 2), axis=(3, 5))
        check(path, np.abs(image.data[1].compute() - mean).max() <= 0.5, "level 1 is no mean")
        places = image.metadata["coordinateTransformations"]
        check(path, places[0] == [{"type": "scale", "scale": [1, 1, 0.25, 1]}, {"type": "translation", "translation": [0, 0, 1, 0]}], f"places {places[0]}")
        models.Image.from_zarr(zarr.open_group(path, mode="r"))  # their validator raises


def table_read():
    if not peer("pyarrow"):
        return
    import pyarrow as pa
    import pyarrow.parquet as pq
    _, want = table()
    np.savez("table.npz", **{k: v for k, v in want.items() if k != "texts"})
    for ext, codec in [("parquet", "zstd:3"), ("parquet", "snappy"), ("parquet", "none"), ("arrow", "zstd"), ("arrow", "none"), ("feather", "lz4")]:
        path = f"ours-{codec.replace(':', '')}.{ext}"
        if arrayrun(path, "convert", "table.npz", path, "--codec", codec) is None:
            continue
        t = pq.read_table(path) if ext == "parquet" else pa.ipc.open_file(path).read_all()
        for name, w in want.items():
            if name != "texts":
                got = t[name].to_numpy()
                check(f"{path} {name}", got.dtype == w.dtype and np.array_equal(got, w, equal_nan=w.dtype.kind == "f"), f"{got.dtype}, want {w.dtype}, or other values")


def numpy_read():
    for dt in NUMBERS + ["f2", "c8", "c16", "?"]:
        np.save("in.npy", values(dt))
        if arrayrun("npy " + dt, "eval", "a", "a=in.npy", "-o", "out.npy", "--overwrite") is not None:
            same("npy " + dt, np.load("out.npy"), values(dt))


CASES = [h5py_writes, netcdf4_writes, zarr_writes, tensorstore_writes, tifffile_writes, gdal_writes, pyarrow_writes, cdo_writes, ome_writes,
         netcdf_read, netcdf_values_read, zarr_read, tiff_read, ome_read, table_read, numpy_read, updates.both_ways]
for f in CASES:
    if args.only and f.__name__ not in args.only:
        continue
    start, before = time.time(), (common.done, len(common.bad))
    try:
        f()
    except Exception as e:  # a peer that fails on a file of ours is a difference
        fail(f.__name__, f"{type(e).__name__}: {e}")
    print(f"{f.__name__}: {common.done - before[0]} comparisons, {len(common.bad) - before[1]} differences, {time.time() - start:.1f} s", flush=True)
if common.absent:
    print("left out, not installed:", ", ".join(sorted(common.absent)))
print(f"{common.done} comparisons, {len(common.bad)} differences")
sys.exit(1 if common.bad else 0)
