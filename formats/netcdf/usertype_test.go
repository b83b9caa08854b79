// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
)

// specOf describes an open group as an output, with the values of its variables.
func specOf(t *testing.T, g *formats.Group, at string, spec *formats.Spec, data *[]*chunk.Chunk) {
	t.Helper()
	if at == "" {
		spec.Attrs, spec.Dims, spec.Types = g.Attrs, g.Dims, g.Types
	} else {
		spec.Groups = append(spec.Groups, formats.GroupSpec{Path: at, Attrs: g.Attrs, Dims: g.Dims, Types: g.Types})
	}
	for _, v := range g.Vars {
		if v.Err != nil {
			t.Fatal(v.Err)
		}
		m := v.Source.Meta()
		spec.Vars = append(spec.Vars, formats.VarSpec{Name: joinName(at, v.Name), Dims: v.Dims, Shape: m.Shape, DType: m.DType, ItemBytes: m.ItemBytes,
			Attrs: v.Attrs, Fill: m.Fill, Stored: m.Stored, Codec: "zlib:1"})
		c, err := readAll(v.Source)
		if err != nil {
			t.Fatal(err)
		}
		*data = append(*data, c)
	}
	for _, s := range g.Groups {
		specOf(t, s.Group, joinName(at, s.Name), spec, data)
	}
}

func described(t *testing.T, path string) (spec formats.Spec, data []*chunk.Chunk) {
	t.Helper()
	g, err := openAny(path)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	specOf(t, g, "", &spec, &data)
	return spec, data
}

// TestUserTypes writes files with types of all kinds again: we, and netCDF-C where it reads such at all, see the same in both.
func TestUserTypes(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"types.nc", "records.h5"} {
		from, to := filepath.Join("testdata", name), filepath.Join(dir, name)
		spec, data := described(t, from)
		write(t, to, spec, data)
		spec2, data2 := described(t, to)
		if name == "types.nc" && !(len(spec.Types) == 4 && len(spec.Groups) == 1 && len(spec.Groups[0].Types) == 1) {
			t.Fatalf("types %v, groups %v, want 4 and one group with one", spec.Types, spec.Groups)
		}
		for i := range spec2.Vars {
			v := &spec2.Vars[i]
			v.Fill = spec.Vars[i].Fill // the format's own may be written down
			if strings.Contains(typeKey(spec.Vars[i].Stored), " S") {
				v.Stored = spec.Vars[i].Stored // fixed texts in records are characters there
			}
		}
		if name == "types.nc" && !reflect.DeepEqual(spec, spec2) {
			t.Errorf("%s: read back\n%+v\nwant\n%+v", name, spec2, spec)
		}
		for i, c := range data {
			if c.DType == dtype.String {
				for k := range c.Shape.Size() {
					if got, want := formats.Text(data2[i], k), formats.Text(c, k); string(got) != string(want) {
						t.Errorf("%s: %s[%d] = %s, want %s", name, spec.Vars[i].Name, k, got, want)
					}
				}
			} else if !reflect.DeepEqual(c.Bytes(), data2[i].Bytes()) {
				t.Errorf("%s: %s: other values than were written", name, spec.Vars[i].Name)
			}
		}
		for i, v := range spec.Vars {
			for k, a := range v.Attrs {
				if got := spec2.Vars[i].Attrs[k]; got.Name != a.Name || !reflect.DeepEqual(got.Value, a.Value) || got.Type == nil {
					t.Errorf("%s: attribute %s of %s is %v, want %v", name, a.Name, v.Name, got, a)
				}
			}
		}
		bin, err := exec.LookPath("ncdump")
		if err != nil {
			missing(t, "ncdump")
			continue
		}
		got, err := exec.Command(bin, to).CombinedOutput()
		if name == "records.h5" { // of which netCDF-C 4.9.0 cannot dump fixed texts, whoever wrote them
			got, err = exec.Command(bin, "-v", "mixed,bytes,rows,words", to).CombinedOutput()
			for _, want := range []string{`{"first"}, 1.5, TRUE, B, "h\"i", {1, 2}, 0X010203`, `mixed:marks = A, B`, `{{"ab", "cdef"}, {1, 2}}`, `words = {"a", "bb"}, {}`, `bytes = 0X010203, 0XFF0001`,
				`note_t mixed:note = {{"zz"}, 9007199254740993}`, `lists_t :lists = {0, 1, 2}, {0}`} {
				if err != nil || !strings.Contains(string(got), want) {
					t.Errorf("ncdump: %v, no %s in\n%s", err, want, got)
				}
			}
			continue
		}
		want, err2 := exec.Command(bin, from).Output()
		if err != nil || err2 != nil || string(got) != string(want) {
			t.Errorf("ncdump: %v, %v\n%s\nwant\n%s", err, err2, got, want)
		}
	}
}

