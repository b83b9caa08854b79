// SPDX-License-Identifier: BSD-3-Clause

package ndarray_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	. "github.com/arrayrun/arrayrun/ndarray"
)

// TestSortBy compares orders and ranks of labelled arrays with xarray's: testdata/sortby.py.
func TestSortBy(t *testing.T) {
	text, err := os.ReadFile("testdata/sortby.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string][]*float64
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	nan := math.NaN()
	v := NewVariable("v", FromSlice([]float64{1, 5, 5, nan, 2, 1, 4, nan, 4, 0, -1, 7}, 4, 3), []string{"time", "x"}, nil).
		WithCoord(NewVariable("time", FromSlice([]float64{3, 0, 2, 1}), []string{"time"}, nil)).
		WithCoord(NewVariable("k", FromSlice([]int64{1, 0, 1, 0}), []string{"time"}, nil))
	got := map[string]Variable{
		"time": v.SortBy(true, v.Coord("time")), "time down": v.SortBy(false, v.Coord("time")), "k and time": v.SortBy(true, v.Coord("k"), v.Coord("time")),
		"k down": v.SortBy(false, v.Coord("k")), "rank time": v.Ranks("time", false), "rank x": v.Ranks("x", true),
	}
	eng := sortEngine(t, 64<<20)
	for name, w := range want {
		list, err := Values[float64](context.Background(), eng, got[name].Array())
		if err != nil || !slices.EqualFunc(list, w, func(x float64, y *float64) bool { return y == nil && x != x || y != nil && x == *y }) {
			t.Errorf("%s: got %v, %v, want xarray's", name, list, err)
		}
	}
	if len(want) != len(got) {
		t.Errorf("sortby.json has %d cases, want %d", len(want), len(got))
	}
	for _, e := range []error{v.SortBy(true, v).Err(), v.Ranks("q", false).Err()} {
		if e == nil || !strings.Contains(e.Error(), "dimension") {
			t.Errorf("error %v, want one of a dimension", e)
		}
	}
	if _, _, err := v.Present("q"); err == nil {
		t.Error("Present of an absent dimension: no error")
	}
	if counts, all, err := v.Present("time"); err != nil || all != 3 || !slices.Equal(counts, []int64{3, 2, 2, 3}) {
		t.Errorf("Present(time) = %v, %d, %v, want [3 2 2 3], 3", counts, all, err)
	}
}
