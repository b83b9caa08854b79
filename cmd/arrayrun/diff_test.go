// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// diffed is what diff --json prints.
type diffed struct {
	Equal     bool
	Variables map[string]struct {
		Elements, Differing int64
		MaxAbs              any `json:"max_abs"`
		MaxRel              any `json:"max_rel"`
		Where               []int64
	}
	Differences []struct{ Name, Difference string }
}

func diffJSON(t *testing.T, args ...string) (diffed, int) {
	t.Helper()
	code, out, errs := arrayrun(t, append([]string{"diff", "--json"}, args...)...)
	var doc diffed
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatalf("diff %v: exit %d, %v: %s%s", args, code, err, out, errs)
	}
	return doc, code
}

func TestDiffValues(t *testing.T) {
	dir := t.TempDir()
	a := npy(t, dir, "a.npy", "arange(12.0).reshape(3, 4)")
	for name, c := range map[string]struct {
		expr     string
		args     []string
		count    int64
		abs, rel any
		where    []int64
	}{
		"equal":         {"arange(12.0).reshape(3, 4)", nil, 0, 0.0, 0.0, nil},
		"one":           {"x = arange(12.0).reshape(3, 4); where(x == 6, 8, x)", nil, 1, 2.0, 0.25, []int64{1, 2}},
		"largest":       {"x = arange(12.0).reshape(3, 4); where(x > 8, x + x, x)", nil, 3, 11.0, 0.5, []int64{2, 3}},
		"within":        {"arange(12.0).reshape(3, 4) + 0.001", []string{"--atol", "0.01"}, 0, 0.0, 0.0, nil},
		"relative":      {"arange(12.0).reshape(3, 4) * 1.001", []string{"--rtol", "0.0009"}, 11, 0.010999999999999233, 0.000999000999000932, []int64{2, 3}},
		"NaN":           {"x = arange(12.0).reshape(3, 4); where(x == 6, nan, x)", nil, 1, nil, nil, []int64{1, 2}},
		"infinite":      {"x = arange(12.0).reshape(3, 4); where(x == 0, inf, x)", nil, 1, "Infinity", "Infinity", []int64{0, 0}},
		"beside a zero": {"x = arange(12.0).reshape(3, 4); where(x == 1, 0, x)", nil, 1, 1.0, "Infinity", []int64{0, 1}},
	} {
		b := filepath.Join(dir, "b.npy")
		ok(t, "eval", c.expr, "-o", b, "--overwrite")
		doc, code := diffJSON(t, append([]string{a, b}, c.args...)...)
		v := doc.Variables["data"]
		if want := map[bool]int{true: exitDone, false: exitFailed}[c.count == 0]; code != want || doc.Equal != (c.count == 0) {
			t.Errorf("%s: exit %d, %+v", name, code, doc)
		}
		if v.Elements != 12 || v.Differing != c.count || !near(v.MaxAbs, c.abs) || !near(v.MaxRel, c.rel) || !reflect.DeepEqual(v.Where, c.where) {
			t.Errorf("%s: %+v, want %+v", name, v, c)
		}
	}
}

// near compares numbers to 1 in 1e9, anything else exactly.
func near(a, b any) bool {
	x, okA := a.(float64)
	y, okB := b.(float64)
	if okA && okB {
		return x == y || (x-y)/y < 1e-9 && (y-x)/y < 1e-9
	}
	return a == b
}

func TestDiffOthers(t *testing.T) {
	dir := t.TempDir()
	both := npy(t, dir, "nan.npy", "where(arange(3) == 1, nan, arange(3.0))")
	if doc, code := diffJSON(t, both, both); code != 0 || !doc.Equal {
		t.Errorf("NaN equals NaN: exit %d, %+v", code, doc)
	}
	a := npy(t, dir, "a.npy", "arange(6)")
	for _, c := range []struct{ expr, want string }{
		{"arange(7)", "shapes [6] and [7]"}, {"arange(6.0)", "data types int64 and float64"}, {"arange(6).reshape(2, 3)", "shapes"},
	} {
		b := filepath.Join(dir, "b.npy")
		ok(t, "eval", c.expr, "-o", b, "--overwrite")
		code, out, _ := arrayrun(t, "diff", a, b)
		if code != exitFailed || !strings.Contains(out, c.want) {
			t.Errorf("%s: exit %d, %q", c.expr, code, out)
		}
	}
	// Texts, groups, missing variables, attributes.
	x, y := filepath.Join(dir, "x.nc"), filepath.Join(dir, "y.nc")
	ok(t, "select", made, x, "lat=@0:4")
	ok(t, "select", made, y, "lat=@1:5")
	doc, code := diffJSON(t, x, y)
	if code != exitFailed || doc.Variables["word"].Differing != 4 || doc.Variables["code"].Differing == 0 || doc.Variables["time"].Differing != 0 || doc.Variables["fc/t2m"].Differing == 0 {
		t.Errorf("exit %d, %+v", code, doc)
	}
	ok(t, "convert", made, y, "--overwrite", "--var", "air", "--var", "fc")
	doc, code = diffJSON(t, made, y)
	if code != exitFailed || doc.Variables["air"].Differing != 0 || len(doc.Differences) == 0 || doc.Differences[0].Difference != "only in A" {
		t.Errorf("exit %d, %+v", code, doc)
	}
	if doc, _ := diffJSON(t, y, made); doc.Differences[0].Difference != "only in B" {
		t.Errorf("%+v", doc)
	}
	// Packed and unpacked are equal once decoded, not as stored.
	ok(t, "eval", "air", made, "-o", "air="+x, "--overwrite")
	if code, out, _ := arrayrun(t, "diff", x+"#air", made+"#air"); code != 0 {
		t.Errorf("decoded: exit %d, %s", code, out)
	}
	if code, out, _ := arrayrun(t, "diff", x+"#air", made+"#air", "--raw"); code != exitFailed || !strings.Contains(out, "data types float32 and int16") {
		t.Errorf("raw: exit %d, %s", code, out)
	}
	if code, out, _ := arrayrun(t, "diff", x+"#air", made+"#air", "--attrs"); code != exitFailed || !strings.Contains(out, "attribute scale_factor: only in B") {
		t.Errorf("attributes: exit %d, %s", code, out)
	}
	if code, _, _ := arrayrun(t, "diff", made, filepath.Join(dir, "absent")); code != exitInput {
		t.Errorf("an absent file: exit %d, want 3", code)
	}
	if code, _, _ := arrayrun(t, "diff", made, made, "--rtol", "-1"); code != exitUsage {
		t.Errorf("a negative tolerance: exit %d, want 2", code)
	}
}
