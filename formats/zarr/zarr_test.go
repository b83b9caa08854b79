// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
	"github.com/arrayrun/arrayrun/formats/store"
)

func TestFormat(t *testing.T) {
	for _, member := range []string{"zarr3", "zarr2"} {
		t.Run(member, func(t *testing.T) {
			formattest.Format(t, Format, formattest.Options{Ext: ".zarr", Member: member, Attrs: true, Dims: true, Strings: true, Chunked: true})
		})
	}
	t.Run("shards", func(t *testing.T) {
		formattest.Format(t, Format, formattest.Options{Ext: ".zarr", Attrs: true, Dims: true, Strings: true, Sharded: true, Codecs: []string{"", "blosc-lz4", "blosc-zstd:3"}})
	})
}

// openDocs opens a hierarchy made of documents and chunks.
func openDocs(t *testing.T, docs map[string]string) (*formats.Group, error) {
	t.Helper()
	m := &store.Memory{}
	for k, v := range docs {
		if err := m.Put(context.Background(), k, []byte(v), store.PutOpt{}); err != nil {
			t.Fatal(err)
		}
	}
	return OpenStore(context.Background(), m)
}

const head = `{"zarr_format":3,"node_type":"array","chunk_key_encoding":{"name":"default"},"attributes":{},`

// Every spelling of a fill value, as the bytes of an element that was never written.
func TestFillValues(t *testing.T) {
	for _, c := range []struct{ typ, fill, want string }{
		{`"bool"`, `true`, "01"}, {`"int8"`, `-1`, "ff"}, {`"uint64"`, `18446744073709551615`, "ffffffffffffffff"},
		{`"int64"`, `-9223372036854775808`, "0000000000000080"}, {`"float32"`, `"NaN"`, "0000c07f"}, {`"float32"`, `"0x7fc00001"`, "0100c07f"},
		{`"float32"`, `"-Infinity"`, "000080ff"}, {`"float64"`, `-0.0`, "0000000000000080"}, {`"float16"`, `1.5`, "003e"}, {`"bfloat16"`, `1.5`, "c03f"},
		{`"float64"`, `"NaN"`, "000000000000f87f"}, {`"float64"`, `NaN`, "000000000000f87f"}, {`"complex64"`, `["NaN", 1]`, "0000c07f0000803f"}, {`"r24"`, `[1, 2, 3]`, "010203"}, {`{"name":"raw_bytes","configuration":{"length_bytes":2}}`, `"AQI="`, "0102"},
		{`{"name":"null_terminated_bytes","configuration":{"length_bytes":3}}`, `"YWI="`, "616200"},
		{`{"name":"fixed_length_utf32","configuration":{"length_bytes":8}}`, `"é"`, "e900000000000000"},
		{`{"name":"numpy.datetime64","configuration":{"unit":"s","scale_factor":1}}`, `"NaT"`, "0000000000000080"},
		{`{"name":"struct","configuration":{"fields":[{"name":"a","data_type":"int16"},{"name":"b","data_type":"float32"}]}}`, `{"a":1,"b":"NaN"}`, "01000000c07f"},
		{`{"name":"structured","configuration":{"fields":[["a","int16"],["b","uint8"]]}}`, `"AQAC"`, "010002"},
		{`"int8"`, `300`, "error"}, {`"int8"`, `"x"`, "error"}, {`"float32"`, `"0x"`, "error"}, {`"bool"`, `7`, "error"}, {`"r8"`, `[256]`, "error"},
		{`"complex64"`, `[1,2,3]`, "error"}, {`"uint8"`, `-1`, "error"}, {`"int4"`, `0`, "error"},
	} {
		g, err := openDocs(t, map[string]string{"zarr.json": head + `"shape":[1],"chunk_grid":{"name":"regular","configuration":{"chunk_shape":[1]}},
			"codecs":["bytes"],"data_type":` + c.typ + `,"fill_value":` + c.fill + `}`})
		if err != nil {
			t.Fatal(err)
		}
		v := g.Vars[0]
		if c.want == "error" {
			if !errors.Is(v.Err, formats.ErrCorrupt) && !errors.Is(v.Err, formats.ErrFormat) {
				t.Errorf("%s with fill %s: %v, want an error", c.typ, c.fill, v.Err)
			}
			continue
		}
		if v.Err != nil {
			t.Errorf("%s with fill %s: %v", c.typ, c.fill, v.Err)
			continue
		}
		got, err := formattest.ReadAll(context.Background(), v.Source)
		if err != nil || hex.EncodeToString(got.Bytes()) != c.want {
			t.Errorf("%s with fill %s reads as %x, %v, want %s", c.typ, c.fill, got.Bytes(), err, c.want)
		}
	}
}

