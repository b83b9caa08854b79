# Makes types.nc with netCDF4-python 1.7.5 (netCDF-C 4.9.3) and records.h5 with h5py 3.16 (HDF5 2.0): types of the user's.
import h5py
import netCDF4
import numpy as np

with netCDF4.Dataset("types.nc", "w") as f:
    f.createDimension("x", 3)
    f.createDimension("t", None)
    place = np.dtype([("lat", "f4"), ("lon", "f8")], align=True)
    report = np.dtype([("id", "i4"), ("at", place), ("v", "i2", (2, 3)), ("name", "S1", (8,)), ("big", "u8")], align=True)
    place_t = f.createCompoundType(place, "place_t")
    report_t = f.createCompoundType(report, "report_t")
    sky_t = f.createEnumType("i1", "sky_t", {"clear": -1, "cloud": 0, "rain": 5})
    ints_t = f.createVLType(np.int32, "ints_t")
    a = np.zeros(3, report_t.dtype_view)
    for i in range(3):
        a[i]["id"], a[i]["at"], a[i]["big"] = i, (i + 0.5, -i), 2**64 - 1 - i
        a[i]["v"] = np.arange(6).reshape(2, 3) * i
        a[i]["name"] = "names"[: i + 2]
    f.createVariable("report", report_t, ("x",))[:] = a
    f.createVariable("sky", sky_t, ("t", "x"), fill_value=5)[0:2] = np.array([[-1, 0, 5], [5, 5, -1]], "i1")
    v = f.createVariable("ints", ints_t, ("x",))
    for i in range(3):
        v[i] = np.arange(i, dtype="i4") * 10
    f.createVariable("text", str, ("x",))[:] = np.array(["x", "", "d€"], object)
    f.setncattr("origin", np.array([(1.5, 2.5)], place))
    g = f.createGroup("inner")
    way_t = g.createEnumType("i2", "way_t", {"north": -1, "south": 1})
    g.createVariable("way", way_t, ("x",), zlib=True)[:] = np.array([-1, 1, -1], "i2")
    again = g.createVariable("again", report_t, ("t", "x"), zlib=True)
    again[0], again[1] = a, a[::-1]

with h5py.File("records.h5", "w", libver="v108") as f:
    e = h5py.enum_dtype({"A": 1, "B": 2}, "u1")
    dt = np.dtype([("n", "S10"), ("x", ">f4"), ("b", "?"), ("e", e), ("s", h5py.string_dtype()), ("vl", h5py.vlen_dtype("i2")), ("o", "V3")])
    d = f.create_dataset("mixed", (2,), dt)
    d[0] = (b"first", 1.5, True, 2, 'h"i', np.array([1, 2], "i2"), b"\x01\x02\x03")
    d[1] = (b"0123456789", 2.5, False, 1, "", np.array([], "i2"), b"\xff\x00\x01")
    d.attrs["note"] = np.array([(b"zz", 2**53 + 1)], np.dtype([("n", "S10"), ("k", "i8")]))
    d.attrs["marks"] = np.array([1, 2], dtype=e)
    f.attrs.create("lists", np.array([np.arange(3, dtype="i4"), np.arange(1, dtype="i4")], object), dtype=h5py.vlen_dtype("i4"))
    f["bytes"] = np.array([b"\x01\x02\x03", b"\xff\x00\x01"], "V3")
    f["fixed"] = np.array([b"abc", b"defgh", b""], "S5")
    f["rows"] = np.array([((b"ab", b"cdef"), [1, 2])] * 2, np.dtype([("m", "S4", (2,)), ("k", ">i4", (2,))]))
    w = f.create_dataset("words", (2,), h5py.vlen_dtype(h5py.string_dtype()))
    w[0], w[1] = ["a", "bb"], []
