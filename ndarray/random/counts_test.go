// SPDX-License-Identifier: BSD-3-Clause

package random

import (
	"encoding/json"
	"math"
	"os"
	"sort"
	"testing"
)

// TestTables compares running probabilities with mpmath's (testdata/counts.py), and wants tables to end at 1, to ascend and to be bounded.
func TestTables(t *testing.T) {
	b, err := os.ReadFile("testdata/counts.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Points []struct {
			Name  string
			Args  []float64
			K     int64
			Below float64
		}
	}
	if err := json.Unmarshal(b, &golden); err != nil {
		t.Fatal(err)
	}
	for _, c := range golden.Points {
		var d table
		if c.Name == "poisson" {
			d = poisson(c.Args[0])
		} else {
			d = binomial(int64(c.Args[0]), c.Args[1])
		}
		got := 0.0
		switch i := c.K - d.first; {
		case i >= int64(len(d.sums)):
			got = 1
		case i >= 0:
			got = d.sums[i]
		}
		if math.Abs(got-c.Below) > 1e-13 {
			t.Errorf("%s%v: up to %d %v, want %v", c.Name, c.Args, c.K, got, c.Below)
		}
	}
	for _, d := range []table{poisson(0), poisson(maxVariance), poisson(1e-300), binomial(0, 0.5), binomial(10, 0), binomial(10, 1), binomial(1<<53, 1e-9), binomial(1, 1)} {
		if n := len(d.sums); n > 200_000 || d.sums[n-1] != 1 || !sort.Float64sAreSorted(d.sums) || d.first < 0 {
			t.Errorf("table from %d of %d counts ends at %v", d.first, n, d.sums[n-1])
		}
	}
	if d := binomial(10, 1); d.first != 10 {
		t.Errorf("10 sure trials: from %d on, want 10", d.first)
	}
}

// TestShuffleIsOneToOne wants each position once.
func TestShuffleIsOneToOne(t *testing.T) {
	sizes := []uint64{65_535, 65_536, 65_537, 300_001}
	for n := uint64(2); n < 600; n += 7 {
		sizes = append(sizes, n)
	}
	for _, n := range sizes {
		var keys [shuffleRounds]uint64
		New(n).stream.words(keys[:], 0)
		s := newShuffle(n, keys)
		seen := make([]bool, n)
		for i := range n {
			to := s.at(i)
			if to >= n || seen[to] {
				t.Fatalf("%d positions: %d goes to %d, which is outside or taken", n, i, to)
			}
			seen[to] = true
		}
	}
	var keys [shuffleRounds]uint64
	New(1).stream.words(keys[:], 0)
	s := newShuffle(math.MaxInt64, keys)
	seen := map[uint64]bool{}
	for i := range uint64(10_000) {
		seen[s.at(math.MaxInt64-1-i)] = true
	}
	if len(seen) != 10_000 {
		t.Errorf("10000 positions of 2**63-1 go to %d", len(seen))
	}
}

// TestShufflesAreEven looks at the orders of many keys: short ones, where a position goes, how pairs stand and how far neighbours come apart. Chi-square is within 4.5 standard deviations.
func TestShufflesAreEven(t *testing.T) {
	check := func(name string, counts map[uint64]int, cells int) {
		t.Helper()
		total := 0
		for _, k := range counts {
			total += k
		}
		want, square := float64(total)/float64(cells), 0.0
		for _, k := range counts {
			square += (float64(k) - want) * (float64(k) - want) / want
		}
		square += want * float64(cells-len(counts))
		free := float64(cells - 1)
		if z := (square - free) / math.Sqrt(2*free); math.Abs(z) > 4.5 {
			t.Errorf("%s: chi-square of %v: %v, %v standard deviations off", name, free, square, z)
		}
	}
	trials := 60_000
	if testing.Short() {
		trials = 6_000
	}
	orders, places, pairs, apart := map[uint64]int{}, map[uint64]int{}, map[uint64]int{}, map[uint64]int{}
	g := New(99)
	for range trials {
		at, err := g.take(rule{width: 64}, shuffleRounds)
		if err != nil {
			t.Fatal(err)
		}
		var keys [shuffleRounds]uint64
		g.stream.words(keys[:], at.first)
		few, many := newShuffle(5, keys), newShuffle(1000, keys)
		order := uint64(0)
		for i := range uint64(4) {
			order = order*5 + few.at(i)
		}
		orders[order]++
		places[many.at(17)/10]++
		a, b := many.at(500), many.at(501)
		pairs[a/100*10+b/100]++
		apart[(a-b+1000)%1000]++
	}
	check("orders of 5", orders, 120)
	check("places", places, 100)
	check("neighbours", apart, 999)
	// A pair stands in one hundred with a smaller probability, as both cannot be at one place.
	same, other := map[uint64]int{}, map[uint64]int{}
	for k, n := range pairs {
		if k%11 == 0 {
			same[k] = n
		} else {
			other[k] = n
		}
	}
	check("pairs in one hundred", same, 10)
	check("pairs in two", other, 90)
}
