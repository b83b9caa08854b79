// SPDX-License-Identifier: BSD-3-Clause

package ndarray_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/expr"
	"github.com/arrayrun/arrayrun/sched"
)

// golden is one field as xarray or CDO gave it: all of it as a digest, or every step-th value.
type golden struct {
	Files       []string
	Expr, DType string
	Dims        []string
	Shape       []int64
	Digest      string
	Step        int
	Values      []*float64
	Missing     int
}

// TestFieldsEqualXarrayAndCDO compares whole fields of the corpus, some of joined files, with those of
// testdata/joined.py: bit for bit where nothing was added up, else to what another order of adding can change.
func TestFieldsEqualXarrayAndCDO(t *testing.T) {
	dir := corpus(t, "climate")
	b, err := os.ReadFile("testdata/joined.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []golden
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	eng := joinEngine(t)
	for _, c := range cases {
		t.Run(strings.Join(c.Files, "+")+" "+c.Expr, func(t *testing.T) {
			var uris []string
			for _, f := range c.Files {
				uris = append(uris, filepath.Join(dir, f))
			}
			ds, err := ndarray.OpenMany(t.Context(), uris)
			if err != nil {
				t.Fatal(err)
			}
			defer ds.Close()
			r, err := expr.Eval(c.Expr, expr.Env{"ds": ds})
			if err != nil {
				t.Fatal(err)
			}
			v, ok := r.Last.Value.(ndarray.Variable)
			if !ok || v.Err() != nil {
				t.Fatalf("result %T: %v", r.Last.Value, v.Err())
			}
			if !slices.Equal(v.Dims(), c.Dims) || !slices.Equal(v.Shape(), c.Shape) {
				t.Fatalf("got %v, want %v of shape %v", v, c.Dims, c.Shape)
			}
			if c.Digest != "" {
				if got := v.DType().String(); got != c.DType {
					t.Errorf("dtype %v, want %v", got, c.DType)
				}
				if got := digest(t, eng, v); got != c.Digest {
					t.Errorf("values have the digest %s, want %s", got, c.Digest)
				}
				return
			}
			c.close(t, values(t, eng, v))
		})
	}
}

// close compares every step-th value and the number of missing ones.
func (c golden) close(t *testing.T, got []float64) {
	t.Helper()
	tol := 1e-12
	if c.DType == "float32" {
		tol = 1e-6
	}
	for i, w := range c.Values {
		g, want := got[i*c.Step], math.NaN()
		if w != nil {
			want = *w
		}
		if g != want && !(g != g && want != want) && !(math.Abs(g-want) <= tol*math.Max(math.Abs(want), 1)) {
			t.Fatalf("value %d = %v, want %v", i*c.Step, g, want)
		}
	}
	missing := 0
	for _, g := range got {
		if g != g {
			missing++
		}
	}
	if missing != c.Missing {
		t.Errorf("%d values are missing, want %d", missing, c.Missing)
	}
}

// digest returns the SHA-256 of little-endian values, every NaN the same.
func digest(t *testing.T, eng *sched.Engine, v ndarray.Variable) string {
	t.Helper()
	h := sha256.New()
	var b []byte
	if v.DType() == dtype.Float32 {
		x, err := ndarray.Values[float32](t.Context(), eng, v.Array())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range x {
			bits := math.Float32bits(f)
			if f != f {
				bits = 0x7fc00000
			}
			b = binary.LittleEndian.AppendUint32(b, bits)
		}
	} else {
		for _, f := range values(t, eng, v) {
			bits := math.Float64bits(f)
			if f != f {
				bits = 0x7ff8000000000000
			}
			b = binary.LittleEndian.AppendUint64(b, bits)
		}
	}
	h.Write(b)
	return hex.EncodeToString(h.Sum(nil))
}
