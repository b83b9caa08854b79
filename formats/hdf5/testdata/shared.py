# SPDX-License-Identifier: BSD-3-Clause
# Makes shared.h5 and shared.txt: a file whose datatypes, dataspaces, fill values, filters and attributes lie in the heap of shared
# messages, with the MD5 of the values and the attributes that h5py reads. Run with h5py 3.16.0 (HDF5 2.0).
import ctypes
import glob
import hashlib
import os

import h5py
import numpy as np

lib = ctypes.CDLL(glob.glob(os.path.join(os.path.dirname(h5py.__file__), "..", "h5py.libs", "libhdf5-*"))[0])
fcpl = h5py.h5p.create(h5py.h5p.FILE_CREATE)
pid = ctypes.c_int64(fcpl.id)
SPACE, TYPE, FILL, PIPELINE, ATTR = 1 << 1, 1 << 3, 1 << 5, 1 << 11, 1 << 12
assert lib.H5Pset_shared_mesg_nindexes(pid, ctypes.c_uint(2)) >= 0
assert lib.H5Pset_shared_mesg_index(pid, ctypes.c_uint(0), ctypes.c_uint(SPACE | TYPE | FILL | PIPELINE), ctypes.c_uint(8)) >= 0
assert lib.H5Pset_shared_mesg_index(pid, ctypes.c_uint(1), ctypes.c_uint(ATTR), ctypes.c_uint(8)) >= 0
fapl = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
fapl.set_libver_bounds(h5py.h5f.LIBVER_LATEST, h5py.h5f.LIBVER_LATEST)
fid = h5py.h5f.create(b"shared.h5", h5py.h5f.ACC_TRUNC, fcpl, fapl)
with h5py.File(fid) as f, open("shared.txt", "w") as out:
    print(f"# h5py {h5py.__version__}, HDF5 {h5py.version.hdf5_version}", file=out)
    kind = np.dtype([("a", "<i4"), ("b", "<f8"), ("name", "S8")])
    for i in range(3):
        d = f.create_dataset(f"n{i}", data=np.arange(60, dtype="<f4").reshape(6, 10) + i, chunks=(3, 5), compression="gzip", shuffle=True, fillvalue=7)
        for k in range(12 if i == 0 else 2):  # twelve are stored densely
            d.attrs[f"units of something long {k}"] = f"kg m-2 s-1 and more {k}"
        print(d.name[1:], len(d.attrs), hashlib.md5(d[...].tobytes()).hexdigest(), file=out)
        r = np.zeros(4, kind)
        r["a"], r["b"], r["name"] = i, 0.5, b"x"
        d = f.create_dataset(f"r{i}", data=r)
        print(d.name[1:], len(d.attrs), hashlib.md5(d[...].tobytes()).hexdigest(), file=out)