// TestUnnamedTypes: a type that no group names gets a name that nothing else has, and equal types share it.
func TestUnnamedTypes(t *testing.T) {
	record := map[string]any{"fields": []any{[]any{"when", "int64"}, []any{"who", "S4"}, []any{"mood", map[string]any{"enum": "int8", "members": map[string]any{"bad": int64(0), "good": int64(1)}}}}}
	x := chunk.Shape{2}
	spec := formats.Spec{Vars: []formats.VarSpec{
		{Name: "a", Shape: x, DType: dtype.Raw, ItemBytes: 13, Stored: record},
		{Name: "g/b", Shape: x, DType: dtype.Raw, ItemBytes: 13, Stored: record},
		{Name: "a_t", Shape: x, DType: dtype.Raw, ItemBytes: 5, Stored: "opaque5"},
		{Name: "s", Shape: x, DType: dtype.Raw, ItemBytes: 5, Stored: "S5"},
	}}
	var data []*chunk.Chunk
	for i, v := range spec.Vars {
		b := make([]byte, 2*v.ItemBytes)
		for k := range b {
			b[k] = byte(k%2 + i)
		}
		data = append(data, &chunk.Chunk{DType: dtype.Raw, ItemBytes: int32(v.ItemBytes), Shape: x, Strides: x.RowMajor(), Block: mem.Wrap(b)})
	}
	path := filepath.Join(t.TempDir(), "a.nc")
	write(t, path, spec, data)
	g, err := openAny(path)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	var names []string
	for _, x := range g.Types {
		names = append(names, x.Name)
	}
	if got, want := strings.Join(names, " "), "a_mood_t a_t2 a_t_t"; got != want {
		t.Errorf("types %q, want %q", got, want)
	}
	for i, v := range append(g.Vars[:1:1], append(g.Groups[0].Group.Vars, g.Vars[1:]...)...) {
		c, err := readAll(v.Source)
		if err != nil || !reflect.DeepEqual(c.Bytes(), data[i].Bytes()) {
			t.Errorf("%s: %v, or other values than were written", v.Name, err)
		}
	}
	if got := g.Vars[2].Source.Meta().Stored; got != "S5" {
		t.Errorf("texts of a fixed size are %v, want S5", got)
	}
}

// TestNoSuchType: what NetCDF-4 has no type for is refused before anything is written.
func TestNoSuchType(t *testing.T) {
	deep := any("int8")
	for range 20 {
		deep = map[string]any{"vlen": deep}
	}
	fields := func(f ...any) any { return map[string]any{"fields": f} }
	for name, stored := range map[string]any{
		"half":         fields([]any{"x", "float16"}),
		"reference":    fields([]any{"x", "reference"}),
		"no fields":    fields(),
		"odd field":    fields("x"),
		"no name":      fields([]any{"", "int8"}),
		"shape":        fields([]any{"x", "int8", []any{"two"}}),
		"rank":         fields([]any{"x", "int8", []int{1, 1, 1, 1, 1}}),
		"too large":    fields([]any{"x", "int8", []int{1 << 20, 1 << 20}}),
		"too deep":     deep,
		"enumeration":  map[string]any{"enum": "float32", "members": map[string]any{"a": 1.0}},
		"no members":   map[string]any{"enum": "int8"},
		"out of range": map[string]any{"enum": "int8", "members": map[string]any{"a": int64(300)}},
		"unknown":      map[string]any{"thing": 1},
		"other size":   "opaque7",
	} {
		v := formats.VarSpec{Name: "x", Shape: chunk.Shape{2}, DType: dtype.Raw, ItemBytes: 2, Stored: stored}
		if _, err := Create(context.Background(), filepath.Join(t.TempDir(), "a.nc"), formats.Spec{Vars: []formats.VarSpec{v}}); !errors.Is(err, formats.ErrFormat) {
			t.Errorf("%s: Create = %v, want an error wrapping ErrFormat", name, err)
		}
	}
}