// What is refused is refused by name, and its neighbours stay readable.
func TestRefusals(t *testing.T) {
	array := func(codecs, more string) string {
		return head + more + `"shape":[4],"chunk_grid":{"name":"regular","configuration":{"chunk_shape":[2]}},"codecs":` + codecs + `,"data_type":"int16","fill_value":0}`
	}
	g, err := openDocs(t, map[string]string{
		"zarr.json":      `{"zarr_format":3,"node_type":"group","attributes":{"z":1,"a":2}}`,
		"good/zarr.json": array(`["bytes"]`, ``), "codec/zarr.json": array(`["bytes",{"name":"zfp"}]`, ``), "none/zarr.json": array(`[]`, ``),
		"ext/zarr.json": array(`["bytes"]`, `"my_extension":{"name":"x"},`), "soft/zarr.json": array(`["bytes"]`, `"my_extension":{"must_understand":false},`),
		"broken/zarr.json": `{"zarr_format":3,`, "notes/readme.txt": "hello", "v4/zarr.json": `{"zarr_format":4,"node_type":"array"}`,
		"two/zarr.json": array(`["bytes","bytes"]`, ``), "trans/zarr.json": array(`["bytes"]`, `"storage_transformers":[{"name":"x"}],`),
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Attrs) != 2 || g.Attrs[0].Name != "z" {
		t.Errorf("attributes %v lost their order", g.Attrs)
	}
	want := map[string]string{"good": "", "soft": "", "codec": "zfp", "none": "none of them makes bytes", "ext": "my_extension", "broken": "no member name", "v4": "zarr_format 4",
		"two": "bytes", "trans": "storage transformers"}
	if len(g.Vars) != len(want) {
		t.Errorf("%d variables, want %d", len(g.Vars), len(want))
	}
	for _, v := range g.Vars {
		text := want[v.Name]
		switch {
		case text == "" && v.Err != nil:
			t.Errorf("%s: %v", v.Name, v.Err)
		case text != "" && (v.Err == nil || !strings.Contains(v.Err.Error(), text)):
			t.Errorf("%s: %v, want an error that names %q", v.Name, v.Err, text)
		}
	}
}

// Chunks of nothing but the fill value are not stored; what is stored has the attributes other readers expect.
func TestWritten(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "x.zarr")
	shape := chunk.Shape{4}
	g := chunk.Regular(shape, 2)
	nan := []byte{0, 0, 0xc0, 0x7f}
	w, err := Create(ctx, path, formats.Spec{Attrs: formats.Attrs{{Name: "b", Value: 1.0}, {Name: "a", Value: []float32{0.1}}}, Vars: []formats.VarSpec{
		{Name: "deep/er/v", Dims: []string{"x"}, Shape: shape, DType: dtype.Float32, Grid: &g, Fill: nan, Attrs: formats.Attrs{{Name: "_FillValue", Value: float32(math.NaN())}}}}})
	if err != nil {
		t.Fatal(err)
	}
	data := formattest.New(dtype.Float32, 4, shape)
	formats.FillElems(data, nan)
	chunk.Slice[float32](data)[3] = 1
	if err := formattest.Write(ctx, w, []*chunk.Chunk{data}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(path, "deep/er/v/c/0")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a chunk of fill values was stored (%v)", err)
	}
	r, err := Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	v := find(r, "deep/er/v")
	if f, _ := v.Attrs.Get("_FillValue"); f != "AAAAAAAA+H8=" {
		t.Errorf("_FillValue = %v, want base64 of a float64 NaN", f)
	}
	if a, _ := r.Attrs.Get("a"); fmt.Sprintf("%T %v", a, a) != "[]float32 [0.1]" {
		t.Errorf("a float32 attribute came back as %T %v", a, a)
	}
	if b, err := os.ReadFile(filepath.Join(path, "zarr.json")); err != nil || !strings.Contains(string(b), "[0.10000000149011612]") {
		t.Errorf("a float32 attribute was not written with its exact value: %s, %v", b, err)
	}
	got, err := formattest.ReadAll(ctx, v.Source)
	if err != nil || hex.EncodeToString(got.Bytes()) != "0000c07f0000c07f0000c07f0000803f" {
		t.Errorf("read %x, %v", got.Bytes(), err)
	}
	if n, err := v.Source.(formats.Sizer).StoredBytes(ctx); err != nil || n < 8 || n > 64 {
		t.Errorf("StoredBytes = %d, %v", n, err)
	}
	for _, name := range []string{"../x", "a//b", ".zarray", "", "__x", "zarr.json"} {
		if _, err := Create(ctx, filepath.Join(t.TempDir(), "y.zarr"), formats.Spec{Vars: []formats.VarSpec{{Name: name, DType: dtype.Int8}}}); !errors.Is(err, formats.ErrFormat) {
			t.Errorf("a variable named %q = %v, want ErrFormat", name, err)
		}
	}
	home := t.TempDir()
	os.WriteFile(filepath.Join(home, "thesis.tex"), nil, 0o666)
	if _, err := Create(ctx, home, formats.Spec{Overwrite: true}); !errors.Is(err, formats.ErrExists) {
		t.Errorf("overwriting a folder of other files = %v, want ErrExists", err)
	}
}

