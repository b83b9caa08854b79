// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"fmt"
	"slices"
	"strings"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray"
)

// args are the arguments of a call.
type args struct {
	fn  string
	pos []value
	kw  map[string]value
}

// call evaluates a call of a function or a method.
func (e *evaluator) call(c *Call) (value, error) {
	a := args{kw: map[string]value{}}
	var recv value
	switch f := c.Fn.(type) {
	case *Name:
		a.fn = f.Value
	case *Attr:
		if m := e.module(f.X); m != "" {
			a.fn = m + "." + f.Name
			break
		}
		v, err := e.eval(f.X)
		if err != nil {
			return nil, err
		}
		recv, a.fn = v, f.Name
	default:
		return nil, fmt.Errorf("%v is not a function", c.Fn)
	}
	for _, x := range c.Args {
		v, err := e.eval(x)
		if err != nil {
			return nil, err
		}
		a.pos = append(a.pos, v)
	}
	for _, k := range c.Kw {
		v, err := e.eval(k.Value)
		if err != nil {
			return nil, err
		}
		a.kw[k.Name] = v
	}
	if recv != nil {
		return callMethod(recv, a)
	}
	return callFunction(a)
}

// module returns the name of the module that n is, dotted where it is one of another's: np.linalg; "" for anything else.
func (e *evaluator) module(n Node) string {
	switch x := n.(type) {
	case *Name:
		if modules[x.Value] && !e.defined(x.Value) {
			return x.Value
		}
	case *Attr:
		if m := e.module(x.X); m != "" && modules[x.Name] {
			return m + "." + x.Name
		}
	}
	return ""
}

func (e *evaluator) defined(name string) bool {
	_, a := e.vars[name]
	_, b := e.env[name]
	return a || b
}

// modules are the prefixes of function names, sub-modules of NumPy and SciPy.
var modules = map[string]bool{"linalg": true, "fft": true, "random": true, "ndimage": true, "filters": true, "measure": true, "exposure": true, "np": true, "numpy": true, "xr": true}

// callFunction finds a name among the array functions, then the operations, the reductions and the scans.
func callFunction(a args) (value, error) {
	name := a.fn
	for _, p := range []string{"np.", "numpy.", "xr."} {
		name = strings.TrimPrefix(name, p)
	}
	a.fn = name
	if f, ok := functions[name]; ok {
		return a.run(f)
	}
	if o, ok := kernels.OpByName(name); ok {
		return callOp(o, a)
	}
	if r, ok := kernels.ReductionByName(name); ok {
		return callReduction(r, a)
	}
	if o, skip, ok := scanByName(name); ok {
		return callScan(o, skip, a)
	}
	if d, err := dtype.Parse(name); err == nil && len(name) > 1 {
		if len(a.pos) != 1 || len(a.kw) > 0 {
			return nil, fmt.Errorf("%s: takes one value", name)
		}
		return astype(a.pos[0], d)
	}
	if m, ok := methodTables[name]; ok && len(a.pos) > 0 {
		return callMethod(a.pos[0], args{m, a.pos[1:], a.kw})
	}
	return nil, fmt.Errorf("no function %q%s", name, suggest(name, functionNames()))
}

// isFunction reports whether a name can be called.
func isFunction(name string) bool {
	_, a := functions[name]
	_, b := kernels.OpByName(name)
	_, c := kernels.ReductionByName(name)
	_, _, d := scanByName(name)
	return a || b || c || d
}

