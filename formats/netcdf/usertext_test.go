// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"encoding/binary"
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

// utf32 is a text of n characters as NumPy has it.
func utf32(s string, n int) []byte {
	var b []byte
	for _, r := range s {
		b = binary.NativeEndian.AppendUint32(b, uint32(r))
	}
	return append(b, make([]byte, 4*n-len(b))...)
}

// TestWideTexts: texts of UTF-32 in records, in records in records and in arrays, become UTF-8 that netCDF-C prints, fill values too.
func TestWideTexts(t *testing.T) {
	stored := map[string]any{"fields": []any{[]any{"id", "int8"}, []any{"name", "U3"},
		[]any{"in", map[string]any{"fields": []any{[]any{"pair", "U2", []any{int64(2)}}, []any{"x", "int16"}}}, []any{int64(2)}}}}
	if got, want := WideTexts(stored), []string{"name", "in.pair"}; !reflect.DeepEqual(got, want) {
		t.Errorf("WideTexts = %v, want %v", got, want)
	}
	const item = 1 + 12 + 2*(16+2)
	element := func(id byte, name string, pairs ...string) []byte {
		b := append([]byte{id}, utf32(name, 3)...)
		for i := range 2 {
			b = append(append(b, utf32(pairs[2*i], 2)...), utf32(pairs[2*i+1], 2)...)
			b = append(b, byte(i), 0)
		}
		return b
	}
	data := append(element(1, "日本語", "a", "", "é€", "😀😀"), element(2, "", "zz", "b", "", "ÿ")...)
	x := chunk.Shape{2}
	v := formats.VarSpec{Name: "r", Dims: []string{"x"}, Shape: x, DType: dtype.Raw, ItemBytes: item, Stored: stored, Fill: element(9, "né", "", "", "", ""),
		Attrs: formats.Attrs{{Name: "like", Value: map[string]any{"id": int64(3), "name": "ß", "in": []any{
			map[string]any{"pair": []any{"p", "q"}, "x": int64(1)}, map[string]any{"pair": []any{"é", ""}, "x": int64(1)}}}, Type: stored}}}
	if narrow := NarrowTexts(stored); narrow == nil || NarrowTexts("int8") != nil {
		t.Error("NarrowTexts knows the wrong types")
	}
	for _, codec := range []string{"none", "zlib:1"} {
		v.Codec = codec
		path := filepath.Join(t.TempDir(), "a.nc")
		write(t, path, formats.Spec{Vars: []formats.VarSpec{v}}, []*chunk.Chunk{{DType: dtype.Raw, ItemBytes: item, Shape: x, Strides: x.RowMajor(), Block: mem.Wrap(data)}})
		g, err := openAny(path)
		if err != nil {
			t.Fatal(err)
		}
		c, err := readAll(g.Vars[0].Source)
		want := append([]byte(nil), data...)
		NarrowTexts(stored)(want)
		if err != nil || !reflect.DeepEqual(c.Bytes(), want) || string(want[1:10]) != "日本語" || WideTexts(g.Vars[0].Source.Meta().Stored) != nil {
			t.Errorf("%s: %v, %q, want %q", codec, err, c.Bytes(), want)
		}
		if m := g.Vars[0].Source.Meta(); !strings.HasPrefix(string(m.Fill), "\x09né\x00") {
			t.Errorf("%s: fill value %q", codec, m.Fill)
		}
		g.Close()
		bin, err := exec.LookPath("ncdump")
		if err != nil {
			missing(t, "ncdump")
			continue
		}
		got, err := exec.Command(bin, path).CombinedOutput()
		for _, want := range []string{"char name(12)", "char pair(2, 8)", `{1, {"\346\227\245\346\234\254\350\252\236"}, {{{"a", ""}, 0}, {{"\303\251\342\202\254", "\360\237\230\200\360\237\230\200"}, 1}}}`,
			`r_t r:like = {3, {"\303\237"}, {{{"p", "q"}, 1}, {{"\303\251", ""}, 1}}}`} {
			if err != nil || !strings.Contains(string(got), want) {
				t.Errorf("%s: ncdump: %v, no %s in\n%s", codec, err, want, got)
			}
		}
	}
}
