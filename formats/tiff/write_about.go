// SPDX-License-Identifier: BSD-3-Clause

package tiff

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/internal/aside"
	"github.com/arrayrun/arrayrun/formats/internal/numbers"
)

// spell writes an attribute as text: numbers with the digits that read back as the same, lists with commas between.
func spell(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case float64:
		return floatText(x, 64)
	case float32:
		return floatText(float64(x), 32)
	case []float64:
		parts := make([]string, len(x))
		for i := range x {
			parts[i] = floatText(x[i], 64)
		}
		return strings.Join(parts, ",")
	case []string:
		return strings.Join(x, ",")
	}
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(v), " ", ","), "[]")
}

func floatText(x float64, bits int) string {
	if math.IsNaN(x) {
		return "nan"
	}
	return strconv.FormatFloat(x, 'g', -1, bits)
}

// floatsOf returns the numbers of an attribute.
func floatsOf(v any) []float64 {
	d, b, n, ok := numbers.Encode(v)
	if !ok {
		return nil
	}
	out := make([]float64, n)
	size := d.Size()
	for i := range out {
		x, _ := numbers.Decode(d, b[i*size:(i+1)*size])
		f, err := strconv.ParseFloat(spell(x), 64)
		if err != nil {
			return nil
		}
		out[i] = f
	}
	return out
}

// silent are attributes that say how a variable is stored elsewhere, or that have a tag of their own.
var silent = map[string]bool{"_FillValue": true, "scale_factor": true, "add_offset": true, "units": true, "grid_mapping": true,
	"coordinates": true, "dtype": true, "PhotometricInterpretation": true, "ColorMap": true, "AREA_OR_POINT": true}

// about returns the entries that say what the image is: texts, georeference, GDAL's metadata and nodata.
func (w *writer) about() ([]outEntry, error) {
	attrs := w.image.Attrs
	var out []outEntry
	used := map[string]bool{}
	for _, t := range texts {
		if v, ok := attrs.Get(t.name); ok {
			if s, is := v.(string); is && !(t.tag == tagDescription && isDescribed(s)) {
				out = append(out, ascii(t.tag, strings.ReplaceAll(s, "\x00", "")))
				used[t.name] = true
			}
		}
	}
	if v, ok := attrs.Get("Orientation"); ok {
		if f := floatsOf(v); len(f) == 1 && f[0] >= 1 && f[0] <= 8 {
			out = append(out, shorts(274, int64(f[0])))
		}
		used["Orientation"] = true
	}
	w.photometric(attrs)
	if e, ok := w.colourMap(attrs); ok {
		out = append(out, e)
		w.layout.photometric = photometricPalette
	}
	for name, tag := range map[string]int{"XResolution": 282, "YResolution": 283} {
		v, ok := attrs.Get(name)
		if f := floatsOf(v); ok && len(f) == 1 {
			if e, ok := rational(tag, f[0]); ok {
				out = append(out, e)
				used[name] = true
			}
		}
	}
	v, ok := attrs.Get("ResolutionUnit")
	if f := floatsOf(v); ok && len(f) == 1 && f[0] >= 1 && f[0] <= 3 {
		out = append(out, shorts(296, int64(f[0])))
		used["ResolutionUnit"] = true
	}
	out = append(out, w.georeference(used)...)
	if b, ok := w.fill(); ok {
		v, _ := numbers.Decode(w.layout.dtype, b)
		out = append(out, ascii(tagGDALNodata, spell(v)))
	}
	if text := w.metadata(used); text != "" {
		out = append(out, ascii(tagGDALMetadata, text))
	}
	return out, nil
}

// colours are the samples that photometric interpretations need, by their names.
var colours = map[string]struct{ number, samples int }{"MinIsWhite": {0, 1}, "RGB": {2, 3}, "TransparencyMask": {4, 1}, "CMYK": {5, 4}, "CIELab": {8, 3}}

// photometric takes over what the samples mean, where the attributes say it and there are enough.
func (w *writer) photometric(attrs formats.Attrs) {
	v, _ := attrs.Get("PhotometricInterpretation")
	name, _ := v.(string)
	if c, ok := colours[name]; ok && w.samples >= int64(c.samples) {
		w.layout.photometric = c.number
	}
}

// colourMap returns the colours of a palette's numbers. One of fewer bits than the samples have now is continued with black.
func (w *writer) colourMap(attrs formats.Attrs) (outEntry, bool) {
	v, ok := attrs.Get("ColorMap")
	f, l := floatsOf(v), &w.layout
	if !ok || w.samples != 1 || l.format != formatUint || l.bits > 16 || len(f) == 0 || len(f)%3 != 0 || len(f) > 3<<l.bits {
		return outEntry{}, false
	}
	e := outEntry{tag: tagColorMap, kind: typeShort, count: 3 << l.bits, value: make([]byte, 6<<l.bits)}
	n := len(f) / 3
	for i, x := range f {
		le.PutUint16(e.value[2*(i/n<<l.bits+i%n):], uint16(x))
	}
	return e, true
}

