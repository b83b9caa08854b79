// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/store"
)

// TestOrder: an order that the specification does not have is refused, as zarr-python does, and not taken for C.
func TestOrder(t *testing.T) {
	ctx := context.Background()
	for order, good := range map[string]bool{`"C"`: true, `"F"`: true, `"Q"`: false, `null`: false, `[0]`: false} {
		m := new(store.Memory)
		doc := `{"zarr_format":2,"shape":[2,2],"chunks":[2,2],"dtype":"<i2","compressor":null,"filters":null,"fill_value":7,"order":` + order + `}`
		if err := m.Put(ctx, ".zarray", []byte(doc), store.PutOpt{}); err != nil {
			t.Fatal(err)
		}
		g, err := OpenStore(ctx, m)
		if err == nil {
			err = g.Vars[0].Err
		}
		if good != (err == nil) || !good && (!errors.Is(err, formats.ErrCorrupt) || !strings.Contains(err.Error(), "order")) {
			t.Errorf("order %s: %v", order, err)
		}
	}
}
