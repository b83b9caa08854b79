// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"testing"

	"github.com/arrayrun/arrayrun/formats/formattest"
)

func TestFormat(t *testing.T) {
	for _, member := range []string{"zarr3", "zarr2"} {
		t.Run(member, func(t *testing.T) {
			formattest.Format(t, Format, formattest.Options{Ext: ".zarr", Member: member, Attrs: true, Dims: true, Strings: true, Chunked: true})
		})
	}
}
