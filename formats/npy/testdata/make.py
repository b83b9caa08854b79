# Makes the .npy and .npz files beside it and expect.json: for each array its shape, dtype and the MD5 of its
# little-endian bytes in C order. Run with NumPy 2.4.6.
import hashlib, json, os
import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(7)
arrays = {}
for order in "<>":
    for code in "i2 i4 i8 u2 u4 u8 f2 f4 f8 c8 c16".split():
        a = (rng.standard_normal((5, 7)) * 100).astype(order + code)
        arrays[f"{'le' if order == '<' else 'be'}_{code}"] = a
arrays["bool"] = rng.integers(0, 2, (3, 4)).astype(bool)
arrays["i1"] = rng.integers(-128, 127, (11,)).astype("i1")
arrays["fortran"] = np.asfortranarray(rng.standard_normal((4, 5, 6)))
arrays["fortran_be"] = np.asfortranarray(rng.standard_normal((6, 3)).astype(">f4"))
arrays["scalar"] = np.array(3.5)
arrays["empty"] = np.zeros((0, 3), "f4")
arrays["bytes"] = np.array([b"abc", b"", b"defgh"], "S5")
arrays["text"] = np.array(["é", "", "日本語"], "<U3")
arrays["text_be"] = np.array(["é", "", "日本語"], ">U3")
arrays["time"] = np.array(["2001-03-01", "NaT"], "M8[D]")
arrays["record"] = np.array([(1, 2.5, [1, 2]), (3, 4.5, [3, 4])], [("a", ">i2"), ("b", ">f8"), ("c", ">i4", (2,))])

expect = {}
def note(file, name, a):
    little = a.astype(a.dtype.newbyteorder("<")) if a.dtype.kind != "V" or a.dtype.names else a
    expect.setdefault(file, {})[name] = {"shape": list(a.shape), "md5": hashlib.md5(np.ascontiguousarray(little).tobytes()).hexdigest()}

for name, a in arrays.items():
    np.save(os.path.join(here, name + ".npy"), a)
    note(name + ".npy", "data", a)
for v in (2, 3):
    with open(os.path.join(here, f"v{v}.npy"), "wb") as f:
        np.lib.format.write_array(f, arrays["le_f4"], version=(v, 0))
    note(f"v{v}.npy", "data", arrays["le_f4"])
np.savez(os.path.join(here, "stored.npz"), **arrays)
np.savez_compressed(os.path.join(here, "deflated.npz"), **arrays)
for f in ("stored.npz", "deflated.npz"):
    for name, a in arrays.items():
        note(f, name, a)
json.dump(expect, open(os.path.join(here, "expect.json"), "w"), indent=1, sort_keys=True)
