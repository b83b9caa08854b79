// SPDX-License-Identifier: BSD-3-Clause

// Package expr turns the text of an expression into lazy arrays.
//
// # Nouns
//
// Parse gives Statements of Nodes, Python's expression grammar as NumPy and xarray users type
// it. Eval walks them with an Env, the names that files brought, and gives a Result: named
// values, the last of which is the expression's own. Nothing is computed; every operator
// and function adds to the graph. An *Error carries line and column.
//
// # Example
//
//	env := expr.Env{"a": ndarray.FromSlice([]float64{1, 2, 3})}
//	r, err := expr.Eval("b = a * 2; b.mean()", env)
//
// # Meaning
//
// Function names come from the tables of package kernels; functions.go,
// shaping.go, mathematics.go and labels.go add what is not a row of a table. Literals, and operators between literals alone, follow Python (10**-3 is
// 0.001, 1/0 is an error) and are weak: beside an array they take its dtype. Results of
// functions are strong.
//
// # What it must not know
//
// Files, engines, devices. A value needed while building (a label, a length) is a host value already.
//
// # Adding
//
// An operation or a reduction needs nothing here. An array function is one row of the table in
// functions.go; a method of labelled values one row of the tables in labels.go.
package expr
