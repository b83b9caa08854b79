// SPDX-License-Identifier: BSD-3-Clause

package regrid

import "math"

// tree is a k-d tree of points on the unit sphere. A node is the middle of its part of the list; what is before it along the node's axis lies left of
// it in the list, what is behind it right.
type tree struct {
	at    [][3]float64
	index []int32
}

// newTree returns the tree of the places that are not NaN.
func newTree(lat, lon []float64) *tree {
	t := &tree{}
	for i := range lat {
		if lat[i] != lat[i] || lon[i] != lon[i] {
			continue
		}
		t.at = append(t.at, vector(lat[i], lon[i]))
		t.index = append(t.index, int32(i))
	}
	t.build(0, len(t.at), 0)
	return t
}

// vector returns a place on the unit sphere.
func vector(lat, lon float64) [3]float64 {
	c := math.Cos(lat * rad)
	return [3]float64{c * math.Cos(lon*rad), c * math.Sin(lon*rad), math.Sin(lat * rad)}
}

func (t *tree) build(lo, hi, axis int) {
	for hi-lo > 1 {
		mid := (lo + hi) / 2
		t.partition(lo, hi, mid, axis)
		axis = (axis + 1) % 3
		t.build(lo, mid, axis)
		lo = mid + 1
	}
}

// partition puts the element that is the mid-th along the axis at mid, smaller ones before it and larger ones behind: Hoare's selection.
func (t *tree) partition(lo, hi, mid, axis int) {
	for hi--; lo < hi; {
		pivot := t.at[(lo+hi)/2][axis]
		i, j := lo, hi
		for i <= j {
			for t.at[i][axis] < pivot {
				i++
			}
			for t.at[j][axis] > pivot {
				j--
			}
			if i <= j {
				t.at[i], t.at[j] = t.at[j], t.at[i]
				t.index[i], t.index[j] = t.index[j], t.index[i]
				i++
				j--
			}
		}
		switch {
		case mid <= j:
			hi = j
		case mid >= i:
			lo = i
		default:
			return
		}
	}
}

func (t *tree) nearest(lat, lon float64, k int, found []near) []near {
	return t.descend(vector(lat, lon), 0, len(t.at), 0, k, found)
}

func (t *tree) descend(x [3]float64, lo, hi, axis, k int, found []near) []near {
	if lo >= hi {
		return found
	}
	mid := (lo + hi) / 2
	y := t.at[mid]
	a, b, c := x[0]-y[0], x[1]-y[1], x[2]-y[2]
	found = insert(found, near{(float64(a*a) + float64(b*b) + float64(c*c)) / 4, t.index[mid]}, k)
	side := x[axis] - y[axis]
	next := (axis + 1) % 3
	beyond := func() bool { return len(found) < k || side*side/4 <= found[k-1].chord*(1+1e-9)+1e-27 }
	if side <= 0 {
		found = t.descend(x, lo, mid, next, k, found)
		if beyond() {
			found = t.descend(x, mid+1, hi, next, k, found)
		}
		return found
	}
	found = t.descend(x, mid+1, hi, next, k, found)
	if beyond() {
		found = t.descend(x, lo, mid, next, k, found)
	}
	return found
}