// Damaged shards of the corpus: any index and any data.
func TestDamagedShards(t *testing.T) {
	dir := formattest.Corpus(t)
	ctx := context.Background()
	r := rand.New(rand.NewPCG(9, 9))
	for _, name := range []string{"zarr/zarrs_sharded.zarr/group/array", "written/ts_shard", "written/n34_sub"} {
		m := &store.Memory{}
		root := filepath.Join(dir, name)
		var keys []string
		filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				b, _ := os.ReadFile(p)
				k, _ := filepath.Rel(root, p)
				m.Put(ctx, filepath.ToSlash(k), b, store.PutOpt{})
				if filepath.Base(p) != "zarr.json" {
					keys = append(keys, filepath.ToSlash(k))
				}
			}
			return nil
		})
		for range 300 {
			k := keys[r.IntN(len(keys))]
			good, _ := m.Get(ctx, k, store.All, -1, nil)
			bad := bytes.Clone(good)
			if r.IntN(4) == 0 {
				bad = bad[:r.IntN(len(bad))]
			} else {
				bad[r.IntN(len(bad))] ^= 1 << r.IntN(8)
			}
			m.Put(ctx, k, bad, store.PutOpt{})
			g, err := OpenStore(ctx, m)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range g.Vars {
				if _, err := formattest.ReadAll(ctx, v.Source); err != nil && !errors.Is(err, formats.ErrCorrupt) {
					t.Errorf("%s: %s damaged: %v, want ErrCorrupt", name, k, err)
				}
			}
			m.Put(ctx, k, good, store.PutOpt{})
		}
	}
}

// Any metadata document and any chunk: values or errors, never a panic.
func FuzzOpen(f *testing.F) {
	f.Add([]byte(head+`"shape":[4,2],"chunk_grid":{"name":"regular","configuration":{"chunk_shape":[2,2]}},"codecs":[{"name":"transpose","configuration":{"order":[1,0]}},"bytes",{"name":"gzip","configuration":{"level":1}}],"data_type":"int16","fill_value":0}`), []byte("x"))
	f.Add([]byte(head+`"shape":[4],"chunk_grid":{"name":"rectilinear","configuration":{"kind":"inline","chunk_shapes":[[[2,1],2]]}},"codecs":["bytes"],"data_type":"int16","fill_value":0}`), []byte("abcd"))
	f.Add([]byte(head+`"shape":[4],"chunk_grid":{"name":"regular","configuration":{"chunk_shape":[4]}},"codecs":[{"name":"sharding_indexed","configuration":{"chunk_shape":[2],"codecs":["bytes"],"index_codecs":["bytes","crc32c"]}}],"data_type":"int16","fill_value":0}`), make([]byte, 40))
	f.Add([]byte(head+`"shape":[2],"chunk_grid":{"name":"regular","configuration":{"chunk_shape":[2]}},"codecs":["vlen-utf8"],"data_type":"string","fill_value":""}`), []byte("\x02\x00\x00\x00\x01\x00\x00\x00a\x00\x00\x00\x00"))
	f.Add([]byte(`{"zarr_format":2,"shape":[2],"chunks":[2],"dtype":[["a","<i2"],["b",">f4",[2]]],"order":"F","filters":[{"id":"shuffle"}],"compressor":null,"fill_value":"AAAA"}`), []byte("ab"))
	for _, codecs := range []string{`{"name":"numcodecs.delta","configuration":{"dtype":"<i2","astype":"<i4"}},"bytes"`, `{"name":"numcodecs.fixedscaleoffset","configuration":{"offset":1,"scale":2.5,"dtype":"<i2","astype":"|u1"}},"bytes"`,
		`{"name":"cast_value","configuration":{"data_type":"float32","out_of_range":"wrap","scalar_map":{"decode":[["NaN",0]]}}},{"name":"bytes","configuration":{"endian":"big"}}`,
		`{"name":"scale_offset","configuration":{"offset":5,"scale":2}},"bytes","blosc"`, `{"name":"packbits","configuration":{"first_bit":1,"last_bit":4}}`} {
		f.Add([]byte(head+`"shape":[4],"chunk_grid":{"name":"regular","configuration":{"chunk_shape":[4]}},"codecs":[`+codecs+`],"data_type":"int16","fill_value":0}`), make([]byte, 16))
	}
	f.Fuzz(func(t *testing.T, doc, data []byte) {
		ctx := context.Background()
		m := &store.Memory{}
		for _, k := range []string{"zarr.json", ".zarray"} {
			m.Put(ctx, k, doc, store.PutOpt{})
		}
		for _, k := range []string{"c/0", "c/0/0", "c", "0", "0.0"} {
			m.Put(ctx, k, data, store.PutOpt{})
		}
		g, err := OpenStore(ctx, m)
		if err != nil {
			return
		}
		for _, v := range g.Vars {
			if v.Source == nil {
				continue
			}
			meta := v.Source.Meta()
			if n, err := meta.Grid.MaxChunk().Bytes(int64(max(1, meta.ItemBytes))); err != nil || n > 1<<16 || meta.Grid.Len() == 0 || v.Source.ScratchBytes() > 1<<24 {
				continue
			}
			k := meta.Grid.At(0, nil)
			dst := formattest.New(meta.DType, meta.ItemBytes, meta.Grid.Region(k).Shape())
			v.Source.ReadChunk(ctx, k, dst)
		}
	})
}
