# SPDX-License-Identifier: BSD-3-Clause
"""Makes views_*.arrow, which pyarrow wrote, polars*.arrow, which Polars wrote, and empty.parquet of pandas: texts as views, a table without rows. The
views' texts are those of TestViews.

    python make_views.py      # pyarrow 26.0.1, polars 2.1.0, pandas 3.1.1
"""
import os

import pandas as pd
import polars as pl
import pyarrow as pa

os.chdir(os.path.dirname(os.path.abspath(__file__)))
texts = ["short", "exactly 12 b", "one of 13 byt", None, "", "a text that is longer than twelve bytes", "日本語の文字列です", "short"] * 50
texts = [t if t is None or i % 7 else t + str(i) for i, t in enumerate(texts)]
raw = [None if t is None else t.encode() for t in texts]
n = list(range(len(texts)))
long = pa.array(["x" * 100 + str(i) for i in range(100)] + texts, pa.string_view())[100:]  # the buffers of views hold more than these need
for codec in (None, "lz4", "zstd"):
    t = pa.table({"t": pa.array(texts, pa.string_view()), "n": n, "b": pa.array(raw, pa.binary_view()), "long": long})
    with pa.ipc.new_file(f"views_{codec}.arrow", t.schema, options=pa.ipc.IpcWriteOptions(compression=codec)) as w:
        w.write_table(t, max_chunksize=300)
df = pl.DataFrame({"t": texts, "n": n, "b": raw, "long": pl.Series(texts, dtype=pl.Categorical)})
df.write_ipc("polars.arrow")
df.write_ipc("polars_zstd.arrow", compression="zstd")
pd.DataFrame({"t": texts, "n": n}).iloc[:0].to_parquet("empty.parquet")
