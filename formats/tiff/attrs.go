// SPDX-License-Identifier: BSD-3-Clause

package tiff

import (
	"encoding/xml"
	"math"
	"strconv"
	"strings"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/internal/numbers"
)

// number returns the number a text is, or the text.
func number(t string) any {
	if n, err := strconv.ParseInt(strings.TrimSpace(t), 10, 64); err == nil {
		return n
	}
	if f, err := strconv.ParseFloat(strings.TrimSpace(t), 64); err == nil {
		return f
	}
	return t
}

// texts are the tags of text that become attributes.
var texts = []struct {
	tag  int
	name string
}{{tagDescription, "ImageDescription"}, {269, "DocumentName"}, {271, "Make"}, {272, "Model"}, {285, "PageName"}, {305, "Software"},
	{306, "DateTime"}, {315, "Artist"}, {316, "HostComputer"}, {33432, "Copyright"}}

// values are the tags of numbers that become attributes; a value of its default is left out.
var values = []struct {
	tag  int
	name string
}{{274, "Orientation"}, {282, "XResolution"}, {283, "YResolution"}, {296, "ResolutionUnit"}, {tagPixelScale, "ModelPixelScale"},
	{tagTiepoint, "ModelTiepoint"}, {tagTransformation, "ModelTransformation"}}

// maxAttr bounds the bytes of one attribute: a longer one is left out.
const maxAttr = 1 << 20

// attributes returns what the tags of the series' first page say beside the pixels. Damaged tags are left out.
func (s *series) attributes() formats.Attrs {
	p := s.first()
	f, out := p.f, formats.Attrs{}
	for _, t := range texts {
		v, err := f.text(p.d, t.tag)
		if err != nil || v == "" || len(v) > maxAttr || t.tag == tagDescription && (s.shaped == "imagej" || s.shaped == "shaped") {
			continue
		}
		out = append(out, formats.Attr{Name: t.name, Value: strings.ToValidUTF8(v, "\ufffd")})
	}
	for _, t := range values {
		e := p.d.find(t.tag)
		if e == nil || e.count == 0 || e.count > maxAttr/8 {
			continue
		}
		v, err := f.floats(e)
		switch {
		case err != nil:
		case len(v) > 1:
			out = append(out, formats.Attr{Name: t.name, Value: v})
		case v[0] == math.Trunc(v[0]) && math.Abs(v[0]) < 1<<53:
			out = append(out, formats.Attr{Name: t.name, Value: int64(v[0])})
		default:
			out = append(out, formats.Attr{Name: t.name, Value: v[0]})
		}
	}
	names := map[int64]string{0: "MinIsWhite", 2: "RGB", 3: "Palette", 4: "TransparencyMask", 5: "CMYK", 6: "YCbCr", 8: "CIELab"}
	if p.compression == compressJPEG {
		names[photometricYCbCr] = "RGB" // what decoding makes of it
	}
	if n := names[int64(p.photometric)]; n != "" {
		out = append(out, formats.Attr{Name: "PhotometricInterpretation", Value: n})
	}
	if e := p.d.find(tagColorMap); e != nil && e.count <= 3*256 {
		if v, err := f.ints(e); err == nil {
			u := make([]uint16, len(v))
			for i := range v {
				u[i] = uint16(v[i])
			}
			out = append(out, formats.Attr{Name: "ColorMap", Value: u})
		}
	}
	out = append(out, p.geoKeys()...)
	out = append(out, p.gdal()...)
	out = append(out, s.attrs...)
	if b, ok := nodata(p); ok {
		if v, ok := numbers.Decode(p.dtype, b); ok {
			out = out.With("_FillValue", v)
		}
	}
	return out
}

// nodata returns GDAL's value of missing pixels, where the dtype has it.
func nodata(p *page) ([]byte, bool) {
	t, err := p.f.text(p.d, tagGDALNodata)
	if err != nil {
		return nil, false
	}
	return nodataText(p, t)
}

