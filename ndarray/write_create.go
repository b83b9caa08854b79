// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"

	"github.com/arrayrun/arrayrun/formats/all"
)

// PlanWrite lays out the targets and opens a writer for each output, under a partial name beside
// its place. Coordinates, bounds, grid mappings and attributes go with the variables; a line is added to history.
// An output that exists is an error wrapping formats.ErrExists unless Overwrite is set. After an error nothing is left behind.
func PlanWrite(ctx context.Context, targets []Target) (*Writing, error) {
	return planWrite(ctx, targets, all.Create)
}
