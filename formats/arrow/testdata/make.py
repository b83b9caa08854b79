# SPDX-License-Identifier: BSD-3-Clause
"""Makes the files of this folder, which pyarrow wrote, and expect.json with the MD5 of each column's values as this
project reads them: little-endian bytes, texts joined by NUL, nulls as the package's documentation says.

    python make.py      # pyarrow 26.0.1, numpy 2.4.6
"""
import hashlib
import json
import os

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq

os.chdir(os.path.dirname(os.path.abspath(__file__)))
N = 60
rng = np.random.default_rng(1)


def holes():
    return rng.random(N) < 0.2


cols = {}
for t in ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]:
    v = rng.integers(0, 100, N).astype(t)
    cols[t] = pa.array(v)
    if t in ("int16", "uint32", "int64"):
        cols[t + "_n"] = pa.array(v, mask=holes())
for t in ["float16", "float32", "float64"]:
    cols[t] = pa.array(rng.normal(size=N).astype(t), mask=holes())
cols["b"] = pa.array(rng.random(N) < 0.5)
cols["b_n"] = pa.array(rng.random(N) < 0.5, mask=holes())
s = np.array(["é%d" % (i % 7) for i in range(N)], dtype=object)
cols["s"] = pa.array(s)
cols["s_n"] = pa.array(s, mask=holes())
cols["ls"] = pa.array(s, pa.large_string())
cols["d"] = pa.array(s).dictionary_encode()
cols["fsb"] = pa.array([b"abc"] * N, pa.binary(3))
cols["tss"] = pa.array(np.arange(N), pa.timestamp("s"))
cols["tsns"] = pa.array(np.arange(N), pa.timestamp("ns"))
cols["dus"] = pa.array(np.arange(N), pa.duration("us"))
cols["tsz"] = pa.array(np.arange(N), pa.timestamp("us", tz="Europe/Berlin"), mask=holes())
cols["date"] = pa.array(np.arange(N).astype("int32"), pa.date32())
cols["t32"] = pa.array(np.arange(N).astype("int32"), pa.time32("ms"))
cols["null"] = pa.nulls(N)
cols["list"] = pa.array([[1, 2]] * N)
cols["seq"] = pa.array(np.arange(N) * 3)
table = pa.table(cols).replace_schema_metadata({"title": "made"})


def expect(a, parquet, int96):
    t = a.type
    if pa.types.is_list(t):
        return None
    if int96 and pa.types.is_timestamp(t):
        a = a.cast(pa.timestamp("ns", tz=t.tz))
    elif parquet and t == pa.timestamp("s"):
        a = a.cast(pa.timestamp("ms"))
    if pa.types.is_dictionary(t):
        a = a.dictionary_decode()
    t = a.type
    if pa.types.is_string(t) or pa.types.is_large_string(t):
        return hashlib.md5(b"\0".join((x or "").encode() for x in a.to_pylist())).hexdigest()
    if pa.types.is_fixed_size_binary(t):
        return hashlib.md5(b"".join(a.to_pylist())).hexdigest()
    if pa.types.is_null(t):
        return hashlib.md5(np.full(N, np.nan).tobytes()).hexdigest()
    if pa.types.is_boolean(t):
        return hashlib.md5(np.array([-1 if x is None else int(x) for x in a.to_pylist()], "int8").tobytes()).hexdigest()
    if pa.types.is_temporal(t):
        a = a.view(pa.int32() if t.bit_width == 32 else pa.int64())
    dt = a.type.to_pandas_dtype()
    if pa.types.is_floating(a.type):
        fill = np.nan
    else:
        i = np.iinfo(dt)
        fill = i.min if i.min < 0 else i.max
    return hashlib.md5(np.array([fill if x is None else x for x in a.to_pylist()], dt).tobytes()).hexdigest()


files = {}


def made(name, **kw):
    files[name] = {k: expect(a, name.endswith(".parquet"), "int96" in name) for k, a in cols.items()}


for codec, version in [("none", "1.0"), ("snappy", "2.0"), ("gzip", "1.0"), ("zstd", "2.0"), ("brotli", "1.0"), ("lz4", "2.0")]:
    pq.write_table(table, f"{codec}.parquet", compression=codec, data_page_version=version, row_group_size=25, write_statistics=codec == "zstd")
    made(f"{codec}.parquet")
enc = {k: "DELTA_BINARY_PACKED" for k in cols if k in ("int32", "int64", "int64_n", "seq", "tsns", "date", "t32")}
enc |= {"float32": "BYTE_STREAM_SPLIT", "float64": "BYTE_STREAM_SPLIT", "s": "DELTA_BYTE_ARRAY", "s_n": "DELTA_LENGTH_BYTE_ARRAY", "b": "RLE", "fsb": "DELTA_BYTE_ARRAY"}
pq.write_table(table, "encodings.parquet", use_dictionary=False, column_encoding=enc, row_group_size=45, write_page_checksum=True, write_statistics=False)
made("encodings.parquet")
pq.write_table(table, "int96.parquet", use_deprecated_int96_timestamps=True, write_statistics=False)
made("int96.parquet")
for codec in ["uncompressed", "lz4", "zstd"]:
    feather.write_feather(table, f"{codec}.arrow", compression=codec, chunksize=25)
    made(f"{codec}.arrow")
with pa.ipc.new_stream("zstd.stream", table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as w:
    w.write_table(table, max_chunksize=25)
made("zstd.stream")
with open("expect.json", "w") as f:
    json.dump(files, f, indent=0)
