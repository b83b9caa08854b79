"""Makes the files of this folder: two NetCDF-4 files, sets of references to them as kerchunk writes them, and what zarr reads through
fsspec's reference file system. Made with the versions that expect.json states. Run it in this folder."""
import base64, hashlib, json, os

import fsspec, h5py, kerchunk, numpy as np, zarr
from kerchunk.combine import MultiZarrToZarr
from kerchunk.hdf import SingleHdf5ToZarr
from kerchunk.utils import inline_array, templateize


def make(path, t0):
    rng = np.random.default_rng(t0)
    with h5py.File(path, "w") as f:
        t = f.create_dataset("time", data=np.arange(t0, t0 + 4, dtype="f8"))
        t.attrs["units"] = "days since 2000-01-01"
        t.make_scale("time")
        y = f.create_dataset("lat", data=np.linspace(-60, 60, 13, dtype="f4"))
        y.make_scale("lat")
        x = f.create_dataset("lon", data=np.arange(20, dtype="i4") * 18)
        x.make_scale("lon")
        v = f.create_dataset("tas", data=(rng.random((4, 13, 20)) * 40).round().astype("f4"), chunks=(2, 7, 20), shuffle=True, compression="gzip", fillvalue=-99)
        p = f.create_dataset("packed", data=rng.integers(-500, 500, (4, 13, 20)).astype(">i2"))
        for d in (v, p):
            for i, s in enumerate((t, y, x)):
                d.dims[i].attach_scale(s)
        p.attrs["scale_factor"] = 0.5


def dump(name, refs):
    with open(name, "w") as f:
        json.dump(refs, f, sort_keys=True)


def digest(refs):
    fs = fsspec.filesystem("reference", fo=refs, simple_templates=False, asynchronous=True)
    g = zarr.open_group(zarr.storage.FsspecStore(fs, read_only=True), mode="r", zarr_format=2)
    out = {}
    for k, a in g.arrays():
        v = np.ascontiguousarray(a[...])
        v = v.astype(v.dtype.newbyteorder("<"))
        out[k] = {"shape": list(a.shape), "dtype": v.dtype.str, "md5": hashlib.md5(v.tobytes()).hexdigest()}
    return dict(sorted(out.items()))


for n, t0 in (("a.nc", 0), ("b.nc", 4)):
    make(n, t0)
singles = [SingleHdf5ToZarr(n, inline_threshold=t).translate() for n, t in (("a.nc", 0), ("b.nc", 300))]
expect = {"versions": {"kerchunk": kerchunk.__version__, "fsspec": fsspec.__version__, "zarr": zarr.__version__, "h5py": h5py.__version__}}
sets = {"v1.json": singles[0], "v0.json": singles[1]["refs"]}
sets["joined.json"] = MultiZarrToZarr(singles, concat_dims=["time"], identical_dims=["lat", "lon"]).translate()

# every form of the specification: templates, a template with an argument, generators, base64, metadata as an object
a = dict(singles[0]["refs"])
raw = open("a.nc", "rb").read()
for k, v in a.items():
    if isinstance(v, list):
        a[k] = ["{{u}}.nc" if len(k) % 2 else "{{f(c='a')}}", *v[1:]]
at = singles[0]["refs"]["time/0"]
a["time/0"] = "base64:" + base64.b64encode(raw[at[1] : at[1] + at[2]]).decode()
a[".zgroup"] = {"zarr_format": 2}
off, n = a["packed/0.0.0"][1:]
row = n // 4
meta = json.loads(a["packed/.zarray"])
meta["chunks"][0] = 1
a["packed/.zarray"] = json.dumps(meta)
del a["packed/0.0.0"]
gen = [{"key": "packed/{{i}}.0.0", "url": "{{u}}.{{ext}}", "offset": "{{%d + i * %d}}" % (off, row), "length": str(row),
        "dimensions": {"i": {"stop": 4}, "ext": ["nc"]}}]
sets["forms.json"] = {"version": 1, "templates": {"u": "a", "f": "{{c}}.nc"}, "gen": gen, "refs": a}
for n, s in sets.items():
    dump(n, s)
    expect[n] = digest(json.load(open(n)))
with open("expect.json", "w") as f:
    json.dump(expect, f, indent=1)
