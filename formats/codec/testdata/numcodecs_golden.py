# SPDX-License-Identifier: BSD-3-Clause
# Makes numcodecs.txt: what numcodecs' filters and checksums make of small arrays. One case a line:
# id, configuration, dtype, then in hex the array, its encoding and what that decodes to.
import json
import numpy as np
import numcodecs

rng = np.random.default_rng(7)


def sample(dtype):
    dt = np.dtype(dtype)
    if dt == bool:
        return rng.random(37) < 0.4
    if dt.kind == "f":
        return (rng.standard_normal(37) * 30 + 1000).astype(dt)
    return rng.integers(0, 90, 37).astype(dt)


cases = [("crc32", {}, "<f4"), ("crc32", {"location": "end"}, "<f4"), ("adler32", {}, "<f4"), ("crc32c", {}, "<f4"),
         ("crc32c", {"location": "start"}, "<f4"), ("fletcher32", {}, "<f4"), ("jenkins_lookup3", {}, "<f4"),
         ("jenkins_lookup3", {"initval": 77}, "<f4"), ("packbits", {}, "|b1"), ("shuffle", {"elementsize": 4}, "<f4"),
         ("lz4", {"acceleration": 1}, "<i4"), ("bz2", {"level": 1}, "<i4")]
for dt in ["|i1", "|u1", "<i2", "<u2", "<i4", "<i8", "<u8", "<f2", "<f4", "<f8"]:
    cases.append(("delta", {"dtype": dt}, dt))
cases.append(("delta", {"dtype": "<i8", "astype": "<i2"}, "<i8"))
cases.append(("delta", {"dtype": "<f8", "astype": "<f4"}, "<f8"))
for dt, at, off, sc in [("<f4", "<i2", 1000, 10), ("<f8", "|u1", 900, 1), ("<f8", "<i4", 0.5, 100.0), ("<f4", "<f4", 1000, 10),
                        ("<f8", "<f4", 1000, 10), ("<i4", "<i2", 5, 3), ("<f2", "<i2", 1000, 1)]:
    cases.append(("fixedscaleoffset", {"offset": off, "scale": sc, "dtype": dt, "astype": at}, dt))
for dt, at, d in [("<f4", "<f4", 1), ("<f8", "<f4", 2), ("<f8", "<f8", 3), ("<f2", "<f2", 0), ("<f4", "<f4", -1)]:
    cases.append(("quantize", {"digits": d, "dtype": dt, "astype": at}, dt))
for dt, keep in [("<f2", 3), ("<f4", 5), ("<f4", 0), ("<f4", 23), ("<f8", 10)]:
    cases.append(("bitround", {"keepbits": keep}, dt))
for dec, enc in [("<f4", "<f8"), ("<f8", "<f4"), ("<i4", "<i2"), ("<i2", "<f4"), ("<f4", "<f2"), ("<u8", "<i4"), ("<i8", "<f4")]:
    cases.append(("astype", {"encode_dtype": enc, "decode_dtype": dec}, dec))

with open("numcodecs.txt", "w") as f:
    print("# numcodecs", numcodecs.__version__, "numpy", np.__version__, file=f)
    for cid, cfg, dt in cases:
        a = sample(dt)
        c = numcodecs.get_codec({"id": cid, **cfg})
        enc = np.frombuffer(bytes(memoryview(np.ascontiguousarray(np.frombuffer(c.encode(a), "u1")) if isinstance(c.encode(a), (bytes, bytearray)) else np.ascontiguousarray(c.encode(a)).view("u1"))), "u1")
        dec = c.decode(enc.copy() if cid != "bitround" else enc.view(np.dtype(dt)).copy())
        dec = np.frombuffer(dec, "u1") if isinstance(dec, (bytes, bytearray, memoryview)) else np.ascontiguousarray(dec).view("u1")
        print(cid, json.dumps(cfg, separators=(",", ":")), dt, a.tobytes().hex(), enc.tobytes().hex(), dec.tobytes().hex(), file=f)
