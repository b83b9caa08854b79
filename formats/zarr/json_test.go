// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"testing"

	"github.com/arrayrun/arrayrun/formats"
)

func TestParse(t *testing.T) {
	for in, want := range map[string]any{
		` {"b":1,"a":[true,null,"x\n\u00e9\ud83d\ude00"]} `: object{{"b", int64(1)}, {"a", []any{true, nil, "x\né😀"}}},
		`18446744073709551615`:                              uint64(math.MaxUint64),
		`-9223372036854775808`:                              int64(math.MinInt64),
		`-0.0`:                                              math.Copysign(0, -1),
		`1e400`:                                             math.Inf(1),
		`[Infinity, -Infinity]`:                             []any{math.Inf(1), math.Inf(-1)},
		`0.1`:                                               0.1,
		`123456789012345678901.`:                            123456789012345678901.,
		`{}`:                                                object{},
		`[]`:                                                []any{},
	} {
		got, err := parse([]byte(in))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("parse(%s) = %#v, %v, want %#v", in, got, err, want)
		}
	}
	if v, err := parse([]byte("NaN")); err != nil || !math.IsNaN(v.(float64)) {
		t.Errorf("parse(NaN) = %v, %v", v, err)
	}
	for _, in := range []string{``, `{`, `[1,`, `{"a"}`, `{"a":1,}`, `"x`, `"\x"`, `1 2`, `--1`, `tru`, `{a:1}`, "\"\xff\"", `"\u12`} {
		if v, err := parse([]byte(in)); !errors.Is(err, formats.ErrCorrupt) {
			t.Errorf("parse(%q) = %v, %v, want ErrCorrupt", in, v, err)
		}
	}
}

// What is written must be read back as it was.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5,"x",{"b":NaN}],"c":{}}`, `[[],[{}],-Infinity]`, `"\u0000\ud800"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		v, err := parse(in)
		if err != nil {
			if !errors.Is(err, formats.ErrCorrupt) {
				t.Fatalf("parse = %v, want ErrCorrupt", err)
			}
			return
		}
		out, err := appendJSON(nil, v, 0)
		if err != nil {
			t.Fatal(err)
		}
		again, err := parse(out)
		if err != nil || fmt.Sprint(again) != fmt.Sprint(v) {
			t.Fatalf("%s was written as %s and read as %v, %v", in, out, again, err)
		}
	})
}
