// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
)

// sized is a placed array that says how many bytes are stored.
type sized struct {
	*placed
	stored int64
}

func (s sized) StoredBytes(context.Context) (int64, error) { return s.stored, nil }

// TestReferrerClaimedShapes: shapes of which next to nothing is stored are refused before memory or time is spent on them.
func TestReferrerClaimedShapes(t *testing.T) {
	missing := func(chunk.Key) (formats.ChunkRef, error) { return formats.ChunkRef{Missing: true}, nil }
	many := chunk.Shape{1 << 50}
	numbers := newPlaced(nil, "little", missing)
	numbers.meta.Shape, numbers.meta.Grid = many, chunk.Regular(many, 2)
	texts := newPlaced(nil, "", missing)
	texts.meta.Shape, texts.meta.Grid = many, chunk.Regular(many, 1<<20)
	texts.meta.DType, texts.meta.ItemBytes, texts.meta.Stored = dtype.String, dtype.String.Size(), "str"
	for want, src := range map[string]formats.Source{"never written": sized{numbers, 12}, "too many for references": texts} {
		if got, err := refer(src, 0); !errors.Is(err, formats.ErrFormat) || !strings.Contains(err.Error(), want) {
			t.Errorf("%d references, %v, want an error about %q", len(got), err, want)
		}
	}
}
