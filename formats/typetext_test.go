// SPDX-License-Identifier: BSD-3-Clause

package formats

import (
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

func TestTypeText(t *testing.T) {
	fields := func(list ...any) map[string]any { return map[string]any{"fields": list} }
	point := fields([]any{"p", "float64"}, []any{"q", "int16", []int64{2, 3}})
	var many []any
	for range 1000 {
		many = append(many, []any{"é", "int8"})
	}
	for _, c := range []struct {
		stored any
		want   string
	}{
		{nil, "int16"}, {"S5", "S5"}, {point, "a compound {p float64, q int16[2, 3]}"},
		{fields([]any{"a", point}, []any{"s", "S5"}), "a compound {a {p float64, q int16[2, 3]}, s S5}"},
		{map[string]any{"enum": "int8", "members": map[string]any{"clear": 0}}, "an enumeration of int8"},
		{map[string]any{"vlen": point}, "sequences of a compound {p float64, q int16[2, 3]}"},
		{fields("x"), "a compound [x]"}, {map[string]any{"other": 1}, "map[other:1]"},
	} {
		if got := TypeText(c.stored, dtype.Int16); got != c.want {
			t.Errorf("TypeText(%v) = %q, want %q", c.stored, got, c.want)
		}
	}
	if got := TypeText(fields(many...), dtype.Raw); len(got) > maxTypeText+4 || !strings.HasSuffix(got, " ...") || strings.ContainsRune(got, '\uFFFD') {
		t.Errorf("a long type is %q", got)
	}
}
