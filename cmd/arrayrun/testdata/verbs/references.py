# SPDX-License-Identifier: BSD-3-Clause
"""references.py DIR: MD5 of every array that zarr-python reads through the references in DIR/*.json, by file and name.

What it cannot read has the error's text in place of the sum."""
import hashlib
import json
import pathlib
import sys

import fsspec
import numpy as np
import zarr


def read(path):
    with open(path) as f:
        names = [k[: -len("/.zarray")] for k in json.load(f)["refs"] if k.endswith("/.zarray")]
    store = zarr.storage.FsspecStore.from_mapper(fsspec.filesystem("reference", fo=str(path)).get_mapper(""))
    root = zarr.open_group(store, mode="r", zarr_format=2, use_consolidated=False)
    out = {}
    for n in names:
        try:
            if root[n].nbytes > 1 << 24:  # declared huge
                continue
            v = np.asarray(root[n][...])
        except Exception as e:
            out[n] = f"{type(e).__name__}: {e}"
            continue
        if v.dtype.kind in "OT" or v.dtype.kind == "U" and v.ndim == 0:
            b = "\0".join(str(x) for x in v.ravel()).encode()
        else:
            b = np.ascontiguousarray(v.astype(v.dtype.newbyteorder("<"))).tobytes()
        out[n] = hashlib.md5(b).hexdigest()
    return out


print(json.dumps({p.name: read(p) for p in sorted(pathlib.Path(sys.argv[1]).glob("*.json"))}))
