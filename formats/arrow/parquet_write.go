// SPDX-License-Identifier: BSD-3-Clause

package arrow

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"math"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/metadata"
	"github.com/apache/arrow/go/v17/parquet/schema"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
)

// parquetCodecs are the compressions of pages by the names of VarSpec.Codec.
var parquetCodecs = map[string]compress.Compression{"": compress.Codecs.Zstd, "zstd": compress.Codecs.Zstd, "none": compress.Codecs.Uncompressed,
	"snappy": compress.Codecs.Snappy, "gzip": compress.Codecs.Gzip, "zlib": compress.Codecs.Gzip, "brotli": compress.Codecs.Brotli}

// writeParquet writes the staged columns as row groups, one column of one row group in memory at a time.
func writeParquet(w *writer, out io.WriteSeeker) error {
	if err := ownPackers(); err != nil {
		return err
	}
	name, n, err := level(w.codec())
	if err != nil {
		return err
	}
	codec, ok := parquetCodecs[name]
	if !ok {
		return refused("codec %q: Parquet files have none, snappy, zstd, gzip and brotli", name)
	}
	props := []parquet.WriterProperty{parquet.WithCompression(codec), parquet.WithCreatedBy("arrayrun"), parquet.WithVersion(parquet.V2_LATEST),
		parquet.WithMaxRowGroupLength(w.group), parquet.WithDictionaryPageSizeLimit(dictionaryBytes), parquet.WithDataPageSize(pageBytes)}
	if n >= 0 && name != "none" && name != "snappy" {
		props = append(props, parquet.WithCompressionLevel(n))
	}
	var nodes schema.FieldList
	for _, c := range w.cols {
		node, err := c.node()
		if err != nil {
			return fmt.Errorf("column %s: %w", c.name, err)
		}
		nodes = append(nodes, node)
		if c.sink.spec.DType.IsFloat() {
			// a dictionary has one NaN for all, and floats seldom repeat
			props = append(props, parquet.WithDictionaryFor(c.name, false))
		}
	}
	root, err := schema.NewGroupNode("schema", parquet.Repetitions.Required, nodes, -1)
	if err != nil {
		return err
	}
	kv := metadata.NewKeyValueMetadata()
	arrowSchema := w.schema()
	for _, p := range pairsOf(arrowSchema) {
		if err := kv.Append(p.key, p.value); err != nil {
			return err
		}
	}
	text, err := embedded(arrowSchema)
	if err != nil {
		return err
	}
	if err := kv.Append("ARROW:schema", text); err != nil {
		return err
	}
	f := file.NewParquetWriter(out, root, file.WithWriterProps(parquet.NewWriterProperties(props...)), file.WithWriteMetadata(kv))
	for lo := int64(0); lo < w.rows; lo += w.group {
		rows := min(w.group, w.rows-lo)
		g := f.AppendRowGroup()
		for _, c := range w.cols {
			cw, err := g.NextColumn()
			if err != nil {
				return err
			}
			if err := c.put(cw, lo, rows); err != nil {
				return err
			}
			if err := cw.Close(); err != nil {
				return err
			}
		}
		if err := g.Close(); err != nil {
			return err
		}
	}
	return f.Close()
}

func pairsOf(s *arrow.Schema) (out []pair) {
	m := s.Metadata()
	for i, k := range m.Keys() {
		out = append(out, pair{k, m.Values()[i]})
	}
	return out
}

