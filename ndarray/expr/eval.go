// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// Env binds names to what files brought: ndarray.Array, ndarray.Variable or *ndarray.Dataset.
type Env map[string]any

// Named is a result with its name; the expression at the end, where it is not an assignment, has none.
type Named struct {
	Name  string
	Value any // ndarray.Array, ndarray.Variable, ndarray.Table or *ndarray.Dataset
}

// Result is what an expression gives: the assigned names in order, and the value of the last statement.
type Result struct {
	Named []Named
	Last  Named
}

// Lookup returns an assigned value; the last of a name assigned twice.
func (r *Result) Lookup(name string) (any, bool) {
	for i := len(r.Named) - 1; i >= 0; i-- {
		if r.Named[i].Name == name {
			return r.Named[i].Value, true
		}
	}
	return nil, false
}

// Eval builds the arrays an expression means; nothing is computed. Every error is an *Error. Assigned values
// that are not arrays (numbers become 0-d arrays) are left out of the result; the last one must be one.
func Eval(src string, env Env) (*Result, error) {
	statements, err := Parse(src)
	if err != nil {
		return nil, err
	}
	e := &evaluator{env: env, vars: map[string]value{}}
	r := &Result{}
	for i, s := range statements {
		v, err := e.eval(s.X)
		if err != nil {
			return nil, err
		}
		last := i == len(statements)-1
		if s.Name != "" {
			e.vars[s.Name] = v
		} else if !last {
			continue
		}
		res, err := asResult(v)
		if err != nil {
			if last {
				return nil, s.X.At().wrap(err)
			}
			continue
		}
		if s.Name != "" {
			r.Named = append(r.Named, Named{s.Name, res})
		}
		if last {
			r.Last = Named{s.Name, res}
		}
	}
	return r, nil
}

// asResult returns a value as what can be computed and written.
func asResult(v value) (any, error) {
	switch x := v.(type) {
	case ndarray.Array, ndarray.Variable, ndarray.Table, *ndarray.Dataset:
		return x, nil
	case ndarray.GroupBy, perVariable:
		return nil, fmt.Errorf("the result is groups: reduce them, for instance with .mean()")
	case ndarray.Rolling, ndarray.Coarsen:
		return nil, fmt.Errorf("the result is windows: reduce them, for instance with .mean()")
	case record:
		return nil, fmt.Errorf("the result is %d values: take one, for instance .%s", len(x.tuple), x.names[0])
	case tuple:
		if len(x) > 0 && !isNumber(x[0]) {
			return nil, fmt.Errorf("the result is %d values: name them, for instance lo = min(a); hi = max(a)", len(x))
		}
		return asArray(x, "array")
	}
	return asArray(v, "array")
}

// evaluator walks statements.
type evaluator struct {
	env  Env
	vars map[string]value
}

// eval returns the value of a node; errors have its place.
func (e *evaluator) eval(n Node) (value, error) {
	v, err := e.evalNode(n)
	if err == nil {
		err = errOf(v)
	}
	if err != nil {
		return nil, n.At().wrap(plainErr(err))
	}
	return v, nil
}

// errOf returns the error an array carries.
func errOf(v value) error {
	switch x := v.(type) {
	case ndarray.Array:
		return x.Err()
	case ndarray.Variable:
		return x.Err()
	case ndarray.Table:
		return x.Err()
	case ndarray.GroupBy:
		return x.Err()
	case ndarray.Weighted:
		return x.Err()
	case ndarray.Rolling:
		return x.Err()
	case ndarray.Coarsen:
		return x.Err()
	}
	return nil
}

