// SPDX-License-Identifier: BSD-3-Clause

package chunk

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestShape(t *testing.T) {
	s := Shape{365, 721, 1440}
	if s.String() != "[365 721 1440]" || (Shape{}).String() != "[]" {
		t.Errorf("String() = %v", s)
	}
	if s.Size() != 378957600 || (Shape{}).Size() != 1 || (Shape{3, 0}).Size() != 0 {
		t.Errorf("Size() = %d", s.Size())
	}
	if got := s.RowMajor(); !slices.Equal(got, []int64{721 * 1440, 1440, 1}) {
		t.Errorf("RowMajor() = %v", got)
	}
	c := s.Clone()
	c[0] = 1
	if s[0] != 365 || c.Equal(s) {
		t.Error("Clone shares its lengths")
	}
}

func TestShapeBytes(t *testing.T) {
	for _, c := range []struct {
		s    Shape
		item int64
		want int64
		bad  bool
	}{
		{Shape{2, 3}, 8, 48, false},
		{Shape{}, 4, 4, false},
		{Shape{0, math.MaxInt64, math.MaxInt64}, 8, 0, false},
		{Shape{math.MaxInt64}, 1, math.MaxInt64, false},
		{Shape{math.MaxInt64}, 2, 0, true},
		{Shape{1 << 32, 1 << 32}, 1, 0, true},
		{Shape{-1, 5}, 1, 0, true},
	} {
		got, err := c.s.Bytes(c.item)
		if got != c.want || (err != nil) != c.bad || err != nil && !errors.Is(err, ErrShape) {
			t.Errorf("%v.Bytes(%d) = %d, %v, want %d", c.s, c.item, got, err, c.want)
		}
	}
}

func TestBroadcast(t *testing.T) {
	for _, c := range []struct{ a, b, want Shape }{
		{Shape{2, 3}, Shape{3}, Shape{2, 3}},
		{Shape{2, 1}, Shape{1, 3}, Shape{2, 3}},
		{Shape{}, Shape{4, 5}, Shape{4, 5}},
		{Shape{0, 3}, Shape{1, 3}, Shape{0, 3}},
		{Shape{2, 3}, Shape{2}, nil},
		{Shape{0}, Shape{2}, nil},
	} {
		for range 2 {
			got, err := Broadcast(c.a, c.b)
			if !got.Equal(c.want) || (err != nil) != (c.want == nil) || err != nil && !errors.Is(err, ErrShape) {
				t.Errorf("Broadcast(%v, %v) = %v, %v, want %v", c.a, c.b, got, err, c.want)
			}
			c.a, c.b = c.b, c.a
		}
	}
}

// TestRegionLaws checks intersection, containment and size by counting elements.
func TestRegionLaws(t *testing.T) {
	in := func(r Region, x []int64) bool {
		for i := range x {
			if x[i] < r.Lo[i] || x[i] >= r.Hi[i] {
				return false
			}
		}
		return true
	}
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 1))
		s := Shape{1 + r.Int64N(6), 1 + r.Int64N(6)}
		p, q := randomRegion(r, s), randomRegion(r, s)
		both := p.Intersect(q)
		np, nb, inside := int64(0), int64(0), true
		for y := range s[0] {
			for x := range s[1] {
				e := []int64{y, x}
				if in(p, e) {
					np++
				}
				if in(p, e) && in(q, e) {
					nb++
				}
				if in(p, e) && in(q, e) != in(both, e) {
					t.Fatalf("seed %d: %v of %v and %v: element %v", seed, both, p, q, e)
				}
				inside = inside && (!in(q, e) || in(p, e))
			}
		}
		if p.Size() != np || both.Size() != nb || p.Empty() != (np == 0) {
			t.Fatalf("seed %d: sizes %d %d of %v %v, want %d %d", seed, p.Size(), both.Size(), p, q, np, nb)
		}
		if !q.Empty() && p.Contains(q) != inside {
			t.Fatalf("seed %d: %v.Contains(%v) = %v", seed, p, q, p.Contains(q))
		}
		if !p.Contains(both) && !both.Empty() || !both.Equal(q.Intersect(p)) && !both.Empty() {
			t.Fatalf("seed %d: intersection of %v and %v is %v", seed, p, q, both)
		}
		if p.Shape().Size() != p.Size() || !p.Clone().Equal(p) {
			t.Fatalf("seed %d: %v", seed, p)
		}
	}
}

func TestRegionGrowClip(t *testing.T) {
	r := Region{Shape{3, 0, 2}, Shape{5, 4, 7}}
	g := r.Grow([]int64{1, 2, 0}, []int64{0, 3, 4})
	if want := (Region{Shape{2, -2, 2}, Shape{5, 7, 11}}); !g.Equal(want) {
		t.Errorf("grown: got %v, want %v", g, want)
	}
	if want := (Region{Shape{3, 0, 2}, Shape{5, 4, 7}}); !r.Equal(want) {
		t.Errorf("the region itself became %v", r)
	}
	if c, want := g.Clip(Shape{10, 4, 9}, nil), (Region{Shape{2, 0, 2}, Shape{5, 4, 9}}); !c.Equal(want) {
		t.Errorf("clipped: got %v, want %v", c, want)
	}
	if c, want := g.Clip(Shape{10, 4, 9}, []bool{true, true, false}), (Region{Shape{2, -2, 2}, Shape{5, 7, 9}}); !c.Equal(want) {
		t.Errorf("clipped but for periodic axes: got %v, want %v", c, want)
	}
}
