// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/expr"
)

// files are the data sets an evaluation has open.
type files struct {
	open []*ndarray.Dataset
	lost *formats.Missing // nil: damage is an error
}

func (f *files) close() {
	for _, ds := range f.open {
		_ = ds.Close() // opened for reading: nothing is lost
	}
}

// bind opens an input, many files joined, and puts its variables into env. A named input is its
// variable when there is exactly one that is not a coordinate, bounds or grid
// mapping, else the data set; without a name every variable has its own.
func (f *files) bind(ctx context.Context, env expr.Env, in input, raw bool, memory int64) error {
	var options []ndarray.OpenOption
	if memory > 0 {
		options = append(options, ndarray.Budget(memory))
	}
	if raw || in.raw {
		options = append(options, ndarray.Raw())
	}
	if f.lost != nil {
		options = append(options, ndarray.Missing(f.lost))
	}
	if in.chunks != nil {
		options = append(options, ndarray.OnGrid(in.chunks...))
	}
	ds, err := ndarray.OpenMany(ctx, in.uris, options...)
	if err != nil {
		return err
	}
	f.open = append(f.open, ds)
	if in.name != "" {
		if v, ok := ds.Main(); ok {
			env[in.name] = plain(ds, v)
		} else {
			env[in.name] = ds
		}
		return nil
	}
	for _, name := range ds.Names() {
		env[name] = plain(ds, ds.Var(name))
	}
	return nil
}

// plain returns a variable whose file names no dimensions as an array without
// names; so is a scalar of a file without any dimension.
func plain(ds *ndarray.Dataset, v ndarray.Variable) any {
	if ds.IsPlain(v.Name()) || v.Err() == nil && v.Rank() == 0 && len(ds.Dims()) == 0 {
		return v.Array()
	}
	return v
}
