// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"encoding/json"
	"math"
	"math/big"
	"os"
	"strconv"
	"testing"
)

// TestLiteralsEqualPython evaluates operators between literals as Python does.
func TestLiteralsEqualPython(t *testing.T) {
	b, err := os.ReadFile("testdata/literals.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases [][3]string
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		src, kind, want := c[0], c[1], c[2]
		st, err := Parse(src)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		v, err := (&evaluator{}).eval(st[0].X)
		if kind == "error" {
			if err == nil {
				t.Errorf("%s = %v, want an error", src, v)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v, want %s", src, err, want)
			continue
		}
		ok := false
		switch x := v.(type) {
		case bool:
			ok = kind == "bool" && want == map[bool]string{true: "True", false: "False"}[x]
		case *big.Int:
			ok = kind == "int" && x.String() == want
		case float64:
			f, _ := strconv.ParseFloat(want, 64)
			ok = kind == "float" && (x == f && math.Signbit(x) == math.Signbit(f) || x != x && f != f || math.Abs(x-f) <= 1e-15*math.Abs(f))
		}
		if !ok {
			t.Errorf("%s = %v (%T), want %s %s", src, v, v, kind, want)
		}
	}
}
