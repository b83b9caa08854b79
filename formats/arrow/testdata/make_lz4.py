# SPDX-License-Identifier: BSD-3-Clause
"""Makes hadoop_lz4.parquet and old_lz4.parquet, whose pages have the codec LZ4 as Hadoop frames it and as bare blocks, with
fastparquet, and expect_lz4.json with the MD5 of each column's values as pyarrow reads them.

    python make_lz4.py      # fastparquet 2026.9.0, cramjam 2.14.0, pandas 3.1.1, pyarrow 26.0.1, numpy 2.4.6
"""
import hashlib
import json
import os
import struct

import fastparquet
import fastparquet.compression as compression
import numpy as np
import pandas as pd
import pyarrow.parquet as pq

os.chdir(os.path.dirname(os.path.abspath(__file__)))
bare = compression.compressions["LZ4"]


def framed(b):
    """Pieces of at most 300 bytes, each behind its length and that of its block."""
    out = b""
    for i in range(0, len(b), 300):
        block = bare(b[i:i + 300])
        out += struct.pack(">II", len(b[i:i + 300]), len(block)) + block
    return out


rng = np.random.default_rng(5)
table = pd.DataFrame({"i": np.arange(200) // 3, "f": rng.normal(size=200).astype("f4"), "s": ["é%d" % (i % 7) for i in range(200)],
                      "n": np.where(np.arange(200) % 5, np.arange(200.0), np.nan)})
want = {}
for name, compress in ("old_lz4.parquet", bare), ("hadoop_lz4.parquet", framed):
    compression.compressions["LZ4"] = compress
    fastparquet.write(name, table, compression="LZ4", row_group_offsets=90, object_encoding={"s": "utf8"})
    read = pq.read_table(name)
    sums = {}
    for c in read.column_names:
        a = read[c]
        b = "\0".join(a.to_pylist()).encode() if c == "s" else a.to_numpy().tobytes()
        sums[c] = hashlib.md5(b).hexdigest()
    want[name] = sums
with open("expect_lz4.json", "w") as f:
    json.dump(want, f, indent=0)
