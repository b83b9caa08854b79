// SPDX-License-Identifier: BSD-3-Clause

package tiff

import (
	"fmt"
	"sync"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
)

// The tags that are understood.
const (
	tagSubfileType     = 254
	tagWidth           = 256
	tagLength          = 257
	tagBits            = 258
	tagCompression     = 259
	tagPhotometric     = 262
	tagFillOrder       = 266
	tagDescription     = 270
	tagStripOffsets    = 273
	tagSamples         = 277
	tagRowsPerStrip    = 278
	tagStripCounts     = 279
	tagPlanar          = 284
	tagT4Options       = 292
	tagT6Options       = 293
	tagPredictor       = 317
	tagColorMap        = 320
	tagTileWidth       = 322
	tagTileLength      = 323
	tagTileOffsets     = 324
	tagTileCounts      = 325
	tagSubIFDs         = 330
	tagExtraSamples    = 338
	tagSampleFormat    = 339
	tagJPEGTables      = 347
	tagSubsampling     = 530
	tagImageDepth      = 32997
	tagTileDepth       = 32998
	tagGDALMetadata    = 42112
	tagGDALNodata      = 42113
	tagPixelScale      = 33550
	tagTiepoint        = 33922
	tagTransformation  = 34264
	tagGeoKeys         = 34735
	tagGeoDoubles      = 34736
	tagGeoTexts        = 34737
	photometricPalette = 3
	photometricYCbCr   = 6
	formatUint         = 1
	formatInt          = 2
	formatFloat        = 3
	formatUndefined    = 4
	formatComplexInt   = 5
	formatComplexFloat = 6
)

// page is one image of the file.
type page struct {
	f      *file
	d      *ifd
	sub    bool    // it comes from the list of another page
	subs   []*page // that it lists, when they have been read
	err    error
	large  bool // a strip is too large to be read as a whole
	width  int64
	height int64
	shape  chunk.Shape // in the order of axes
	axes   string      // YX, YXS or SYX
	layout             // what is needed to decode, the same for all pages of a series

	once    sync.Once
	offsets []int64
	counts  []int64
	listErr error
}

// layout is how the pixels of a page are stored. It is comparable: pages with the same layout form a series.
type layout struct {
	samples     int
	bits        int
	format      int
	dtype       dtype.DType
	planar      bool // each sample has its own segments
	compression int
	predictor   int
	photometric int
	fillOrder   int
	tiled       bool
	segWidth    int64 // of a tile; of a strip the page's width
	segHeight   int64
	subsampling [2]int64
	options     int64  // of the CCITT compressions
	tables      string // of JPEG
	reduced     bool
}

