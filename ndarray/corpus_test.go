// SPDX-License-Identifier: BSD-3-Clause

package ndarray_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/expr"
	"github.com/arrayrun/arrayrun/sched"
)

// corpus returns a folder of the corpus; a test without one is skipped, or fails where all must be there.
func corpus(t *testing.T, folder string) string {
	t.Helper()
	root := os.Getenv("ARRAYRUN_CORPUS")
	if root == "" {
		root = filepath.Join("..", "..", "shared", "corpus")
	}
	dir := filepath.Join(root, folder)
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("ARRAYRUN_REQUIRE") == "all" {
			t.Fatalf("no corpus at %s", dir)
		}
		t.Skipf("no corpus at %s", dir)
	}
	return dir
}

func newEngine(t *testing.T) *sched.Engine {
	t.Helper()
	eng, err := sched.New(sched.Options{Memory: 256 << 20, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { eng.Close() })
	return eng
}

// TestClimateEqualsXarray computes expressions over files of the corpus and compares with what xarray gave.
func TestClimateEqualsXarray(t *testing.T) {
	dir := corpus(t, "climate")
	b, err := os.ReadFile("testdata/climate.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		File, Expr, DType string
		Dims              []string
		Shape             []int64
		Values            []*float64
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	eng := newEngine(t)
	for _, c := range cases {
		t.Run(c.File+" "+c.Expr, func(t *testing.T) {
			ds, err := ndarray.Open(ctx, filepath.Join(dir, c.File))
			if err != nil {
				t.Fatal(err)
			}
			defer ds.Close()
			r, err := expr.Eval(c.Expr, expr.Env{"ds": ds})
			if err != nil {
				t.Fatal(err)
			}
			v, ok := r.Last.Value.(ndarray.Variable)
			if !ok {
				t.Fatalf("result is a %T", r.Last.Value)
			}
			if got := v.Dims(); !slices.Equal(got, c.Dims) {
				t.Errorf("dims %v, want %v", got, c.Dims)
			}
			if got := v.DType().String(); got != c.DType {
				t.Errorf("dtype %v, want %v", got, c.DType)
			}
			if got := v.Shape(); !slices.Equal(got, c.Shape) {
				t.Fatalf("shape %v, want %v", got, c.Shape)
			}
			vals, err := ndarray.Values[float64](ctx, eng, v.Array().AsType(dtype.Float64))
			if err != nil {
				t.Fatal(err)
			}
			tol := 1e-12
			if c.DType == "float32" {
				tol = 2e-6
			}
			for i, g := range vals {
				want := math.NaN()
				if c.Values[i] != nil {
					want = *c.Values[i]
				}
				if g != want && !(g != g && want != want) && !(math.Abs(g-want) <= tol*math.Max(math.Abs(want), 1e-3)) {
					t.Fatalf("value %d = %v, want %v", i, g, want)
				}
			}
		})
	}
}
