// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/ndarray"
)

// perVariable is a data set of which each variable has been grouped or weighted: ds.groupby('time.month').
// A method is called on each; variables that lack the dimension stay as they are.
type perVariable struct {
	ds   *ndarray.Dataset
	kind string
	vals map[string]value
}

// eachOf applies a method such as groupby to the variables of ds that it is defined for. At least one must be.
func eachOf(ds *ndarray.Dataset, kind string, f func(v ndarray.Variable) (value, error)) (value, error) {
	p := perVariable{ds, kind, map[string]value{}}
	var first error
	for _, n := range ds.Vars() {
		v := ds.Var(n)
		g, err := f(v)
		if err == nil {
			err = errOf(g)
		}
		if err != nil {
			if first == nil {
				first = plainErr(err)
			}
			continue
		}
		p.vals[n] = g
	}
	if len(p.vals) == 0 {
		if first == nil {
			first = fmt.Errorf("%s: the data set has no variables", kind)
		}
		return nil, first
	}
	return p, nil
}

// call calls a method on each variable and returns the data set of the results.
func (p perVariable) call(a args) (value, error) {
	return p.each(func(g value) (value, error) { return callMethod(g, args{a.fn, slices.Clone(a.pos), a.kw}) })
}

// operate applies an operator with the variable of the same name of another data set, or with a value.
func (p perVariable) operate(op string, y value) (value, error) {
	return p.eachNamed(func(name string, g value) (value, error) {
		x := y
		if d, ok := y.(*ndarray.Dataset); ok {
			if !d.Has(name) {
				return nil, fmt.Errorf("the other data set has no variable %q", name)
			}
			x = d.Var(name)
		}
		return binary(op, g, x)
	})
}

func (p perVariable) each(f func(g value) (value, error)) (value, error) {
	return p.eachNamed(func(_ string, g value) (value, error) { return f(g) })
}

func (p perVariable) eachNamed(f func(name string, g value) (value, error)) (value, error) {
	var bad error
	out := p.ds.Map(func(v ndarray.Variable) (ndarray.Variable, bool) {
		g, ok := p.vals[v.Name()]
		if !ok {
			return v, true
		}
		r, err := f(v.Name(), g)
		if err == nil {
			err = errOf(r)
		}
		w, isVar := r.(ndarray.Variable)
		if err == nil && !isVar {
			err = fmt.Errorf("%s of a data set: got %s for %q, want a variable", p.kind, describe(r), v.Name())
		}
		if err != nil {
			if bad == nil {
				bad = err
			}
			return v, true
		}
		return w, true
	})
	return out, bad
}