// plainErr takes the place in Go code off an error: the expression has its own.
func plainErr(err error) error {
	var at *graph.Error
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

func (e *evaluator) evalNode(n Node) (value, error) {
	switch x := n.(type) {
	case *Int:
		return x.Value, nil
	case *Float:
		return x.Value, nil
	case *Imag:
		return complex(0, x.Value), nil
	case *Str:
		return x.Value, nil
	case *Word:
		switch x.Value {
		case "True":
			return true, nil
		case "False":
			return false, nil
		}
		return none{}, nil
	case *Ellipsis:
		return ellipsis{}, nil
	case *Name:
		return e.name(x)
	case *Seq:
		items := make([]value, len(x.Items))
		for i, it := range x.Items {
			v, err := e.eval(it)
			if err != nil {
				return nil, err
			}
			items[i] = v
		}
		if x.IsTuple {
			return tuple(items), nil
		}
		return list(items), nil
	case *Unary:
		v, err := e.eval(x.X)
		if err != nil {
			return nil, err
		}
		return unary(x.Op, v)
	case *Binary:
		a, err := e.eval(x.X)
		if err != nil {
			return nil, err
		}
		b, err := e.eval(x.Y)
		if err != nil {
			return nil, err
		}
		return binary(x.Op, a, b)
	case *Attr:
		v, err := e.eval(x.X)
		if err != nil {
			return nil, err
		}
		return attribute(v, x.Name)
	case *Index:
		v, err := e.eval(x.X)
		if err != nil {
			return nil, err
		}
		return e.index(v, x)
	case *Call:
		return e.call(x)
	}
	return nil, fmt.Errorf("%v is not a value", n)
}

// constants are the names with a value of their own; names from files hide them.
var constants = map[string]value{
	"inf": math.Inf(1), "nan": math.NaN(), "pi": math.Pi, "e": math.E, "newaxis": none{},
	"Inf": math.Inf(1), "NaN": math.NaN(),
}

func (e *evaluator) name(x *Name) (value, error) {
	if v, ok := e.vars[x.Value]; ok {
		return v, nil
	}
	if v, ok := e.env[x.Value]; ok {
		return v, nil
	}
	if v, ok := constants[x.Value]; ok {
		return v, nil
	}
	if d, err := dtype.Parse(x.Value); err == nil && len(x.Value) > 1 && !strings.ContainsAny(x.Value[:1], "<>=|?") {
		return d, nil
	}
	if isFunction(x.Value) {
		return nil, fmt.Errorf("%s is a function: call it, for instance %s(a)", x.Value, x.Value)
	}
	names := make([]string, 0, len(e.env)+len(e.vars))
	for k := range e.vars {
		names = append(names, k)
	}
	for k := range e.env {
		names = append(names, k)
	}
	return nil, fmt.Errorf("name %q is not defined%s", x.Value, suggest(x.Value, names))
}

// describe names a value for messages.
func describe(v value) string {
	switch x := v.(type) {
	case none:
		return "None"
	case ellipsis:
		return "..."
	case bool:
		if x {
			return "True"
		}
		return "False"
	case *big.Int:
		return x.String()
	case float64, complex128:
		return fmt.Sprint(x)
	case string:
		return fmt.Sprintf("%q", x)
	case list:
		return fmt.Sprintf("a list of %d", len(x))
	case record:
		return "a tuple of " + strings.Join(x.names, ", ")
	case tuple:
		return fmt.Sprintf("a tuple of %d", len(x))
	case dtype.DType:
		return "the dtype " + x.String()
	case ndarray.Array:
		return "an array " + x.String()
	case ndarray.Variable:
		return "the variable " + x.String()
	case *ndarray.Dataset:
		return x.String()
	case ndarray.Table:
		return "a table of " + strings.Join(x.Columns(), ", ")
	case ndarray.GroupBy:
		return "groups"
	case ndarray.Weighted:
		return "a weighted variable"
	case ndarray.Rolling, ndarray.Coarsen:
		return "windows"
	case slice:
		return "a slice"
	case facts:
		return "the facts of " + x.kind
	case generator:
		return "a generator of random numbers"
	}
	return fmt.Sprintf("%v", v)
}

// slice is the value of slice(lo, hi, step).
type slice struct{ lo, hi, step value }

// timeParts is a.time.dt: the parts of a time.
type timeParts struct{ v ndarray.Variable }

// suggest returns a hint with the known name nearest to a misspelt one.
func suggest(name string, known []string) string {
	best, at := 3, ""
	for _, k := range known {
		if d := distance(name, k); d < best || d == best && at != "" && k < at {
			best, at = d, k
		}
	}
	if at == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", at)
}

// distance is the number of edits between two short names.
func distance(a, b string) int {
	if len(a) > 40 || len(b) > 40 {
		return 99
	}
	prev, before := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := range len(a) {
		cur := make([]int, len(b)+1)
		cur[0] = i + 1
		for j := range len(b) {
			d := prev[j]
			if a[i] != b[j] {
				d++
			}
			cur[j+1] = min(d, cur[j]+1, prev[j+1]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				cur[j+1] = min(cur[j+1], before[j-1]+1) // two letters exchanged
			}
		}
		prev, before = cur, prev
	}
	return prev[len(b)]
}
