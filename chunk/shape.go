// SPDX-License-Identifier: BSD-3-Clause

package chunk

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// ErrShape is wrapped by every error about shapes, axes and regions that do not fit.
var ErrShape = errors.New("chunk: shapes do not fit")

// Shape holds the length of each axis. A shape of length 0 is a scalar's.
type Shape []int64

// Size returns the number of elements: 1 for a scalar.
func (s Shape) Size() int64 {
	n := int64(1)
	for _, d := range s {
		n *= d
	}
	return n
}

// Bytes returns the bytes of an array of shape s with elements of itemBytes. A
// negative length, or a product that does not fit int64, gives an error wrapping
// ErrShape: shapes come from files, and files may be damaged.
func (s Shape) Bytes(itemBytes int64) (int64, error) {
	n := itemBytes
	for i, d := range s {
		if d < 0 {
			return 0, fmt.Errorf("chunk: shape %v: axis %d has length %d: %w", s, i, d, ErrShape)
		}
		if d == 0 {
			n = 0
			continue
		}
		if n > math.MaxInt64/d {
			return 0, fmt.Errorf("chunk: shape %v of %d byte elements is beyond 2^63 bytes: %w", s, itemBytes, ErrShape)
		}
		n *= d
	}
	return n, nil
}

// Equal reports whether s and t are the same shape.
func (s Shape) Equal(t Shape) bool { return slices.Equal(s, t) }

// Clone returns a copy of s.
func (s Shape) Clone() Shape { return slices.Clone(s) }

// String prints s as [365 721 1440].
func (s Shape) String() string {
	var b strings.Builder
	b.WriteByte('[')
	for i, d := range s {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%d", d)
	}
	b.WriteByte(']')
	return b.String()
}

// RowMajor returns the strides, in elements, of a C-ordered array of shape s.
func (s Shape) RowMajor() []int64 {
	st := make([]int64, len(s))
	n := int64(1)
	for i := len(s) - 1; i >= 0; i-- {
		st[i] = n
		n *= s[i]
	}
	return st
}

// Broadcast returns the shape two arrays of shapes a and b have together by
// NumPy's rule: axes are matched from the last, a length of 1 repeats.
// Shapes that do not match give an error wrapping ErrShape.
func Broadcast(a, b Shape) (Shape, error) {
	n := max(len(a), len(b))
	out := make(Shape, n)
	for i := range n {
		x, y := int64(1), int64(1)
		if k := i - (n - len(a)); k >= 0 {
			x = a[k]
		}
		if k := i - (n - len(b)); k >= 0 {
			y = b[k]
		}
		switch {
		case x == y || y == 1:
			out[i] = x
		case x == 1:
			out[i] = y
		default:
			return nil, fmt.Errorf("shapes %v and %v do not broadcast: axis %d is %d and %d: %w", a, b, i, x, y, ErrShape)
		}
	}
	return out, nil
}

// Region is a half-open box in element coordinates: Lo[i] <= x[i] < Hi[i].
type Region struct{ Lo, Hi Shape }

// Whole returns the region that covers shape s.
func Whole(s Shape) Region { return Region{make(Shape, len(s)), s.Clone()} }

// Shape returns the lengths of the region's sides.
func (r Region) Shape() Shape {
	s := make(Shape, len(r.Lo))
	for i := range s {
		s[i] = r.Hi[i] - r.Lo[i]
	}
	return s
}

// Size returns the number of elements inside.
func (r Region) Size() int64 {
	n := int64(1)
	for i := range r.Lo {
		n *= max(0, r.Hi[i]-r.Lo[i])
	}
	return n
}

// Empty reports whether no element is inside.
func (r Region) Empty() bool { return r.Size() == 0 }

// Clone returns a copy of r.
func (r Region) Clone() Region { return Region{r.Lo.Clone(), r.Hi.Clone()} }

// Intersect returns the part of r inside q; it may be empty.
func (r Region) Intersect(q Region) Region {
	o := r.Clone()
	for i := range o.Lo {
		o.Lo[i] = max(o.Lo[i], q.Lo[i])
		o.Hi[i] = max(o.Lo[i], min(o.Hi[i], q.Hi[i]))
	}
	return o
}

// Grow returns r with before more positions at the beginning of each axis and after more at the end: a region with its halo,
// which may reach beyond the array. Negative numbers take positions away.
func (r Region) Grow(before, after []int64) Region {
	r = r.Clone()
	for k := range r.Lo {
		r.Lo[k] -= before[k]
		r.Hi[k] += after[k]
	}
	return r
}

// Clip returns what of r lies inside an array of shape s; along axes that are periodic, nil for none, all of it.
func (r Region) Clip(s Shape, periodic []bool) Region {
	in := r.Intersect(Whole(s))
	for k, p := range periodic {
		if p {
			in.Lo[k], in.Hi[k] = r.Lo[k], r.Hi[k]
		}
	}
	return in
}

// Contains reports whether q lies inside r.
func (r Region) Contains(q Region) bool {
	for i := range r.Lo {
		if q.Lo[i] < r.Lo[i] || q.Hi[i] > r.Hi[i] {
			return false
		}
	}
	return true
}

// Equal reports whether r and q are the same box.
func (r Region) Equal(q Region) bool { return r.Lo.Equal(q.Lo) && r.Hi.Equal(q.Hi) }

// String prints r as [0:10 5:7].
func (r Region) String() string {
	var b strings.Builder
	b.WriteByte('[')
	for i := range r.Lo {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%d:%d", r.Lo[i], r.Hi[i])
	}
	b.WriteByte(']')
	return b.String()
}
