// SPDX-License-Identifier: BSD-3-Clause

package arrow

import (
	"testing"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// held are the dtypes that tables have.
var held = []dtype.DType{dtype.Bool, dtype.Int8, dtype.Int16, dtype.Int32, dtype.Int64, dtype.Uint8, dtype.Uint16, dtype.Uint32, dtype.Uint64,
	dtype.Float16, dtype.Float32, dtype.Float64}

func TestIPC(t *testing.T) {
	formattest.Format(t, IPC, formattest.Options{Ext: ".arrow", DTypes: held, Attrs: true, Strings: true, Table: true, Codecs: []string{"", "none", "zstd:3", "lz4"}})
}

func TestParquet(t *testing.T) {
	formattest.Format(t, Parquet, formattest.Options{Ext: ".parquet", DTypes: held, Attrs: true, Strings: true, Table: true,
		Codecs: []string{"", "snappy", "gzip"}})
}
