# SPDX-License-Identifier: BSD-3-Clause
# Makes virtual/*.h5 and virtual.txt: virtual datasets and links with what h5py reads of them.
# Run with h5py 3.16.0 (HDF5 2.0): python virtual.py
import hashlib
import os

import h5py
import numpy as np

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "virtual"))
UNLIMITED = h5py.h5s.UNLIMITED
for i in range(3):
    with h5py.File(f"part_{i}.h5", "w") as f:
        f.create_dataset("d", data=np.arange(20, dtype="i4").reshape(4, 5) + 100 * i, chunks=(2, 5))
with h5py.File("grows.h5", "w") as f:
    f.create_dataset("d", data=np.arange(20, dtype="i4").reshape(4, 5), maxshape=(None, 5), chunks=(2, 5))
    f["s"] = ["a", "bc", "", "é"]


def source(i, name="d", shape=(4, 5)):
    return h5py.VirtualSource(f"part_{i}.h5", name, shape=shape)


for name, libver in [("listed", ("earliest", "v110")), ("latest", "latest")]:
    with h5py.File(f"{name}.h5", "w", libver=libver) as f:
        own = f.create_dataset("own", data=np.arange(10, dtype="i2"))
        lay = h5py.VirtualLayout(shape=(3, 4, 5), dtype="i4")
        for i in range(3):
            lay[i] = source(i)
        f.create_virtual_dataset("stack", lay, fillvalue=-5)
        lay = h5py.VirtualLayout(shape=(14, 5), dtype="i4")
        lay[0:4], lay[5:9] = source(0), source(1)
        lay[10:14] = h5py.VirtualSource("missing.h5", "d", shape=(4, 5))
        f.create_virtual_dataset("gaps", lay, fillvalue=-1)
        lay = h5py.VirtualLayout(shape=(8, 5), dtype="i4")
        lay[0::2], lay[1::2] = source(0), source(2)
        f.create_virtual_dataset("interleaved", lay)
        lay = h5py.VirtualLayout(shape=(2, 5), dtype="i2")
        lay[:, :] = h5py.VirtualSource(".", "own", shape=(10,))
        f.create_virtual_dataset("folded", lay)
        lay = h5py.VirtualLayout(shape=(5, 4), dtype="i4")
        lay[:, 1:3] = h5py.VirtualSource(".", "stack", shape=(3, 4, 5))[1, 0:2, :]
        f.create_virtual_dataset("nested", lay)
        lay = h5py.VirtualLayout(shape=(4, 2), dtype="i4")
        lay[:, 0:2] = source(1)[:, 1:4:2]
        f.create_virtual_dataset("stride", lay)
        lay = h5py.VirtualLayout(shape=(4, 5), maxshape=(None, 5), dtype="i4")
        lay[0:UNLIMITED, :] = h5py.VirtualSource("grows.h5", "d", shape=(4, 5), maxshape=(None, 5))[0:UNLIMITED, :]
        f.create_virtual_dataset("unlimited", lay)
        lay = h5py.VirtualLayout(shape=(6,), dtype=h5py.string_dtype())
        lay[1:5] = h5py.VirtualSource("grows.h5", "s", shape=(4,))
        f.create_virtual_dataset("texts", lay)
        dcpl = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        space = h5py.h5s.create_simple((3, 4, 5), (UNLIMITED, 4, 5))
        space.select_hyperslab((0, 0, 0), (UNLIMITED, 1, 1), (1, 1, 1), (1, 4, 5))
        src = h5py.h5s.create_simple((4, 5))
        src.select_all()
        dcpl.set_virtual(space, b"part_%b.h5", b"d", src)
        h5py.h5d.create(f.id, b"numbered", h5py.h5t.NATIVE_INT32, h5py.h5s.create_simple((1, 4, 5), (UNLIMITED, 4, 5)), dcpl)
        g = f.create_group("links")
        g["d"] = h5py.ExternalLink("part_0.h5", "/d")
        g["again"] = h5py.ExternalLink("/somewhere/else/part_2.h5", "d")
        g["soft"] = h5py.SoftLink("/own")
        g["through"] = h5py.SoftLink("/links/d")
        g["whole"] = h5py.ExternalLink("part_1.h5", "/")
        g["outside"] = h5py.ExternalLink("../../filters.h5", "/deflate")
        g["nowhere"] = h5py.ExternalLink("missing.h5", "/d")
        g["circle"] = h5py.SoftLink("/links/circle")

with h5py.File("grows.h5", "a") as f:
    f["d"].resize(6, 0)
    f["d"][4:] = 7

with open("../virtual.txt", "w") as out:
    print(f"# h5py {h5py.__version__}, HDF5 {h5py.version.hdf5_version}: file, dataset, shape, MD5 of its values or texts", file=out)
    for name in ["listed", "latest"]:
        with h5py.File(f"{name}.h5") as f:
            for k in ["stack", "gaps", "interleaved", "folded", "nested", "stride", "unlimited", "texts", "numbered", "links/d", "links/soft", "links/through", "links/whole/d"]:
                v = f[k][...]
                b = b"|".join(v) if v.dtype == object else v.tobytes()
                print(name, k, "x".join(map(str, v.shape)), hashlib.md5(b).hexdigest(), file=out)
