# Makes short.nc, phony.h5 and golden.json with netCDF4-python 1.7.5 and h5py 3.16:
# what netCDF-C makes of variables shorter than their unlimited dimension, and of plain HDF5.
import json
import h5py
import netCDF4
import numpy as np

d = netCDF4.Dataset("short.nc", "w")
d.createDimension("time", None)
d.createDimension("x", 3)
d.createVariable("time", "f8", ("time",))[:] = np.arange(5)
d.createVariable("b", "f4", ("time", "x"), zlib=True, chunksizes=(2, 2))[:3] = np.arange(9).reshape(3, 3)
d.createVariable("c", "i2", ("time",), fill_value=-7)
d.createVariable("x", "i4", ("time", "x"))[:2] = [[1, 2, 3], [4, 5, 6]]  # a name of a dimension that is not its own
g = d.createGroup("g")
g.createDimension("x", 2)
g.createVariable("y", "i4", ("time", "x"))[:2] = [[1, 2], [3, 4]]
g.createVariable("x", "i4", ("x",))[:] = [8, 9]
d.close()

h = h5py.File("phony.h5", "w")
h["a"] = np.zeros((4, 4), "f4")
h["b"] = np.zeros((4, 6), "i2")
h.create_dataset("u", (4, 6), maxshape=(None, 6), dtype="i8", chunks=(2, 3))
k = h.create_group("k")
k["c"] = np.zeros((6, 4, 9), "u1")
k.create_group("l")["d"] = np.zeros((9, 2), "f8")
h.close()


def tree(g):
    out = {"dims": {n: [len(x), x.isunlimited()] for n, x in g.dimensions.items()}, "vars": {}, "groups": {}}
    for n, v in g.variables.items():
        v.set_auto_mask(False)
        out["vars"][n] = {"dims": list(v.dimensions), "values": v[...].ravel().tolist()}
    for n, s in g.groups.items():
        out["groups"][n] = tree(s)
    return out


json.dump({n: tree(netCDF4.Dataset(n)) for n in ["short.nc", "phony.h5"]}, open("golden.json", "w"), indent=1)