// nodataText returns the element that the text of a number spells, where the dtype has it.
func nodataText(p *page, t string) ([]byte, bool) {
	if t == "" || p.dtype.IsComplex() || !p.dtype.IsNumeric() || p.dtype == dtype.Bool {
		return nil, false
	}
	b := make([]byte, p.dtype.Size())
	t = strings.TrimSpace(t)
	if n, err := strconv.ParseInt(t, 10, 64); err == nil && !p.dtype.IsFloat() {
		unsigned := p.dtype.Kind() == dtype.KindUint
		bits := 8 * len(b)
		switch {
		case unsigned && (n < 0 || bits < 64 && n >= 1<<bits), !unsigned && bits < 64 && (n < -1<<(bits-1) || n >= 1<<(bits-1)):
			return nil, false
		}
		put(b, len(b), uint64(n))
		return b, true
	}
	v, err := strconv.ParseFloat(t, 64)
	switch {
	case err != nil:
		return nil, false
	case p.dtype == dtype.Float64:
		le.PutUint64(b, math.Float64bits(v))
	case p.dtype == dtype.Float32:
		le.PutUint32(b, math.Float32bits(float32(v)))
	case p.dtype == dtype.Float16:
		le.PutUint16(b, dtype.F16Of(v).Bits)
	case v != math.Trunc(v) || v < 0 || v >= 1<<63:
		return nil, false
	default:
		return nodataInt(b, uint64(v), p.dtype)
	}
	return b, true
}

func nodataInt(b []byte, n uint64, dt dtype.DType) ([]byte, bool) {
	bits := 8 * len(b)
	if dt.Kind() == dtype.KindInt {
		bits--
	}
	if bits < 64 && n >= 1<<bits {
		return nil, false
	}
	put(b, len(b), n)
	return b, true
}

// gdal returns the items of GDAL's metadata: scale and offset as scale_factor and add_offset where all bands agree,
// others by their names.
func (p *page) gdal() formats.Attrs {
	t, err := p.f.text(p.d, tagGDALMetadata)
	if err != nil || t == "" || len(t) > 8*maxAttr {
		return nil
	}
	var doc struct {
		Items []struct {
			Name   string `xml:"name,attr"`
			Role   string `xml:"role,attr"`
			Sample string `xml:"sample,attr"`
			Text   string `xml:",chardata"`
		} `xml:"Item"`
	}
	if xml.Unmarshal([]byte(t), &doc) != nil {
		return nil
	}
	roles := map[string]string{"scale": "scale_factor", "offset": "add_offset", "unittype": "units"}
	def := map[string]any{"scale_factor": float64(1), "add_offset": float64(0), "units": ""}
	each := map[string][]any{}
	var out formats.Attrs
	for _, x := range doc.Items {
		if name := roles[x.Role]; name != "" {
			v := any(x.Text)
			if name != "units" {
				f, err := strconv.ParseFloat(strings.TrimSpace(x.Text), 64)
				if err != nil {
					continue
				}
				v = f
			}
			each[name] = append(each[name], v)
			continue
		}
		name := x.Name
		if x.Sample != "" && p.samples > 1 {
			name += "_" + x.Sample
		}
		if name != "" && len(out) < 4096 {
			out = append(out, formats.Attr{Name: name, Value: x.Text})
		}
	}
	for _, name := range []string{"scale_factor", "add_offset", "units"} {
		vs := each[name]
		same := len(vs) == p.samples
		for _, v := range vs {
			same = same && v == vs[0]
		}
		if same && len(vs) > 0 && vs[0] != def[name] {
			out = append(out, formats.Attr{Name: name, Value: vs[0]})
		}
	}
	return out
}

