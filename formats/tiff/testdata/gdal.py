# SPDX-License-Identifier: BSD-3-Clause
# Makes gdal/*.tif and gdal.txt, in the form of corpus.txt: what GDAL writes and tifffile does not read.
import hashlib
import os
import warnings
import numpy as np
import rasterio

warnings.simplefilter("ignore")
rng = np.random.default_rng(12)
os.makedirs("gdal", exist_ok=True)
with open("gdal.txt", "w") as out:
    print("# rasterio", rasterio.__version__, "GDAL", rasterio.__gdal_version__, file=out)
    for dtype in ("complex_int16", "complex64"):
        for order in ("LITTLE", "BIG"):
            a = (rng.integers(-9, 9, (2, 20, 21)) + 1j * rng.integers(-9, 9, (2, 20, 21))).astype("c8")
            name = f"gdal/{dtype}_{order.lower()}.tif"
            with rasterio.open(name, "w", driver="GTiff", width=21, height=20, count=2, dtype=dtype, ENDIANNESS=order,
                               COMPRESS="LZW", PREDICTOR=2) as d:
                d.write(a)
            with rasterio.open(name) as d:
                a = np.ascontiguousarray(np.moveaxis(d.read(), 0, -1))
            print(name, 0, 0, "YXS", "x".join(map(str, a.shape)), a.dtype.name, hashlib.md5(a.tobytes()).hexdigest(), file=out)
