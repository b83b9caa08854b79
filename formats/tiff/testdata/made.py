# SPDX-License-Identifier: BSD-3-Clause
# Makes made/*.tif and made.txt, in the form of corpus.txt: what third-party files lack.
import hashlib
import os
import numpy as np
import PIL
import tifffile
from PIL import Image

rng = np.random.default_rng(11)
os.makedirs("made", exist_ok=True)


def smooth(shape, dtype):
    a = np.cumsum(rng.integers(-2, 3, shape), axis=-1)
    if np.dtype(dtype).kind == "f":
        return (a * 0.25 + 280).astype(dtype)
    return (a + 70).astype(dtype)


def write(name, a, **kw):
    tifffile.imwrite(f"made/{name}.tif", a, **{"metadata": None, **kw})


for order in "<>":
    n = {"<": "le", ">": "be"}[order]
    write(f"zstd_tiles_{n}", smooth((70, 90), "u2"), byteorder=order, tile=(32, 48), compression="zstd", predictor=True)
    write(f"lzw_pred3_{n}", smooth((40, 50, 3), "f4"), byteorder=order, photometric="rgb", compression="lzw", predictor=3, rowsperstrip=7)
    write(f"f8_pred3_{n}", smooth((20, 30), "f8"), byteorder=order, tile=(16, 16), compression="zlib", predictor=3)
    write(f"i8_pred2_{n}", smooth((20, 30), "i8"), byteorder=order, compression="zlib", predictor=2)
    write(f"c16_{n}", (smooth((9, 11), "f8") + 1j * smooth((9, 11), "f8")), byteorder=order, compression="zlib")
    write(f"c8_{n}", (smooth((9, 11), "f4") + 1j * smooth((9, 11), "f4")).astype("c8"), byteorder=order)
    write(f"imagej_{n}", smooth((3, 2, 4, 10, 12), "u2"), byteorder=order, imagej=True, metadata={"axes": "TZCYX", "unit": "um", "spacing": 0.5})
write("planar_tiles", smooth((3, 40, 50), "u1"), photometric="rgb", planarconfig="separate", tile=(16, 16), compression="packbits")
write("big_pages", smooth((5, 20, 30), "i4"), bigtiff=True, compression="zlib")
write("shaped", smooth((2, 3, 20, 30), "f4"), metadata={"axes": "TCYX"})
write("shaped_noaxes", smooth((2, 3, 20, 30), "u1"), metadata={})
write("imagej_rgb", smooth((4, 10, 12, 3), "u1"), imagej=True, metadata={"axes": "ZYXS"})
tifffile.imwrite("made/ome.ome.tif", smooth((2, 3, 4, 16, 18), "u2"), compression="zlib",
                 metadata={"axes": "TCZYX", "PhysicalSizeX": 0.25, "PhysicalSizeXUnit": "µm", "Channel": {"Name": ["a", "b", "c"]}})
tifffile.imwrite("made/ome_rgb.ome.tif", smooth((2, 16, 18, 3), "u1"), photometric="rgb", metadata={"axes": "ZYXS"})
with tifffile.TiffWriter("made/pyramid.ome.tif") as t:
    a = smooth((3, 64, 80), "u2")
    t.write(a, subifds=2, tile=(32, 32), compression="zlib", metadata={"axes": "CYX"})
    t.write(a[:, ::2, ::2], subfiletype=1, tile=(32, 32), compression="zlib")
    t.write(a[:, ::4, ::4], subfiletype=1, tile=(16, 16), compression="zlib")
with tifffile.TiffWriter("made/cog.tif") as t:
    a = smooth((64, 80), "i2")
    t.write(a, tile=(16, 16), compression="zlib", metadata=None, extratags=[
        (33550, 12, 3, (0.5, 0.25, 0.0)), (33922, 12, 6, (0.0, 0.0, 0.0, -10.0, 50.0, 0.0)),
        (34735, 3, 20, (1, 1, 0, 4, 1024, 0, 1, 2, 2048, 0, 1, 4326, 2049, 34737, 7, 0, 2057, 34736, 1, 0)),
        (34736, 12, 1, (6378137.0,)), (34737, 2, 8, "WGS 84|\0"), (42113, 2, 7, "-32768\0"),
        (42112, 2, 0, '<GDALMetadata>\n  <Item name="OFFSET" sample="0" role="offset">273.15</Item>\n  <Item name="SCALE" sample="0" role="scale">0.01</Item>\n'
                      '  <Item name="SENSOR">MSI &amp; more</Item>\n</GDALMetadata>\0')])
    t.write(a[::2, ::2], subfiletype=1, tile=(16, 16), compression="zlib", metadata=None)
