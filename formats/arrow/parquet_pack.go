// SPDX-License-Identifier: BSD-3-Clause

package arrow

import (
	"fmt"
	"sync"

	"github.com/apache/arrow/go/v17/parquet/compress"

	"github.com/arrayrun/arrayrun/formats/codec"
)

// ownPackers makes the library pack pages with our codecs: its own make an encoder, megabytes of tables, for every page.
var ownPackers = sync.OnceValue(func() error {
	for _, x := range []struct {
		name  string
		codec compress.Compression
		level int64 // where nobody asks for one
	}{{"zstd", compress.Codecs.Zstd, 3}, {"gzip", compress.Codecs.Gzip, 6}} {
		theirs, err := compress.GetCodec(x.codec)
		if err != nil {
			return err
		}
		entry, ok := codec.ByName(x.name)
		if !ok {
			return fmt.Errorf("codec %s is missing", x.name)
		}
		compress.RegisterCodec(x.codec, pagePacker{theirs, entry, x.level})
	}
	return nil
})

// pagePacker is a compress.Codec that packs pages with one of our codecs; what pages do not need is the library's.
type pagePacker struct {
	compress.Codec
	entry *codec.Entry
	level int64
}

// Encode implements compress.Codec.
func (p pagePacker) Encode(dst, src []byte) []byte {
	return p.EncodeLevel(dst, src, compress.DefaultCompressionLevel)
}

// EncodeLevel implements compress.Codec. It panics, as the library's own do, where the level is none: guard makes that an error.
func (p pagePacker) EncodeLevel(dst, src []byte, level int) []byte {
	n := int64(level)
	if level == compress.DefaultCompressionLevel {
		n = p.level
	}
	stage, err := p.entry.New(codec.Config{"level": n}, 1)
	if err != nil {
		panic(err)
	}
	z := codec.Borrow()
	defer z.Return()
	out, err := stage.Encode(dst[:0], src, z)
	if err != nil {
		panic(err)
	}
	return out
}

// CompressBound implements compress.Codec.
func (p pagePacker) CompressBound(n int64) int64 {
	stage, err := p.entry.New(codec.Config{"level": p.level}, 1)
	if err != nil {
		panic(err)
	}
	return int64(stage.Bound(int(n)))
}
