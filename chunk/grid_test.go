// SPDX-License-Identifier: BSD-3-Clause

package chunk

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestAxis(t *testing.T) {
	irregular, err := IrregularAxis([]int64{2, 5, 1, 4})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		axis  Axis
		count int64
		max   int64
		edges []int64
	}{
		{"even", Axis{Len: 6, Step: 3}, 2, 3, []int64{0, 3, 6}},
		{"short last", Axis{Len: 7, Step: 3}, 3, 3, []int64{0, 3, 6, 7}},
		{"one", Axis{Len: 2, Step: 10}, 1, 2, []int64{0, 2}},
		{"single elements", Axis{Len: 3, Step: 1}, 3, 1, []int64{0, 1, 2, 3}},
		{"irregular", irregular, 4, 5, []int64{0, 2, 7, 8, 12}},
		{"empty", Axis{Len: 0, Step: 4}, 0, 0, []int64{0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.axis.Count(); got != c.count {
				t.Errorf("Count() = %d, want %d", got, c.count)
			}
			if got := c.axis.Max(); got != c.max {
				t.Errorf("Max() = %d, want %d", got, c.max)
			}
			for k := range c.axis.Count() {
				lo, hi := c.axis.Bounds(k)
				if lo != c.edges[k] || hi != c.edges[k+1] {
					t.Errorf("Bounds(%d) = %d, %d, want %d, %d", k, lo, hi, c.edges[k], c.edges[k+1])
				}
				for x := lo; x < hi; x++ {
					if got := c.axis.Find(x); got != k {
						t.Errorf("Find(%d) = %d, want %d", x, got, k)
					}
				}
			}
		})
	}
}

func TestIrregularAxis(t *testing.T) {
	for _, c := range []struct {
		sizes []int64
		want  Axis
	}{
		{nil, Axis{Len: 0, Step: 1}},
		{[]int64{4}, Axis{Len: 4, Step: 4}},
		{[]int64{4, 4, 4}, Axis{Len: 12, Step: 4}},
		{[]int64{4, 4, 3}, Axis{Len: 11, Step: 4}},
		{[]int64{3, 4}, Axis{Len: 7, Edges: []int64{0, 3, 7}}},
		{[]int64{4, 3, 4}, Axis{Len: 11, Edges: []int64{0, 4, 7, 11}}},
	} {
		got, err := IrregularAxis(c.sizes)
		if err != nil || got.Len != c.want.Len || got.Step != c.want.Step || !slices.Equal(got.Edges, c.want.Edges) {
			t.Errorf("IrregularAxis(%v) = %+v, %v, want %+v", c.sizes, got, err, c.want)
		}
	}
	if _, err := IrregularAxis([]int64{3, 0}); !errors.Is(err, ErrShape) {
		t.Errorf("a chunk of length 0 gives %v, want ErrShape", err)
	}
}