// newPage interprets a directory. A page that cannot be decoded has err; one without an image has no shape.
func (f *file) newPage(d *ifd, sub bool) (*page, error) {
	p := &page{f: f, d: d, sub: sub}
	var err error
	get := func(tag int, def int64) int64 {
		v, e := f.number(d, tag, def)
		if err == nil && e != nil {
			err = e
		}
		return v
	}
	p.width, p.height = get(tagWidth, 0), get(tagLength, 0)
	p.samples, p.bits = int(get(tagSamples, 1)), int(get(tagBits, 1))
	p.compression, p.predictor = int(get(tagCompression, 1)), int(get(tagPredictor, 1))
	p.photometric, p.fillOrder = int(get(tagPhotometric, 1)), int(get(tagFillOrder, 1))
	p.format = int(get(tagSampleFormat, formatUint))
	p.planar = get(tagPlanar, 1) == 2 && p.samples > 1
	p.reduced = get(tagSubfileType, 0)&1 != 0
	p.options = get(tagT4Options, 0)
	depth := get(tagImageDepth, 1)
	if p.subsampling = [2]int64{1, 1}; p.photometric == photometricYCbCr {
		p.subsampling = [2]int64{2, 2}
		if e := d.find(tagSubsampling); e != nil && e.count == 2 {
			v, e := f.ints(e)
			if e != nil {
				return nil, e
			}
			p.subsampling = [2]int64{v[0], v[1]}
		}
	}
	if err != nil {
		return nil, err
	}
	if p.width == 0 || p.height == 0 {
		return p, nil
	}
	if p.width < 0 || p.height < 0 || p.width > 1<<40 || p.height > 1<<40 || p.samples < 1 || p.samples > 1<<16 || p.bits < 1 || p.bits > 128 {
		return nil, corrupt("page at %d: %d x %d pixels of %d samples of %d bits", d.off, p.width, p.height, p.samples, p.bits)
	}
	p.segWidth, p.segHeight = p.width, min(get(tagRowsPerStrip, p.height), p.height)
	if d.find(tagTileOffsets) != nil || d.find(tagTileWidth) != nil {
		p.tiled = true
		p.segWidth, p.segHeight = get(tagTileWidth, 0), get(tagTileLength, 0)
	}
	if p.segHeight == 0 && !p.tiled {
		p.segHeight = p.height
	}
	if err != nil {
		return nil, err
	}
	if p.segWidth < 1 || p.segHeight < 1 || p.segWidth > 1<<31 || p.segHeight > 1<<31 {
		return nil, corrupt("page at %d: tiles of %d x %d pixels", d.off, p.segWidth, p.segHeight)
	}
	if e := d.find(tagJPEGTables); e != nil && p.compression == compressJPEG {
		b, err := f.raw(e, 1<<20)
		if err != nil {
			return nil, err
		}
		p.tables = string(b)
	}
	p.err = p.check(depth)
	p.shape, p.axes = chunk.Shape{p.height, p.width}, "YX"
	switch {
	case p.samples > 1 && p.planar:
		p.shape, p.axes = chunk.Shape{int64(p.samples), p.height, p.width}, "SYX"
	case p.samples > 1:
		p.shape, p.axes = chunk.Shape{p.height, p.width, int64(p.samples)}, "YXS"
	}
	return p, nil
}

// check finds the dtype and says why the page cannot be decoded.
func (p *page) check(depth int64) error {
	p.dtype = sampleType(p.format, p.bits)
	refuse := func(format string, args ...any) error {
		return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), formats.ErrFormat)
	}
	same := func(tag int, want int64, what string) error {
		e := p.d.find(tag)
		if e == nil {
			return nil
		}
		v, err := p.f.ints(e)
		if err != nil {
			return err
		}
		for _, x := range v {
			if x != want {
				return refuse("samples of different %s %v are not supported", what, v)
			}
		}
		return nil
	}
	if err := same(tagBits, int64(p.bits), "widths"); err != nil {
		return err
	}
	if err := same(tagSampleFormat, int64(p.format), "formats"); err != nil {
		return err
	}
	tileDepth, _ := p.f.number(p.d, tagTileDepth, 1)
	switch {
	case p.dtype == dtype.Invalid:
		return refuse("samples of %d bits of format %d are not supported", p.bits, p.format)
	case depth > 1 || tileDepth > 1:
		return refuse("images of %d planes are not supported", depth)
	case compressions[p.compression].decode == nil:
		name := compressions[p.compression].name
		if name == "" {
			name = fmt.Sprint(p.compression)
		}
		return refuse("compression %s is not supported; rewrite the file with deflate or zstd", name)
	case p.predictor < 1 || p.predictor > 3:
		return refuse("predictor %d is not supported", p.predictor)
	case p.predictor == 3 && p.format != formatFloat:
		return corrupt("predictor 3 for samples of format %d", p.format)
	case p.predictor == 2 && p.bits > 64:
		return refuse("predictor 2 for samples of %d bits is not supported", p.bits)
	case p.photometric == photometricYCbCr && p.compression != compressJPEG && p.subsampling != [2]int64{1, 1}:
		return refuse("subsampled colours (%d x %d) without JPEG compression are not supported", p.subsampling[0], p.subsampling[1])
	case p.compression == compressJPEG && (p.bits != 8 || p.predictor != 1 || p.samples == 2 || p.samples > 3 && !p.planar):
		return refuse("JPEG of %d samples of %d bits is not supported", p.samples, p.bits)
	case compressions[p.compression].bilevel && (p.bits != 1 || p.samples > 1 && !p.planar):
		return corrupt("compression %s of %d samples of %d bits", compressions[p.compression].name, p.samples, p.bits)
	}
	n, err := chunk.Shape{p.segWidth, p.segHeight, int64(p.inPixel())}.Bytes(int64(max(p.dtype.Size(), (p.bits+7)/8)))
	if p.large = err != nil || n > maxSegment; p.large && !p.plain() {
		return p.tooLarge()
	}
	return nil
}