write("jpeg_gray", smooth((33, 45), "u1"), compression="jpeg", rowsperstrip=16)
write("jpeg_420", np.repeat(np.repeat(smooth((20, 20, 3), "u1"), 3, 0), 3, 1)[:51, :53], photometric="rgb", compression="jpeg", compressionargs={"level": 90}, subsampling=(2, 2), tile=(32, 32))
write("jpeg_rgb", smooth((33, 45, 3), "u1"), photometric="rgb", compression="jpeg", compressionargs={"level": 95, "outcolorspace": "RGB"})
write("mask", rng.random((19, 27)) < 0.3)
# every run of facsimile
runs = np.concatenate([np.arange(0, 64), np.arange(64, 2561, 64), np.arange(64, 2561, 192) + 5])
rows = []
for r in runs:
    for first in (0, 1):
        row = np.zeros(2700, bool)
        row[r:] = True
        rows.append(row ^ bool(first))
for _ in range(30):
    rows.append(np.repeat(rng.random(2700) < 0.5, rng.integers(1, 40, 2700))[:2700])
fax = np.array(rows)
for name, comp, extra in [("g4", "group4", {}), ("g3", "group3", {}), ("g3_2d", "group3", {292: 1}), ("g3_rle", "tiff_ccitt", {})]:
    Image.fromarray(fax).save(f"made/{name}.tif", compression=comp, tiffinfo=extra)
# axes of length 1; pixels behind each other with a directory for each page
write("shaped_ones", smooth((2, 1, 3, 12, 14), "i2"), metadata={}, compression="zlib")
write("shaped_behind", smooth((2, 2, 2, 13, 17), "u2"), metadata={})
# an image whose planes lie in three files
parts = [f"part_{i}.ome.tif" for i in range(3)]
ids = [f"urn:uuid:00000000-0000-4000-8000-00000000000{i}" for i in range(3)]
data = "".join(f'<TiffData IFD="0" FirstZ="{i}" FirstC="0" FirstT="0" PlaneCount="1"><UUID FileName="{n}">{u}</UUID></TiffData>'
               for i, (n, u) in enumerate(zip(parts, ids)))
for i, (n, u) in enumerate(zip(parts, ids)):
    tifffile.imwrite("made/" + n, smooth((8, 9), "u2") + i, metadata=None, byteorder="<><"[i], description=(
        '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="' + u + '">'
        '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="9" SizeY="8" SizeZ="3" SizeC="1" SizeT="1">'
        '<Channel ID="Channel:0:0" SamplesPerPixel="1"/>' + data + "</Pixels></Image></OME>"))
# reduced copies in the lists of pages of a stack that tifffile describes
with tifffile.TiffWriter("made/shaped_subs.tif") as t:
    a = smooth((2, 48, 64), "u2")
    t.write(a, subifds=2, tile=(16, 16), compression="zlib", metadata={"axes": "ZYX"})
    t.write(a[:, ::2, ::2], subfiletype=1, tile=(16, 16), compression="zlib")
    t.write(a[:, ::4, ::4], subfiletype=1, tile=(16, 16), compression="zlib")

with open("made.txt", "w") as out:
    print("# tifffile", tifffile.__version__, "pillow", PIL.__version__, file=out)
    for f in sorted(os.listdir("made")):
        with tifffile.TiffFile("made/" + f) as t:
            for i, s in enumerate(t.series):
                for j, level in enumerate(s.levels):
                    a = fax if f.startswith("g") else np.ascontiguousarray(level.asarray())
                    if f.startswith("g") and level.pages[0].photometric == 0:
                        a = ~a
                    a = a.astype(a.dtype.newbyteorder("<"))
                    v = hashlib.md5(a.tobytes()).hexdigest()
                    if level.pages[0].compression == 7:
                        flat = a.reshape(-1)
                        v = "values:" + ",".join(str(v) for v in flat[np.linspace(0, flat.size - 1, 100).astype(int)])
                    print("made/" + f, i, j, level.axes, "x".join(map(str, a.shape)), a.dtype.name, v, file=out)
