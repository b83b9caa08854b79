// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"testing"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

func TestFormat(t *testing.T) {
	formattest.Format(t, NetCDF4, formattest.Options{
		Ext: ".nc", Attrs: true, Dims: true, Strings: true, Chunked: true,
		DTypes: []dtype.DType{dtype.Int8, dtype.Int16, dtype.Int32, dtype.Int64, dtype.Uint8, dtype.Uint16, dtype.Uint32, dtype.Uint64, dtype.Float32, dtype.Float64},
	})
}
