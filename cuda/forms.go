// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/kernels"
)

// form is how a device runs the calls of one unit.
type form interface {
	// check reports a call that does not fit the unit.
	check(c *kernels.Call) error
	// reads says what the launches of a piece read of input i.
	reads(p *piece, i int) reading
	// changes returns the outputs of a call that are operands too, from a first one on.
	changes(c *kernels.Call) []*chunk.Chunk
	// whole returns a call in one piece.
	whole(c *kernels.Call) *piece
	// steps plans the launches of a piece; in holds the inputs as they lie on the device.
	steps(p *piece, in []*chunk.Chunk) []*step
	// halves cuts a piece in two, or three, that run one after the other, and may want them swept twice; nil where it cannot be cut.
	halves(p *piece) (parts []*piece, twice bool)
	// example returns the steps of a call over a shape with contiguous inputs, for what looks at sources.
	example(shape chunk.Shape, groups int64) ([]*step, error)
}

// reading is what is read of an operand.
type reading uint8

const (
	readsNothing reading = iota
	readsAll
	readsLone // the numbers of piece.lone
)

// forms has one line for each kind of unit: it returns nil for others, and an error wrapping kernels.ErrUnsupported where the device cannot run the unit.
var forms = []func(u kernels.Unit) (form, error){
	newProgramForm, // elementwise results and folds: program.go, render_map.go, render_fold.go
	newCombineForm, // states of folds: render_combine.go
	newScanForm,    // running folds: render_scan.go
	newProductForm, // products of matrices: render_product.go
}

// formOf returns the form of a unit.
func formOf(u kernels.Unit) (form, error) {
	for _, make := range forms {
		if f, err := make(u); f != nil || err != nil {
			return f, err
		}
	}
	return nil, fmt.Errorf("cuda: compile: %T: %w", u, kernels.ErrUnsupported)
}
