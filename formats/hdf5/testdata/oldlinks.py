# SPDX-License-Identifier: BSD-3-Clause
# Makes oldlinks.h5: a group of the first kind, a symbol table, with soft links to a dataset, to a group's dataset and to nothing, and
# a link upwards. Run with h5py 3.16.0 (HDF5 2.0).
import h5py
import numpy as np

with h5py.File("oldlinks.h5", "w", libver="earliest") as f:
    f["a"] = np.array([1, 2], "i1")
    f["g/inner"] = np.array([3], "i1")
    f["to_a"] = h5py.SoftLink("/a")
    f["to_inner"] = h5py.SoftLink("g/inner")
    f["to_nothing"] = h5py.SoftLink("/a/gone")
    f["g/up"] = h5py.SoftLink("/")