func (p *page) tooLarge() error {
	return refuse("tiles or strips of %d x %d pixels are not supported", p.segWidth, p.segHeight)
}

// plain reports whether pixels lie in the file as they are in memory, so that no strip has to be read as a whole.
func (p *page) plain() bool {
	return !p.tiled && p.compression == compressNone && p.predictor == 1 && p.fillOrder == 1 && 8*p.dtype.Size() == p.bits
}

// maxSegment bounds the decoded bytes of a tile or strip that is read as a whole.
const maxSegment = 1 << 31

// inPixel returns how many samples lie side by side in a segment.
func (p *page) inPixel() int {
	if p.planar {
		return 1
	}
	return p.samples
}

// sampleType returns the dtype of samples; widths in between are stored in the next larger one.
func sampleType(format, bits int) dtype.DType {
	pick := func(widths []int, ts ...dtype.DType) dtype.DType {
		for i, w := range widths {
			if bits == w {
				return ts[i]
			}
		}
		return dtype.Invalid
	}
	switch format {
	case formatUint, formatUndefined:
		switch {
		case bits == 1:
			return dtype.Bool
		case bits <= 8:
			return dtype.Uint8
		case bits <= 16:
			return dtype.Uint16
		case bits <= 32:
			return dtype.Uint32
		case bits <= 64:
			return dtype.Uint64
		}
	case formatInt:
		return pick([]int{8, 16, 32, 64}, dtype.Int8, dtype.Int16, dtype.Int32, dtype.Int64)
	case formatFloat:
		return pick([]int{16, 24, 32, 64}, dtype.Float16, dtype.Float32, dtype.Float32, dtype.Float64)
	case formatComplexInt:
		return pick([]int{16, 32, 64}, dtype.Complex64, dtype.Complex64, dtype.Complex128)
	case formatComplexFloat:
		return pick([]int{64, 128}, dtype.Complex64, dtype.Complex128)
	}
	return dtype.Invalid
}

// grid returns how many segments lie along the height and the width of a plane.
func (p *page) grid() (rows, cols int64) {
	return (p.height + p.segHeight - 1) / p.segHeight, (p.width + p.segWidth - 1) / p.segWidth
}

// segment returns where segment i lies; size 0 when it was never written.
func (p *page) segment(i int64) (off, size int64, err error) {
	p.once.Do(p.list)
	if p.listErr != nil {
		return 0, 0, p.listErr
	}
	if i >= int64(len(p.offsets)) {
		return 0, 0, corrupt("segment %d, the page has %d", i, len(p.offsets))
	}
	off, size = p.offsets[i], p.counts[i]
	if off < 0 || size < 0 || off > p.f.size || size > p.f.size-off {
		return 0, 0, corrupt("segment %d: %d bytes at %d of a file of %d", i, size, off, p.f.size)
	}
	if off == 0 {
		size = 0
	}
	return off, size, nil
}

// list reads the places of the segments.
func (p *page) list() {
	offsets, counts := tagStripOffsets, tagStripCounts
	if p.tiled && p.d.find(tagTileOffsets) != nil { // some old files list tiles as strips
		offsets, counts = tagTileOffsets, tagTileCounts
	}
	o, c := p.d.find(offsets), p.d.find(counts)
	if o == nil {
		p.listErr = corrupt("page at %d: no offsets", p.d.off)
		return
	}
	if p.offsets, p.listErr = p.f.ints(o); p.listErr != nil {
		return
	}
	if c != nil {
		if p.counts, p.listErr = p.f.ints(c); p.listErr != nil {
			return
		}
	}
	if len(p.counts) == len(p.offsets) {
		return
	}
	if len(p.offsets) == 1 && p.compression == 1 { // the count may be left out for one strip
		p.counts = []int64{min(p.rowBytes()*p.height, max(p.f.size-p.offsets[0], 0))}
		return
	}
	p.listErr = corrupt("page at %d: %d offsets and %d byte counts", p.d.off, len(p.offsets), len(p.counts))
}

// rowBytes is the length of a row of a decoded segment.
func (p *page) rowBytes() int64 {
	return (p.segWidth*int64(p.inPixel())*int64(p.bits) + 7) / 8
}
