"""Makes arrow.parq and fast.parq: the references of v1.json and some more, kept as Parquet by fsspec's LazyReferenceMapper with its
two engines, and tables.json: what zarr reads through it with fastparquet; with pyarrow 26 it fails on a chunk that was never written. Run it in
this folder: python make_tables.py pyarrow, and python make_tables.py fastparquet."""
import base64, hashlib, json, os, sys

import fsspec, numpy as np
from fsspec.implementations.reference import LazyReferenceMapper

engine = sys.argv[1]
root = {"pyarrow": "arrow.parq", "fastparquet": "fast.parq"}[engine]
refs = json.load(open("v1.json"))["refs"]
url, off, n = refs["tas/0.1.0"]
raw = open(url, "rb").read()
del refs["tas/1.0.0"]  # never written
refs["tas/0.1.0"] = "base64:" + base64.b64encode(raw[off : off + n]).decode()
zarray = {"zarr_format": 2, "shape": [], "chunks": [], "dtype": "<i4", "order": "C", "compressor": None, "filters": None, "fill_value": 0, "dimension_separator": "."}
refs["level/.zarray"] = json.dumps(zarray)
refs["level/.zattrs"] = '{"_ARRAY_DIMENSIONS": []}'
refs["level/0"] = "base64:" + base64.b64encode(np.int32(850).tobytes()).decode()
refs["deep/.zgroup"] = '{"zarr_format": 2}'
refs["deep/inner/.zarray"] = json.dumps({**zarray, "shape": [len(raw) * 2], "chunks": [len(raw)], "dtype": "|u1", "fill_value": 7})
refs["deep/inner/.zattrs"] = '{"_ARRAY_DIMENSIONS": ["byte"]}'
refs["deep/inner/0"] = ["a.nc"]  # the whole file
fs = fsspec.filesystem("file")
out = LazyReferenceMapper.create(root=root, fs=fs, record_size={"pyarrow": 3, "fastparquet": 100}[engine], engine=engine, categorical_threshold=2)
for k in sorted(refs):
    out[k] = refs[k]
out.flush()
if engine == "fastparquet":
    import fastparquet, kerchunk, zarr

    store = zarr.storage.FsspecStore(fsspec.filesystem("reference", fo=LazyReferenceMapper(os.path.abspath(root), fs=fs, engine=engine), asynchronous=True, remote_protocol="file"), read_only=True)
    g = zarr.open_group(store, mode="r", zarr_format=2)
    expect = {"versions": {"kerchunk": kerchunk.__version__, "fsspec": fsspec.__version__, "zarr": zarr.__version__, "fastparquet": fastparquet.__version__}}
    for k in ("lat", "lon", "time", "tas", "packed", "level", "deep/inner"):
        v = np.ascontiguousarray(g[k][...])
        v = v.astype(v.dtype.newbyteorder("<"))
        expect[k] = {"shape": list(v.shape) if k != "level" else [], "dtype": v.dtype.str, "md5": hashlib.md5(v.tobytes()).hexdigest()}
    json.dump(expect, open("tables.json", "w"), indent=1)
