// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// infoDoc is what info --json prints.
type infoDoc struct {
	URI, Format string
	Attrs       map[string]any
	Dims        map[string]struct {
		Size      int64
		Unlimited bool
	}
	Variables map[string]struct {
		Dims        []string
		Shape       []int64
		DType       any
		ByteOrder   *string `json:"byte_order"`
		Chunks      any
		Codecs      []string
		FillValue   any `json:"fill_value"`
		Attrs       map[string]any
		StoredBytes *int64 `json:"stored_bytes"`
		Checksum    *string
		Error       *string
	}
	Groups map[string]infoDoc
	Links  map[string]struct{ Target, Error string }
}

func infoJSON(t *testing.T, args ...string) (infoDoc, int) {
	t.Helper()
	code, out, errs := arrayrun(t, append([]string{"info", "--json"}, args...)...)
	var doc infoDoc
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatalf("info %v: exit %d, %v: %s%s", args, code, err, out, errs)
	}
	return doc, code
}

// TestInfoAgainstNetCDF4 compares checksums, shapes and dimensions with what
// netCDF4-python read from the same files.
func TestInfoAgainstNetCDF4(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(formattest.Corpus(t), "climate", "*.expect.json"))
	if err != nil || len(files) < 10 {
		t.Fatalf("%d expectations, %v", len(files), err)
	}
	compared := 0
	for _, f := range files {
		path := strings.TrimSuffix(f, ".expect.json")
		t.Run(filepath.Base(path), func(t *testing.T) {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			var want struct {
				Root struct {
					Dims map[string][2]any
					Vars map[string]struct {
						Dims []string
						Raw  struct {
							Shape []int64
							DType string
							MD5   string `json:"md5_le_c_order"`
						}
					}
				}
			}
			if err := json.Unmarshal(b, &want); err != nil {
				t.Fatal(err)
			}
			got, code := infoJSON(t, "--checksums", path)
			if code != 0 {
				t.Errorf("exit %d", code)
			}
			for name, d := range want.Root.Dims {
				if g := got.Dims[name]; float64(g.Size) != d[0] || g.Unlimited != d[1] {
					t.Errorf("dimension %s: got %+v, want %v", name, g, d)
				}
			}
			for name, w := range want.Root.Vars {
				g, ok := got.Variables[name]
				switch {
				case !ok:
					t.Errorf("variable %s is missing", name)
				case g.Error != nil:
					t.Errorf("variable %s: %s", name, *g.Error)
				case !slices.Equal(g.Dims, w.Dims):
					t.Errorf("variable %s: dims %v, want %v", name, g.Dims, w.Dims)
				case w.Raw.MD5 == "" || strings.ContainsAny(w.Raw.DType, "O"):
				case !slices.Equal(g.Shape, w.Raw.Shape):
					t.Errorf("variable %s: shape %v, want %v", name, g.Shape, w.Raw.Shape)
				case g.Checksum == nil || *g.Checksum != w.Raw.MD5:
					t.Errorf("variable %s %v: checksum %v, want %s", name, g.DType, g.Checksum, w.Raw.MD5)
				default:
					compared++
				}
			}
		})
	}
	if compared < 100 {
		t.Errorf("%d checksums compared, want 100 or more", compared)
	}
}

// TestChecksumBudget: a small budget reads in smaller pieces and gives the same sum.
func TestChecksumBudget(t *testing.T) {
	path := filepath.Join(formattest.Corpus(t), "climate", "eraint_uvz.nc")
	want, _ := infoJSON(t, "--checksums", path)
	for _, memory := range []string{"20KiB", "100KiB", "3MiB"} {
		got, code := infoJSON(t, "--checksums", "--memory", memory, path)
		for name, v := range got.Variables {
			if v.Error != nil && code == exitBudget {
				continue // says that its chunk does not fit
			}
			if *v.Checksum != *want.Variables[name].Checksum {
				t.Errorf("--memory %s: %s has another checksum", memory, name)
			}
		}
	}
}

func TestInfoErrors(t *testing.T) {
	dir := t.TempDir()
	junk := filepath.Join(dir, "junk.nc")
	if err := os.WriteFile(junk, []byte("not a data set"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, uri := range []string{filepath.Join(dir, "absent.nc"), junk, dir, "gopher://x/y"} {
		code, out, errs := arrayrun(t, "info", uri)
		if code != exitInput || out != "" || !strings.HasPrefix(errs, "arrayrun: ") {
			t.Errorf("info %s: exit %d, stdout %q, stderr %q, want exit 3 and a message", uri, code, out, errs)
		}
	}
}

func TestChunksJSON(t *testing.T) {
	irregular, _ := chunk.IrregularAxis([]int64{2, 5, 1})
	for _, c := range []struct {
		axes    []chunk.Axis
		chunked bool
		want    string
	}{
		{[]chunk.Axis{{Len: 7, Step: 3}, {Len: 5, Step: 9}}, true, "[3,9]"},
		{[]chunk.Axis{irregular, {Len: 5, Step: 3}}, true, "[[2,5,1],[3,2]]"},
		{[]chunk.Axis{{Len: 7, Step: 3}}, false, "null"},
		{nil, true, "[]"},
	} {
		b, err := plainJSON(chunksJSON(&formats.ArrayMeta{Chunked: c.chunked, Grid: chunk.Grid{Axes: c.axes}}))
		if err != nil || string(b) != c.want {
			t.Errorf("chunks of %v: %s, %v, want %s", c.axes, b, err, c.want)
		}
	}
}

func TestJSONValues(t *testing.T) {
	for _, c := range []struct {
		in   any
		want string
	}{
		{float32(0.1), "0.10000000149011612"}, {1.0, "1.0"}, {1e300, "1e+300"}, {int64(1) << 62, "4611686018427387904"},
		{[]float64{1.5, -2}, "[1.5,-2.0]"}, {[]uint8{1, 2}, "[1,2]"}, {"<K & x>", `"<K & x>"`}, {nil, "null"}, {complex(1, -2), "[1.0,-2.0]"},
		{map[string]any{"a": []any{1.0, "x"}}, `{"a":[1.0,"x"]}`}, {[]string{"a", "b"}, `["a","b"]`}, {true, "true"},
		{elementValue(dtype.Float64, []byte{0, 0, 0, 0, 0, 0, 0xf8, 0x7f}), `"NaN"`},
		{elementValue(dtype.Float32, []byte{0, 0, 0x80, 0xff}), `"-Infinity"`},
		{elementValue(dtype.Uint64, []byte{255, 255, 255, 255, 255, 255, 255, 255}), "18446744073709551615"},
		{elementValue(dtype.Int16, []byte{0, 0x80}), "-32768"}, {elementValue(dtype.Bool, []byte{1}), "true"},
	} {
		b, err := plainJSON(jsonValue(c.in))
		if err != nil || string(b) != c.want {
			t.Errorf("%v (%T): got %s, %v, want %s", c.in, c.in, b, err, c.want)
		}
	}
}
