// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// mostCompared bounds, in bytes, the values of a variable without the dimension of a join that are read from every file
// to see whether they agree.
const mostCompared = 16 << 20

// concatLabels lays values end to end along an axis; dtypes are promoted.
func concatLabels(axis int, parts []*Labels) (*Labels, error) {
	out := &Labels{DType: parts[0].DType, Shape: parts[0].Shape.Clone()}
	out.Shape[axis] = 0
	for _, p := range parts {
		dt, err := dtype.Promote(out.DType, p.DType)
		if err != nil && out.DType != p.DType {
			return nil, err
		}
		if err == nil {
			out.DType = dt
		}
		for i, n := range p.Shape {
			if i != axis && n != out.Shape[i] {
				return nil, fmt.Errorf("shapes %v and %v differ along axis %d", parts[0].Shape, p.Shape, i)
			}
		}
		out.Shape[axis] += p.Shape[axis]
	}
	outer := int(out.Shape[:axis].Size())
	switch {
	case out.DType == dtype.String:
		out.Str = interleave(outer, parts, func(l *Labels) []string { return l.Str })
	case out.DType.IsFloat():
		out.Float = interleave(outer, parts, func(l *Labels) []float64 {
			if l.Float != nil {
				return l.Float
			}
			return l.floats().Float
		})
	default:
		out.Int = interleave(outer, parts, func(l *Labels) []int64 { return l.Int })
	}
	return out, nil
}

// interleave appends, for each of the outer rows, the row of every part.
func interleave[T any](outer int, parts []*Labels, of func(*Labels) []T) []T {
	values := make([][]T, len(parts))
	n := 0
	for i, p := range parts {
		values[i] = of(p)
		n += len(values[i])
	}
	out := make([]T, 0, n)
	for o := range outer {
		for _, v := range values {
			row := len(v) / outer
			out = append(out, v[o*row:(o+1)*row]...)
		}
	}
	return out
}

// loadAll returns a reader of all parts laid end to end, nil where one cannot be read.
func loadAll(axis int, loads []func() (*Labels, error)) func() (*Labels, error) {
	for _, f := range loads {
		if f == nil {
			return nil
		}
	}
	return func() (*Labels, error) {
		parts := make([]*Labels, len(loads))
		for i, f := range loads {
			l, err := f()
			if l == nil || err != nil {
				return nil, err
			}
			parts[i] = l
		}
		return concatLabels(axis, parts)
	}
}

// agree checks that the variables without the dimension hold the same values in every file.
func (j *join) agree() error {
	first := j.parts[0]
	var names []string
	want := map[string]*Labels{}
	for _, v := range first.ds.vars {
		if v.axis(j.dim) >= 0 || v.Err() != nil {
			continue
		}
		names = append(names, v.name)
		l, err := small(v.Variable)
		if err != nil {
			return err
		}
		want[v.name] = l
	}
	return together(len(j.parts)-1, func(i int) error {
		p := j.parts[i+1]
		for _, name := range names {
			v, w := first.ds.Var(name), p.ds.Var(name)
			if w.Err() != nil {
				continue // its error says more when it is used
			}
			if w.axis(j.dim) >= 0 || !v.Shape().Equal(w.Shape()) {
				return errorf("variable %q is %v in %s and %v in %s; without dimension %q it must agree", name, v, first.path, w, p.path, j.dim)
			}
			if want[name] == nil || j.isMapping(name) {
				continue
			}
			l, err := small(w)
			if err != nil {
				return err
			}
			r, err := rebaseTo(v.attrs, w.attrs, first.path, p.path, name)
			if err != nil {
				return err
			}
			if at := firstDifference(want[name], r.labels(l)); at >= 0 {
				return errorf("variable %q differs between %s and %s: value %d is %s and %s; without dimension %q it must agree",
					name, first.path, p.path, at, want[name].Text(at), l.Text(at), j.dim)
			}
		}
		return nil
	})
}

// isMapping reports whether a variable is a grid mapping, whose value means nothing.
func (j *join) isMapping(name string) bool {
	return slices.ContainsFunc(j.parts[0].ds.vars, func(v dataVar) bool { return findCoord(v.mappings, name) != nil })
}

// small returns the values of a variable that is small enough to compare, else nil.
func small(v Variable) (*Labels, error) {
	if v.host != nil {
		return v.host, nil
	}
	if v.values == nil || v.Shape().Size()*int64(max(v.array.Node().ItemBytes, v.DType().Size())) > mostCompared {
		return nil, nil
	}
	l, err := v.values.load()
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", v.name, err)
	}
	return l, nil
}

// firstDifference returns the position of the first value that differs, -1 where all agree. NaN agrees with NaN.
func firstDifference(a, b *Labels) int {
	if a == nil || b == nil {
		return -1
	}
	for i := range min(a.Len(), b.Len()) {
		if a.key(i) != b.key(i) {
			return i
		}
	}
	return -1
}
