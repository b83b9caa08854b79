// SPDX-License-Identifier: BSD-3-Clause

package arrow

import (
	"io"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"
)

// writeIPC writes the staged columns as an Arrow file of record batches.
func writeIPC(w *writer, out io.WriteSeeker) error {
	opts := []ipc.Option{ipc.WithSchema(w.schema())}
	switch name, _, err := level(w.codec()); {
	case err != nil:
		return err
	case name == "" || name == "none":
	case name == "zstd":
		opts = append(opts, ipc.WithZstd())
	case name == "lz4":
		opts = append(opts, ipc.WithLZ4())
	default:
		return refused("codec %q: Arrow files have none, zstd and lz4", name)
	}
	f, err := ipc.NewFileWriter(out, opts...)
	if err != nil {
		return err
	}
	for lo := int64(0); lo < w.rows; lo += w.group {
		n := min(w.group, w.rows-lo)
		var cols []arrow.Array
		for _, c := range w.cols {
			a, err := c.array(lo, n)
			if err != nil {
				return err
			}
			cols = append(cols, a)
		}
		if err := f.Write(array.NewRecord(w.schema(), cols, n)); err != nil {
			return err
		}
	}
	return f.Close()
}

// codec is what the first variable that has one asks for.
func (w *writer) codec() string {
	for _, c := range w.cols {
		if c.sink.spec.Codec != "" {
			return c.sink.spec.Codec
		}
	}
	return ""
}