func TestAxisEqual(t *testing.T) {
	cut := Axis{Len: 7, Edges: []int64{0, 3, 6, 7}}
	for _, c := range []struct {
		a, b Axis
		want bool
	}{
		{Axis{Len: 7, Step: 3}, Axis{Len: 7, Step: 3}, true},
		{Axis{Len: 7, Step: 3}, cut, true},
		{cut, Axis{Len: 7, Step: 3}, true},
		{Axis{Len: 7, Step: 7}, Axis{Len: 7, Step: 9}, true},
		{Axis{Len: 7, Step: 3}, Axis{Len: 7, Step: 4}, false},
		{Axis{Len: 7, Step: 3}, Axis{Len: 8, Step: 3}, false},
		{cut, Axis{Len: 7, Edges: []int64{0, 2, 6, 7}}, false},
	} {
		if got := c.a.Equal(c.b); got != c.want {
			t.Errorf("%+v.Equal(%+v) = %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

// randomGrid returns a grid of up to four axes, some irregular, some empty now and then.
func randomGrid(r *rand.Rand) Grid {
	g := Grid{}
	for range r.IntN(5) {
		a := Axis{Len: r.Int64N(12), Step: 1 + r.Int64N(6)}
		if a.Len > 0 && r.IntN(2) == 0 {
			var sizes []int64
			for left := a.Len; left > 0; {
				s := 1 + r.Int64N(min(left, 4))
				sizes = append(sizes, s)
				left -= s
			}
			a, _ = IrregularAxis(sizes)
		}
		g.Axes = append(g.Axes, a)
		g.Shape = append(g.Shape, a.Len)
	}
	return g
}

func randomRegion(r *rand.Rand, s Shape) Region {
	q := Whole(s)
	for i, n := range s {
		q.Lo[i] = r.Int64N(n + 1)
		q.Hi[i] = q.Lo[i] + r.Int64N(n-q.Lo[i]+1)
	}
	return q
}

// TestCoveringLaws: the chunks that cover a region are exactly those that share
// elements with it, in row-major order, and their parts of it tile it.
func TestCoveringLaws(t *testing.T) {
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 0))
		g := randomGrid(r)
		q := randomRegion(r, g.Shape)
		var got []int64
		elements := int64(0)
		for k := range g.Covering(q) {
			n := g.Linear(k)
			if len(got) > 0 && n <= got[len(got)-1] {
				t.Fatalf("seed %d: chunk %d comes after %d", seed, n, got[len(got)-1])
			}
			if !slices.Equal(g.At(n, nil), k) {
				t.Fatalf("seed %d: At(Linear(%v)) = %v", seed, k, g.At(n, nil))
			}
			got = append(got, n)
			elements += g.Region(k).Intersect(q).Size()
		}
		if elements != q.Size() {
			t.Fatalf("seed %d: parts of %v on %v hold %d elements, want %d", seed, q, g.Axes, elements, q.Size())
		}
		var want []int64
		for n := range g.Len() {
			if !g.Region(g.At(n, nil)).Intersect(q).Empty() {
				want = append(want, n)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: Covering(%v) = %v, want %v", seed, q, got, want)
		}
	}
}

func TestCoveringStops(t *testing.T) {
	n := 0
	for range Regular(Shape{10, 10}, 1, 1).Covering(Whole(Shape{10, 10})) {
		if n++; n == 7 {
			break
		}
	}
	if n != 7 {
		t.Errorf("walked %d chunks, want 7", n)
	}
	n = 0
	for k := range Regular(Shape{}).Covering(Region{}) {
		n += 1 + len(k)
	}
	if n != 1 {
		t.Errorf("a scalar has %d chunks, want 1", n)
	}
}

func TestRegular(t *testing.T) {
	g := Regular(Shape{10, 7, 5}, 4, 0)
	if got := g.Counts(); !got.Equal(Shape{3, 1, 1}) {
		t.Errorf("Counts() = %v, want [3 1 1]", got)
	}
	if got := g.MaxChunk(); !got.Equal(Shape{4, 7, 5}) {
		t.Errorf("MaxChunk() = %v, want [4 7 5]", got)
	}
	if got := g.Region(Key{2, 0, 0}).String(); got != "[8:10 0:7 0:5]" {
		t.Errorf("Region = %v, want [8:10 0:7 0:5]", got)
	}
	if Regular(Shape{0, 3}).Len() != 0 || Regular(Shape{}).Len() != 1 {
		t.Error("an empty array has no chunk, a scalar one")
	}
	if !g.Equal(Regular(Shape{10, 7, 5}, 4, 9, 5)) || g.Equal(Regular(Shape{10, 7, 5}, 5)) {
		t.Error("Equal compares where the shape is cut")
	}
}

// TestDefaultGrid: slabs of about 4 MiB from the shape alone, never more than
// twice that unless one element is.
func TestDefaultGrid(t *testing.T) {
	for _, c := range []struct {
		shape Shape
		item  int
		want  Shape
	}{
		{Shape{100, 100}, 8, Shape{100, 100}},
		{Shape{1000, 1000}, 8, Shape{524, 1000}},
		{Shape{3652, 180, 360}, 2, Shape{32, 180, 360}},
		{Shape{10, 4096, 4096}, 4, Shape{1, 256, 4096}},
		{Shape{1 << 30}, 1, Shape{4 << 20}},
		{Shape{}, 8, Shape{}},
		{Shape{0, 5}, 8, Shape{0, 5}},
	} {
		if got := DefaultGrid(c.shape, c.item).MaxChunk(); !got.Equal(c.want) {
			t.Errorf("DefaultGrid(%v, %d) has chunks of %v, want %v", c.shape, c.item, got, c.want)
		}
	}
}

func BenchmarkCovering(b *testing.B) {
	g := Regular(Shape{10000, 10000}, 32, 32)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for range g.Covering(Whole(g.Shape)) {
			n++
		}
		if n != 97969 {
			b.Fatal(n)
		}
	}
}