// functionNames lists every name that can be called, sorted.
func functionNames() []string {
	var out []string
	for n := range functions {
		out = append(out, n)
	}
	for _, o := range kernels.AllOps() {
		if !o.Internal {
			out = append(out, o.Name)
			out = append(out, o.Aliases...)
		}
	}
	for _, r := range kernels.AllReductions() {
		out = append(out, r.Name)
		out = append(out, r.Aliases...)
	}
	for _, o := range kernels.AllScans() {
		for _, n := range append([]string{o.Name, o.Twin}, o.Aliases...) {
			if _, _, ok := scanByName(n); ok {
				out = append(out, n)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Functions returns the names that expressions can call, sorted.
func Functions() []string { return functionNames() }

// function is a row of the table of array functions. Sig lists the parameters in order: "name" must be
// given, "name=" may be; "*name" takes the remaining positions.
type function struct {
	sig string
	run func(b params) (value, error)
}

// params are the arguments of a call by parameter name; those not given are absent.
type params struct {
	fn   string
	vals map[string]value
	rest []value
}

// run binds the arguments to the parameters and calls the function.
func (a args) run(f function) (value, error) {
	b, err := a.bind(f.sig)
	if err != nil {
		return nil, err
	}
	return f.run(b)
}

func (a args) bind(sig string) (params, error) {
	b := params{fn: a.fn, vals: map[string]value{}}
	var names []string
	need := map[string]bool{}
	pos := a.pos
	for _, p := range strings.Fields(sig) {
		if n, ok := strings.CutPrefix(p, "*"); ok {
			b.rest = pos
			pos = nil
			names = append(names, n) // by keyword too
			continue
		}
		n, optional := strings.CutSuffix(p, "=")
		names = append(names, n)
		need[n] = !optional
		if len(pos) > 0 {
			b.vals[n] = pos[0]
			pos = pos[1:]
		}
	}
	if len(b.rest) > 0 && len(a.kw) > 0 {
		for k := range a.kw {
			if strings.Contains(sig, "*"+k) {
				return b, fmt.Errorf("%s: argument %q is given twice", a.fn, k)
			}
		}
	}
	if len(pos) > 0 {
		return b, fmt.Errorf("%s: got %d arguments, want at most %d: %s(%s)", a.fn, len(a.pos), len(names), a.fn, signature(sig))
	}
	for k, v := range a.kw {
		if !slices.Contains(names, k) {
			return b, fmt.Errorf("%s: unknown keyword %q%s; the call is %s(%s)", a.fn, k, suggest(k, names), a.fn, signature(sig))
		}
		if _, twice := b.vals[k]; twice {
			return b, fmt.Errorf("%s: argument %q is given twice", a.fn, k)
		}
		b.vals[k] = v
	}
	for _, n := range names {
		if _, ok := b.vals[n]; need[n] && !ok {
			return b, fmt.Errorf("%s: argument %q is missing: %s(%s)", a.fn, n, a.fn, signature(sig))
		}
	}
	return b, nil
}

// signature prints parameters for messages.
func signature(sig string) string { return strings.Join(strings.Fields(sig), ", ") }

// has reports whether an argument was given and is not None.
func (b params) has(name string) bool {
	v, ok := b.vals[name]
	if _, isNone := v.(none); isNone || v == nil {
		return false
	}
	return ok
}

// spread returns the arguments of a "*name" parameter: f(1, 2), f((1, 2)) and f(name=(1, 2)) alike; nil for none.
func (b params) spread(name string) value {
	switch len(b.rest) {
	case 0:
		return b.vals[name]
	case 1:
		return b.rest[0]
	}
	return tuple(b.rest)
}

// int returns an integer argument or its default.
func (b params) int(name string, def int64) (int64, error) {
	if !b.has(name) {
		return def, nil
	}
	return intOf(b.vals[name], b.fn+": "+name)
}

// bool returns a truth argument or its default.
func (b params) bool(name string, def bool) (bool, error) {
	if !b.has(name) {
		return def, nil
	}
	return boolOf(b.vals[name], b.fn+": "+name)
}

// float returns a number argument or its default.
func (b params) float(name string, def float64) (float64, error) {
	if !b.has(name) {
		return def, nil
	}
	return floatOf(b.vals[name], b.fn+": "+name)
}

// dtype returns a dtype argument or its default.
func (b params) dtype(name string, def dtype.DType) (dtype.DType, error) {
	if !b.has(name) {
		return def, nil
	}
	return dtypeOf(b.vals[name], b.fn+": "+name)
}

// callOp calls an elementwise operation: as many positions as it has operands, dtype= casts the result.
func callOp(o *kernels.Op, a args) (value, error) {
	if len(a.kw) == 0 && len(a.pos) == o.Arity {
		if o.ID == kernels.OpWhere {
			return where(a.pos)
		}
		return elementwise(o.Name, a.pos...)
	}
	for k := range a.kw {
		if k != "dtype" {
			return nil, fmt.Errorf("%s: unknown keyword %q", a.fn, k)
		}
	}
	if len(a.pos) != o.Arity {
		return nil, fmt.Errorf("%s: got %d arguments, want %d", a.fn, len(a.pos), o.Arity)
	}
	d, err := dtypeOf(a.kw["dtype"], a.fn+": dtype")
	if err != nil {
		return nil, err
	}
	v, err := elementwise(o.Name, a.pos...)
	if err != nil {
		return nil, err
	}
	return astype(v, d)
}

// where puts values by name: the values' attributes lead.
func where(pos []value) (value, error) { return elementwise("where", pos...) }

// astype converts an array, a variable, a number or the variables of a data set.
func astype(v value, d dtype.DType) (value, error) {
	switch x := v.(type) {
	case ndarray.Variable:
		return x.AsType(d), nil
	case *ndarray.Dataset:
		return x.Map(func(v ndarray.Variable) (ndarray.Variable, bool) { return v.AsType(d), true }), nil
	}
	a, err := asArray(v, "astype")
	if err != nil {
		return nil, err
	}
	return a.AsType(d), nil
}