// embedded is Arrow's schema as Parquet files carry it: the stream's first message in base64.
func embedded(s *arrow.Schema) (string, error) {
	var b bytes.Buffer
	w := ipc.NewWriter(&b, ipc.WithSchema(s))
	if err := w.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

// node is the column in Parquet's schema.
func (c *outColumn) node() (schema.Node, error) {
	rep := parquet.Repetitions.Required
	if c.moment {
		rep = parquet.Repetitions.Optional
	}
	typ, length := parquet.Types.Int32, -1
	var logical schema.LogicalType = schema.NoLogicalType{}
	dt := c.sink.spec.DType
	switch t := c.field.Type.(type) {
	case *arrow.BooleanType:
		typ = parquet.Types.Boolean
	case *arrow.StringType:
		typ, logical = parquet.Types.ByteArray, schema.StringLogicalType{}
	case *arrow.BinaryType:
		typ = parquet.Types.ByteArray
	case *arrow.FixedSizeBinaryType:
		typ, length = parquet.Types.FixedLenByteArray, t.ByteWidth
	case *arrow.Float16Type:
		typ, length, logical = parquet.Types.FixedLenByteArray, 2, schema.Float16LogicalType{}
	case *arrow.Float32Type:
		typ = parquet.Types.Float
	case *arrow.Float64Type:
		typ = parquet.Types.Double
	case *arrow.TimestampType:
		unit := map[arrow.TimeUnit]schema.TimeUnitType{arrow.Millisecond: schema.TimeUnitMillis, arrow.Microsecond: schema.TimeUnitMicros,
			arrow.Nanosecond: schema.TimeUnitNanos}[t.Unit]
		typ, logical = parquet.Types.Int64, schema.NewTimestampLogicalTypeForce(t.TimeZone != "", unit)
	case *arrow.DurationType, *arrow.Int64Type:
		typ = parquet.Types.Int64
	case *arrow.Int32Type:
	default:
		if dt.Size() == 8 {
			typ = parquet.Types.Int64
		}
		logical = schema.NewIntLogicalType(int8(8*dt.Size()), dt.Kind() == dtype.KindInt)
	}
	return schema.NewPrimitiveNodeLogical(c.name, rep, logical, typ, length, -1)
}

// dictionaryBytes is where a dictionary is given up. The library's table of values grows to four times its size when it is half full: one
// of 65,536 numbers takes 12 MiB, one of a few less 3 MiB.
const dictionaryBytes = 240 << 10

// pageBytes is the size of a page. Three or four copies of one are alive while it is packed.
const pageBytes = 512 << 10

// putRows is how many rows are given to the library at once. It keeps pages, not what they were made from.
const putRows = 32 << 10

// put writes n rows from lo on to a column of a row group.
func (c *outColumn) put(w file.ColumnChunkWriter, lo, n int64) error {
	for end := lo + n; lo < end; lo += putRows {
		if err := c.putSome(w, lo, min(putRows, end-lo)); err != nil {
			return fmt.Errorf("column %s: %w", c.name, err)
		}
	}
	return nil
}

func (c *outColumn) putSome(w file.ColumnChunkWriter, lo, n int64) error {
	elems, heap, base, err := c.rowsOf(lo, n)
	if err != nil {
		return err
	}
	switch w := w.(type) {
	case *file.BooleanColumnChunkWriter:
		v := make([]bool, n)
		for i := range v {
			v[i] = elems[i] != 0
		}
		_, err = w.WriteBatch(v, nil, nil)
	case *file.Int32ColumnChunkWriter:
		_, err = w.WriteBatch(int32s(elems, c.sink.spec.DType), nil, nil)
	case *file.Int64ColumnChunkWriter:
		v := chunk.Elems[int64](mem.Wrap(elems))
		var levels []int16
		if c.moment { // those that are there move to the front
			levels = make([]int16, n)
			times := v[:0]
			for i, x := range v {
				if x != math.MinInt64 {
					levels[i] = 1
					times = append(times, x)
				}
			}
			v = times
		}
		_, err = w.WriteBatch(v, levels, nil)
	case *file.Float32ColumnChunkWriter:
		_, err = w.WriteBatch(chunk.Elems[float32](mem.Wrap(elems)), nil, nil)
	case *file.Float64ColumnChunkWriter:
		_, err = w.WriteBatch(chunk.Elems[float64](mem.Wrap(elems)), nil, nil)
	case *file.ByteArrayColumnChunkWriter:
		v := make([]parquet.ByteArray, n)
		for i := range v {
			v[i] = c.text(elems, heap, base, int64(i))
		}
		_, err = w.WriteBatch(v, nil, nil)
		c.elems, c.heap = nil, nil // the least and the greatest text of a row group stay where they are
	case *file.FixedLenByteArrayColumnChunkWriter:
		v := make([]parquet.FixedLenByteArray, n)
		item := c.sink.item
		for i := range v {
			v[i] = elems[i*item : (i+1)*item]
		}
		_, err = w.WriteBatch(v, nil, nil)
		c.elems = nil // as those of texts
	default:
		err = fmt.Errorf("no writer of %v", w.Type())
	}
	return err
}

// int32s widens integers of up to 32 bits; uint32 keeps its bits.
func int32s(b []byte, dt dtype.DType) []int32 {
	out := make([]int32, len(b)/dt.Size())
	for i := range out {
		switch dt {
		case dtype.Int8:
			out[i] = int32(int8(b[i]))
		case dtype.Uint8:
			out[i] = int32(b[i])
		case dtype.Int16:
			out[i] = int32(int16(nativeEndian.Uint16(b[2*i:])))
		case dtype.Uint16:
			out[i] = int32(nativeEndian.Uint16(b[2*i:]))
		default:
			out[i] = int32(nativeEndian.Uint32(b[4*i:]))
		}
	}
	return out
}