// rational returns an entry of one fraction of 32-bit numbers, as near to x as they come.
func rational(tag int, x float64) (outEntry, bool) {
	if !(x >= 0 && x < 1<<32) {
		return outEntry{}, false
	}
	den := 1.0
	for den < 1e9 && x*den*10 < 1<<32 && x*den != math.Trunc(x*den) {
		den *= 10
	}
	return outEntry{tag: tag, kind: typeRational, count: 1, value: le.AppendUint32(le.AppendUint32(nil, uint32(math.Round(x*den))), uint32(den))}, true
}

// isDescribed reports whether a reader would take a description for one of its own kind, which says how pages form a stack.
func isDescribed(text string) bool {
	return slices.ContainsFunc(described, func(row describedRow) bool { return row.is(text) })
}

// metadata is GDAL's XML of what has no tag: scale and offset, names of bands, all other attributes as texts.
func (w *writer) metadata(used map[string]bool) string {
	var b bytes.Buffer
	escape := func(s string) string {
		var e bytes.Buffer
		if xml.EscapeText(&e, []byte(strings.ToValidUTF8(s, "\ufffd"))) != nil {
			return ""
		}
		return e.String()
	}
	item := func(name, more, text string) {
		fmt.Fprintf(&b, "  <Item name=\"%s\"%s>%s</Item>\n", escape(name), more, escape(text))
	}
	attrs := w.image.Attrs
	for i := range w.samples {
		for _, x := range []struct{ attr, name, role string }{{"offset", "OFFSET", "offset"}, {"scale", "SCALE", "scale"}, {"units", "UNITTYPE", "unittype"}} {
			attr := map[string]string{"offset": "add_offset", "scale": "scale_factor"}[x.attr]
			if attr == "" {
				attr = x.attr
			}
			if v, ok := attrs.Get(attr); ok {
				item(x.name, fmt.Sprintf(" sample=\"%d\" role=\"%s\"", i, x.role), spell(v))
			}
		}
	}
	if len(w.image.Dims) == 3 && w.layout.planar {
		if c := w.others[w.image.Dims[0]]; c.Len() == w.samples {
			for i := range w.samples {
				item("DESCRIPTION", fmt.Sprintf(" sample=\"%d\" role=\"description\"", i), w.image.Dims[0]+"="+spell(c.Value(i)))
			}
		}
	}
	seen := map[string]bool{}
	w.axes(item)
	for _, a := range append(slices.Clone(attrs), w.global...) {
		if seen[a.Name] || silent[a.Name] || used[a.Name] || a.Value == nil {
			continue
		}
		seen[a.Name] = true
		item(a.Name, "", spell(a.Value))
	}
	for _, name := range sortedNames(w.others) {
		if s := w.others[name]; s.Len() < 0 && !seen[name] && !strings.HasPrefix(name, "crs") && name != "spatial_ref" {
			item(name, "", spell(s.Value(0)))
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "<GDALMetadata>\n" + b.String() + "</GDALMetadata>"
}

// mostTexts bounds how many values of a coordinate are written as text.
const mostTexts = 1 << 14

// axes writes what the georeference and the names of bands do not say of coordinates: the values of those whose steps differ, units and
// calendars, named as GDAL names them.
func (w *writer) axes(item func(name, more, text string)) {
	for i, dim := range w.image.Dims {
		c := w.others[dim]
		band := i == 0 && len(w.image.Dims) == 3 && w.layout.planar
		if c.Len() < 1 || c.Value(0) == nil || w.placed && !band {
			continue
		}
		for _, name := range []string{"units", "calendar"} {
			if v, ok := c.Spec.Attrs.Get(name); ok {
				item(dim+"#"+name, "", spell(v))
			}
		}
		if band || c.Len() > mostTexts {
			continue
		}
		var parts []string
		for k := range c.Len() {
			parts = append(parts, spell(c.Value(k)))
		}
		item(dim, "", strings.Join(parts, ","))
	}
}

func sortedNames(m map[string]*aside.Var) []string {
	var out []string
	for n := range m {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// georeference returns the tags of GeoTIFF: those the attributes have, else what the coordinates and the grid mapping say.
func (w *writer) georeference(used map[string]bool) []outEntry {
	attrs := w.image.Attrs
	var out []outEntry
	placed := false
	for _, t := range []struct {
		tag  int
		name string
		n    int
	}{{tagPixelScale, "ModelPixelScale", 3}, {tagTiepoint, "ModelTiepoint", 6}, {tagTransformation, "ModelTransformation", 16}} {
		v, ok := attrs.Get(t.name)
		if f := floatsOf(v); ok && len(f) >= t.n {
			out = append(out, doubles(t.tag, f...))
			used[t.name], placed = true, true
		}
	}
	told := placed
	if !placed {
		out = append(out, w.place()...)
		placed = len(out) > 0
	}
	w.placed = placed
	keys := map[int64]any{}
	for id, name := range geoNames {
		if v, ok := attrs.Get(name); ok {
			keys[id], used[name] = v, true
		}
	}
	if len(keys) == 0 && placed && !told {
		keys = w.system()
	}
	return append(out, geoEntries(keys)...)
}

// place returns the transformation that evenly spaced coordinates of the pixels' centres make.
func (w *writer) place() []outEntry {
	dims := w.image.Dims
	if dims == nil {
		return nil
	}
	first := 0
	if len(dims) == 3 && (w.layout.planar || w.samples == 1) {
		first = 1
	}
	y0, dy, ok := w.others[dims[first]].Even()
	x0, dx, okx := w.others[dims[first+1]].Even()
	switch {
	case !ok || !okx:
		return nil
	case dx > 0 && dy < 0:
		return []outEntry{doubles(tagPixelScale, dx, -dy, 0), doubles(tagTiepoint, 0, 0, 0, x0-dx/2, y0-dy/2, 0)}
	}
	return []outEntry{doubles(tagTransformation, dx, 0, 0, x0-dx/2, 0, dy, 0, y0-dy/2, 0, 0, 0, 0, 0, 0, 0, 1)}
}

// epsg finds the code of a reference system at the end of its well-known text.
var epsg = regexp.MustCompile(`(?:AUTHORITY|ID)\["EPSG",\s*"?(\d+)"?\]\s*\]\s*$`)

// system returns the keys of the coordinate reference system: the grid mapping's EPSG code, or WGS 84 for degrees.
func (w *writer) system() map[int64]any {
	keys := map[int64]any{1025: int64(1)} // pixels are areas
	name, _ := w.image.Attrs.Get("grid_mapping")
	if m := w.others[spell(name)]; name != nil && m != nil {
		for _, attr := range []string{"crs_wkt", "spatial_ref"} {
			v, _ := m.Spec.Attrs.Get(attr)
			text, _ := v.(string)
			found := epsg.FindStringSubmatch(text)
			if found == nil {
				continue
			}
			code, err := strconv.ParseInt(found[1], 10, 32)
			if err != nil || code >= 1<<15 {
				continue
			}
			if strings.HasPrefix(text, "PROJ") {
				keys[1024], keys[3072] = int64(1), code
			} else {
				keys[1024], keys[2048] = int64(2), code
			}
			return keys
		}
		return keys
	}
	degrees := 0
	for _, d := range w.image.Dims {
		if c := w.others[d]; c != nil {
			if u, _ := c.Spec.Attrs.Get("units"); strings.HasPrefix(spell(u), "degree") || u == nil && (d == "lat" || d == "latitude" || d == "lon" || d == "longitude") {
				degrees++
			}
		}
	}
	if degrees >= 2 {
		keys[1024], keys[2048] = int64(2), int64(4326)
	}
	return keys
}

// geoEntries writes keys as GeoTIFF's three tags.
func geoEntries(keys map[int64]any) []outEntry {
	if len(keys) == 0 {
		return nil
	}
	var ids []int64
	for id := range keys {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	dir, text := []int64{1, 1, 0, 0}, ""
	var nums []float64
	for _, id := range ids {
		switch v := keys[id].(type) {
		case string:
			v = strings.ReplaceAll(v, "|", "/") + "|"
			dir = append(dir, id, tagGeoTexts, int64(len(v)), int64(len(text)))
			text += v
		default:
			f := floatsOf(v)
			_, float := v.(float64)
			switch {
			case len(f) == 0:
				continue
			case len(f) == 1 && !float && f[0] >= 0 && f[0] < 1<<16:
				dir = append(dir, id, 0, 1, int64(f[0]))
			default:
				dir = append(dir, id, tagGeoDoubles, int64(len(f)), int64(len(nums)))
				nums = append(nums, f...)
			}
		}
		dir[3]++
	}
	out := []outEntry{shorts(tagGeoKeys, dir...)}
	if len(nums) > 0 {
		out = append(out, doubles(tagGeoDoubles, nums...))
	}
	if text != "" {
		out = append(out, ascii(tagGeoTexts, text))
	}
	return out
}
