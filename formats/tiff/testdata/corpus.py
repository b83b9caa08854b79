# SPDX-License-Identifier: BSD-3-Clause
# Makes corpus.txt: the series of third-party TIFF files as tifffile forms them, a line for each level:
# file, series, level, axes, shape, dtype, MD5 of the values (little endian, C order)
# or why tifffile cannot read them.
# Usage: python corpus.py FOLDER...
import glob
import hashlib
import logging
import os
import sys
import numpy as np
import tifffile
import imagecodecs

logging.disable(logging.CRITICAL)
with open("corpus.txt", "w") as out:
    print("# tifffile", tifffile.__version__, "imagecodecs", imagecodecs.__version__, file=out)
    for folder in sys.argv[1:]:
        for path in sorted(glob.glob(folder + "/*.tif*")):
            if path.endswith(".json"):
                continue
            name = os.path.join(os.path.basename(folder), os.path.basename(path))
            with tifffile.TiffFile(path) as t:
                for i, s in enumerate(t.series):
                    for j, level in enumerate(s.levels):
                        try:
                            a = np.ascontiguousarray(level.asarray())
                            a = a.astype(a.dtype.newbyteorder("<"))
                            md5 = hashlib.md5(a.tobytes()).hexdigest()
                            shape, dtype = a.shape, a.dtype.name
                        except Exception as e:
                            md5 = "error:" + repr(e).replace(" ", "_")[:90]
                            shape, dtype = level.shape, str(level.dtype)
                        p = level.pages[0]
                        if p.compression == 7:  # decoders differ by a step or two: 100 values instead
                            flat = a.reshape(-1)
                            md5 = "values:" + ",".join(str(v) for v in flat[np.linspace(0, flat.size - 1, 100).astype(int)])
                        print(name, i, j, level.axes, "x".join(map(str, shape)), dtype, md5, file=out)
