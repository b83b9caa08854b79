// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// Values computes a with the engine and returns its elements in C order; the
// caller owns the slice. Elements of another dtype than T are cast as AsType does.
func Values[T dtype.Number](ctx context.Context, e Engine, a Array) ([]T, error) {
	c, err := Compute(ctx, e, a.AsType(dtype.Of[T]()))
	if err != nil {
		return nil, err
	}
	return chunk.Elems[T](c.Block), nil
}

// Compute computes a with the engine and returns it as one C-ordered chunk in Go
// memory, which the caller owns. It is for results that fit memory beside the engine's budget.
// Where a length was not known before, the chunk's shape tells it.
func Compute(ctx context.Context, e Engine, a Array) (*chunk.Chunk, error) {
	out, err := ComputeAll(ctx, e, a)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// resolver is an engine that can find out lengths that depend on values.
type resolver interface {
	Resolve(ctx context.Context, list ...Array) ([]Array, error)
}

// ComputeAll is Compute of several arrays in one run, so that what they share is
// computed once.
func ComputeAll(ctx context.Context, e Engine, list ...Array) ([]*chunk.Chunk, error) {
	if r, ok := e.(resolver); ok {
		var err error
		if list, err = r.Resolve(ctx, list...); err != nil {
			return nil, err
		}
	}
	chunks := make([]*chunk.Chunk, len(list))
	outputs := make([]Output, len(list))
	for i, a := range list {
		if err := a.Err(); err != nil {
			return nil, err
		}
		for k, d := range a.Shape() {
			if d < 0 {
				return nil, fmt.Errorf("ndarray: compute: the length of axis %d is not known before the run; compute the mask first", k)
			}
		}
		c := hostChunk(a.DType(), a.Node().ItemBytes, a.Shape())
		chunks[i] = c
		outputs[i] = Output{Array: a, Name: fmt.Sprintf("result %d", i), Into: c}
	}
	if err := e.Run(ctx, outputs); err != nil {
		return nil, err
	}
	return chunks, nil
}
