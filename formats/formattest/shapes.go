// SPDX-License-Identifier: BSD-3-Clause

package formattest

import (
	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
)

// shape returns the shape and steps under which the format is given an array of the given ones.
func (o Options) shape(shape, steps chunk.Shape) (chunk.Shape, chunk.Shape) {
	if o.Image {
		return image(shape, steps)
	}
	if !o.Table || len(shape) < 2 {
		return shape, steps
	}
	if steps != nil {
		steps = chunk.Shape{steps.Size()}
	}
	return chunk.Shape{shape.Size()}, steps
}

// image makes two or three dimensions that are not empty.
func image(shape, steps chunk.Shape) (chunk.Shape, chunk.Shape) {
	if shape.Size() == 0 {
		return chunk.Shape{2, 4}, nil
	}
	for len(shape) < 2 {
		shape, steps = append(chunk.Shape{1}, shape...), nil
	}
	if len(shape) > 3 {
		return chunk.Shape{5, 7}, nil
	}
	return shape, steps
}

// dims returns dimensions of an array of that shape, by the names of the last ones.
func (o Options) dims(shape chunk.Shape, names ...string) (dims []formats.Dim, used []string) {
	names = names[len(names)-len(shape):]
	for i, n := range shape {
		dims = append(dims, formats.Dim{Name: names[i], Size: n})
	}
	return dims, names
}