// geoKeys returns the keys of GeoTIFF by their names.
func (p *page) geoKeys() formats.Attrs {
	e := p.d.find(tagGeoKeys)
	if e == nil || e.count < 4 || e.count > maxAttr {
		return nil
	}
	dir, err := p.f.ints(e)
	if err != nil {
		return nil
	}
	var doubles []float64
	if d := p.d.find(tagGeoDoubles); d != nil && d.count < maxAttr {
		doubles, _ = p.f.floats(d)
	}
	text, _ := p.f.text(p.d, tagGeoTexts)
	var out formats.Attrs
	for k := dir[4:]; len(k) >= 4 && int64(len(out)) < dir[3]; k = k[4:] {
		name := geoNames[k[0]]
		if name == "" {
			name = "GeoKey" + strconv.FormatInt(k[0], 10)
		}
		n, at := k[2], k[3]
		var v any
		switch {
		case k[1] == 0:
			v = at
		case k[1] == tagGeoDoubles && n >= 1 && at >= 0 && at+n <= int64(len(doubles)):
			if v = doubles[at]; n > 1 {
				v = doubles[at : at+n]
			}
		case k[1] == tagGeoTexts && n >= 0 && at >= 0 && at+n <= int64(len(text))+1:
			v = strings.TrimRight(text[at:min(at+n, int64(len(text)))], "|\x00")
		case k[1] == tagGeoKeys && n == 1 && at >= 0 && at < int64(len(dir)):
			v = dir[at]
		default:
			continue
		}
		out = append(out, formats.Attr{Name: name, Value: v})
	}
	return out
}

// geoNames are the names of GeoTIFF's keys. Specification: OGC GeoTIFF 1.1, annex B.
var geoNames = map[int64]string{
	1024: "GTModelTypeGeoKey", 1025: "GTRasterTypeGeoKey", 1026: "GTCitationGeoKey",
	2048: "GeographicTypeGeoKey", 2049: "GeogCitationGeoKey", 2050: "GeogGeodeticDatumGeoKey", 2051: "GeogPrimeMeridianGeoKey",
	2052: "GeogLinearUnitsGeoKey", 2053: "GeogLinearUnitSizeGeoKey", 2054: "GeogAngularUnitsGeoKey", 2055: "GeogAngularUnitSizeGeoKey",
	2056: "GeogEllipsoidGeoKey", 2057: "GeogSemiMajorAxisGeoKey", 2058: "GeogSemiMinorAxisGeoKey", 2059: "GeogInvFlatteningGeoKey",
	2060: "GeogAzimuthUnitsGeoKey", 2061: "GeogPrimeMeridianLongGeoKey", 2062: "GeogTOWGS84GeoKey",
	3072: "ProjectedCSTypeGeoKey", 3073: "PCSCitationGeoKey", 3074: "ProjectionGeoKey", 3075: "ProjCoordTransGeoKey", 3076: "ProjLinearUnitsGeoKey",
	3077: "ProjLinearUnitSizeGeoKey", 3078: "ProjStdParallel1GeoKey", 3079: "ProjStdParallel2GeoKey", 3080: "ProjNatOriginLongGeoKey",
	3081: "ProjNatOriginLatGeoKey", 3082: "ProjFalseEastingGeoKey", 3083: "ProjFalseNorthingGeoKey", 3084: "ProjFalseOriginLongGeoKey",
	3085: "ProjFalseOriginLatGeoKey", 3086: "ProjFalseOriginEastingGeoKey", 3087: "ProjFalseOriginNorthingGeoKey", 3088: "ProjCenterLongGeoKey",
	3089: "ProjCenterLatGeoKey", 3090: "ProjCenterEastingGeoKey", 3091: "ProjCenterNorthingGeoKey", 3092: "ProjScaleAtNatOriginGeoKey",
	3093: "ProjScaleAtCenterGeoKey", 3094: "ProjAzimuthAngleGeoKey", 3095: "ProjStraightVertPoleLongGeoKey", 3096: "ProjRectifiedGridAngleGeoKey",
	4096: "VerticalCSTypeGeoKey", 4097: "VerticalCitationGeoKey", 4098: "VerticalDatumGeoKey", 4099: "VerticalUnitsGeoKey",
}
