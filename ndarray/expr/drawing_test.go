// SPDX-License-Identifier: BSD-3-Clause

package expr_test

import (
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/expr"
)

// TestDrawing: random numbers by their names in NumPy. Values are those of NumPy 2.4's Generator(Philox(42)), where the numbers are NumPy's.
func TestDrawing(t *testing.T) {
	eng := engine(t)
	env := expr.Env{"a": ndarray.FromSlice([]float32{1.5, 2.5, 4})}
	for _, c := range []struct{ in, want string }{
		{"floor(1e6 * random.random(3, seed=42))", "float64[3] 86077 141557 270093"},
		{"rng = np.random.Generator(np.random.Philox(42)); x = rng.random(3); floor(1e6 * rng.random((1, 2)))", "float64[1 2] 874037 170164"},
		{"rng = random.default_rng(42); floor(1e6 * rng.uniform(2, 3, size=2, chunks=1))", "float64[2] 2.086077e+06 2.141557e+06"},
		{"random.integers(0, 16, (2, 3), seed=42)", "int64[2 3] 14 1 2 2 6 4"},
		{"random.integers(-8, 7, size=4, dtype='int8', endpoint=True, seed=42)", "int8[4] 0 3 5 6"},
		{"random.integers(0, 2**64, 2, 'uint64', seed=42)", "uint64[2] 1587852024645073290 2611271723512893552"},
		{"random.integers(1, size=2, seed=42)", "int64[2] 0 0"},
		{"random.choice(4, 5, p=[0.1, 0.2, 0.3, 0.4], seed=42)", "int64[5] 0 1 1 3 1"},
		{"random.choice(a, (2, 2), p=[0.1, 0.2, 0.7], seed=42)", "float32[2 2] 1.5 2.5 2.5 4"},
		{"random.choice([10, 20, 30, 40], 3, seed=42).shape[0]", "int64[] 3"},
		{"abs(random.normal(5, 2, size=100000, seed=1).mean() - 5) < 0.03", "bool[] true"},
		{"abs(random.standard_normal(100000, 'float32', seed=1).std() - 1) < 0.01", "bool[] true"},
		{"abs(random.exponential(3, 100000, seed=1).mean() - 3) < 0.05", "bool[] true"},
		{"abs(random.weibull(1, 100000, seed=1).mean() - 1) < 0.02", "bool[] true"},
		{"sort(random.choice(6, 6, replace=False, seed=3))", "int64[6] 0 1 2 3 4 5"},
		{"sort(random.choice(a, 3, replace=False, seed=3))", "float32[3] 1.5 2.5 4"},
		{"s = sort(random.choice(10**12, (100, 10), replace=False, chunks=7, seed=3).reshape(-1)); any(s[1:] == s[:-1])", "bool[] false"},
		{"sort(random.permutation(5, seed=3))", "int64[5] 0 1 2 3 4"},
		{"abs(random.poisson(3, 100000, seed=1).var() - 3) < 0.1", "bool[] true"},
		{"abs(random.binomial(10, 0.3, 100000, seed=1).mean() - 3) < 0.03", "bool[] true"},
		{"abs(random.geometric(0.25, 100000, seed=1).mean() - 4) < 0.1", "bool[] true"},
		{"random.lognormal(size=(2, 0), seed=1)", "float64[2 0]"},
		{"all(random.normal(size=9, seed=1) == random.normal(size=9, seed=1))", "bool[] true"},
		{"any(random.normal(size=9, seed=1) == random.normal(size=9, seed=2))", "bool[] false"},
		{"rng = random.default_rng(1); any(rng.gumbel(size=9) == rng.gumbel(size=9))", "bool[] false"},
	} {
		r, err := expr.Eval(c.in, env)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if got := compute(t, eng, arrayOf(t, r.Last.Value)); got != c.want {
			t.Errorf("%s = %s, want %s", c.in, got, c.want)
		}
	}
	for in, want := range map[string]string{
		"random.normal(size=3)":                           "seed is missing",
		"random.normal(size=3, seed=-1)":                  "seed: got -1, want an integer from 0 to 2**64-1",
		"random.normal(size=3, seed=1.5)":                 "seed: got 1.5",
		"random.default_rng()":                            `argument "seed" is missing`,
		"random.Generator(42)":                            "want random.Philox(seed)",
		"random.normal((3, 4), seed=1)":                   "loc: got a tuple of 2, want a number",
		"random.normal(size=(-1, 2), seed=1)":             "shape [-1 2]",
		"random.normal(nan, size=2, seed=1)":              "loc: got NaN, want a finite number",
		"random.integers(5, 5, 2, seed=1)":                "limits: got 5 to 5",
		"random.integers(0.5, size=2, seed=1)":            "high: got 0.5, want an integer",
		"random.integers(0, 2**64, 2, seed=1)":            "want integers below 2**63",
		"random.choice(a, 2, p=[0.5, 0.5], seed=1)":       "got 2 for 3 positions",
		"random.choice(ones((2, 2)), 2, seed=1)":          "an array of one axis",
		"random.random(2, seed=1, dtype='float16')":       "want float32 or float64",
		"random.default_rng(1).nrmal(3)":                  `no method "nrmal"; did you mean "normal"?`,
		"random.default_rng(1)":                           "a generator of random numbers is not an array",
		"random.default_rng(1).normal(0, 1, 2, seed=3)":   `unknown keyword "seed"`,
		"random.random(2**62, seed=1) + random.random(3)": "seed is missing",
	} {
		if _, err := expr.Eval(in, env); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", in, err, want)
		}
	}
}
