// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/netcdf"
	"github.com/arrayrun/arrayrun/formats/zarr"
)

// copyRules say what a format can hold of another's data set.
type copyRules struct {
	name       string // for messages
	noGroups   bool
	noNames    bool     // of dimensions
	valuesOnly bool     // neither attributes nor names of dimensions: those are dropped, with one warning
	oneGrows   bool     // one unlimited dimension, which comes first
	unnamed    bool     // axes must have names
	codec      string   // for compressed sources
	reserved   []string // names of attributes by which the format keeps its structure, in variables
	ofGroups   []string // the same in groups
	badName    func(name string) (why string)
	attr       func(v any) (out any, why string)
	texts      bool // texts of a fixed number of characters become texts of any length
	types      bool // holds types of the user's: enumerations, compounds, sequences, of attributes too
	elem       func(m *formats.ArrayMeta, stored string) bool
}

// rulesOf returns the rules of a format's family.
func rulesOf(family, member string) *copyRules {
	switch family {
	case "zarr":
		if member == "zarr2" {
			return &copyRules{name: "Zarr 2", attr: jsonAttr, elem: zarrElem(2)}
		}
		return &copyRules{name: "Zarr 3", attr: jsonAttr, elem: zarrElem(3), badName: reservedName}
	case "netcdf4":
		if !strings.HasPrefix(member, "netcdf3") {
			return &copyRules{name: "NetCDF-4", unnamed: true, codec: "zlib:4", texts: true, types: true, attr: netcdf4Attr, elem: netcdf4Elem,
				reserved: []string{"CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "_Netcdf4Dimid", "_Netcdf4Coordinates", "_NCProperties", "_nc3_strict"},
				ofGroups: []string{"_NCProperties", "_nc3_strict"}}
		}
		fallthrough
	case "netcdf3":
		return &copyRules{name: "NetCDF-3", noGroups: true, oneGrows: true, unnamed: true, codec: "", attr: netcdfAttr, elem: classicElem}
	case "npy", "npz":
		return &copyRules{name: "a NumPy file", noGroups: true, noNames: true, valuesOnly: true, elem: npyElem}
	case "csv":
		return &copyRules{name: "CSV", noGroups: true, valuesOnly: true, elem: tableElem}
	case "arrow", "parquet":
		return &copyRules{name: "a table", noGroups: true, elem: columnElem}
	case "tiff":
		return &copyRules{name: "TIFF", noGroups: true, elem: func(*formats.ArrayMeta, string) bool { return true }}
	}
	return &copyRules{name: family, elem: func(*formats.ArrayMeta, string) bool { return true }}
}

// ErrCannotHold is wrapped by errors of PlanCopy about what the output's format has no place for.
var ErrCannotHold = errors.New("leave it out with --lossy or write another format")

// refuse returns the error that says what the format cannot hold; a lossy copy warns and goes on without it.
func (c *copier) refuse(what, why string) error {
	if c.opts.Lossy {
		c.opts.Warn(fmt.Sprintf("%s is left out: %s", what, why))
		return nil
	}
	return fmt.Errorf("%s: %s cannot hold it: %s; %w: %w", what, c.rules.name, why, ErrCannotHold, formats.ErrFormat)
}

// holds returns why the format has no place for a variable, "" where it has.
func (r *copyRules) holds(name string, m *formats.ArrayMeta) string {
	stored, _ := m.Stored.(string)
	if !r.elem(m, stored) {
		why := fmt.Sprintf("its data type is %s", formats.TypeText(m.Stored, m.DType))
		if r.name == "Zarr 3" && zarrElem(2)(m, stored) {
			why += ", and a field of it is an array, which --zarr-version 2 has"
		}
		return why
	}
	if r.badName != nil {
		return r.badName(name)
	}
	return ""
}

// reservedName says why Zarr 3 has no node of a name.
func reservedName(name string) string {
	if strings.HasPrefix(name, "__") {
		return "names that begin with __ are reserved in version 3; write version 2, which has no such rule"
	}
	return ""
}

// sized reports whether stored is one of the prefixes with a length behind it.
func sized(stored string, prefixes ...string) bool {
	for _, p := range prefixes {
		if n, ok := strings.CutPrefix(stored, p); ok && n != "" && strings.Trim(n, "0123456789") == "" {
			return true
		}
	}
	return false
}

func isMoment(stored string) bool {
	return strings.HasPrefix(stored, "datetime64") || strings.HasPrefix(stored, "timedelta64")
}

// momentUnits are CF's names of NumPy's units of time.
var momentUnits = map[string]string{"ns": "nanoseconds", "us": "microseconds", "ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "D": "days"}

// moments returns what describes a variable of the file, and attributes to add. Where the output is NetCDF, times are the integers they are, with
// the units that NumPy's type says where the attributes say none.
func (c *copier) moments(v *formats.Var, name string) (*formats.ArrayMeta, formats.Attrs) {
	m := v.Source.Meta()
	stored, _ := m.Stored.(string)
	if !isMoment(stored) || m.DType != dtype.Int64 || !c.rules.unnamed {
		return m, nil
	}
	plain := *m
	plain.Stored = nil
	units, _ := v.Attrs.Get("units")
	if text, _ := units.(string); text != "" {
		return &plain, nil
	}
	kind, letters, _ := strings.Cut(strings.TrimSuffix(stored, "]"), "[")
	unit := momentUnits[letters]
	if unit == "" {
		return m, nil
	}
	var add formats.Attrs
	if kind == "datetime64" {
		add = formats.Attrs{{Name: "units", Value: unit + " since 1970-01-01"}, {Name: "calendar", Value: "proleptic_gregorian"}}
	} else {
		add = formats.Attrs{{Name: "units", Value: unit}}
	}
	if _, has := v.Attrs.Get("_FillValue"); !has {
		add = append(add, formats.Attr{Name: "_FillValue", Value: int64(math.MinInt64)}) // NumPy's NaT
	}
	c.opts.Warn(fmt.Sprintf("variable %q: times of type %s become numbers in %s", name, stored, add[0].Value))
	return &plain, add
}

// withUnits adds what moments returns: NaT is what is missing, whatever stands for what was never written.
func withUnits(attrs, units formats.Attrs) formats.Attrs {
	for _, u := range units {
		attrs = attrs.With(u.Name, u.Value)
	}
	return attrs
}

func zarrElem(version int) func(m *formats.ArrayMeta, stored string) bool {
	return func(m *formats.ArrayMeta, _ string) bool {
		return zarr.Holds(formats.VarSpec{DType: m.DType, ItemBytes: m.ItemBytes, Stored: m.Stored}, version) == nil
	}
}

func netcdf4Elem(m *formats.ArrayMeta, _ string) bool {
	return netcdf.Holds(m.DType, m.ItemBytes, m.Stored) == nil
}

func classicElem(m *formats.ArrayMeta, stored string) bool {
	switch m.DType {
	case dtype.Raw:
		return stored == "S1"
	case dtype.String, dtype.Float16, dtype.BFloat16, dtype.Complex64, dtype.Complex128:
		return false
	}
	return !isMoment(stored)
}

func npyElem(m *formats.ArrayMeta, stored string) bool {
	switch m.DType {
	case dtype.Raw:
		return sized(stored, "S", "U", "opaque")
	case dtype.String, dtype.BFloat16:
		return false
	}
	return true
}

func tableElem(m *formats.ArrayMeta, stored string) bool {
	return m.DType != dtype.Raw || sized(stored, "S", "U")
}

// columnElem: compounds and sequences have no place in a column as they are.
func columnElem(m *formats.ArrayMeta, stored string) bool {
	switch m.DType {
	case dtype.Raw:
		return m.Stored == nil || sized(stored, "S", "U", "opaque")
	case dtype.String:
		return m.Stored == nil || stored == "str" || stored == "bytes"
	case dtype.BFloat16, dtype.Complex64, dtype.Complex128:
		return false
	}
	return true
}

// plainNumbers drops the names of an enumeration's numbers, which formats other than HDF5 do not have. Zarr keeps them for the way back.
func (c *copier) plainNumbers(s *formats.VarSpec, name string) error {
	if _, ok := s.Stored.(string); ok || s.Stored == nil || s.DType == dtype.Raw || s.DType == dtype.String || c.rules.types || c.dest == "zarr" {
		return nil
	}
	text := formats.TypeText(s.Stored, s.DType)
	s.Stored = nil
	return c.refuse(fmt.Sprintf("variable %q: the names of %s", name, text), "only the numbers are written")
}

// types returns the types that a group names and NetCDF-4 has; Zarr keeps the names for the way back.
func (c *copier) types(g *formats.Group) (out []formats.Type) {
	for _, t := range g.Types {
		if (c.rules.types || c.dest == "zarr") && netcdf.HoldsType(t.Stored) == nil {
			out = append(out, t)
		}
	}
	return out
}

// attributes returns what the format can hold of attributes, without the reserved names.
func (c *copier) attributes(attrs formats.Attrs, where string, reserved []string) (formats.Attrs, error) {
	if c.rules.valuesOnly {
		c.dropped(len(attrs) > 0, "attributes")
		if c.dest == "csv" {
			return attrs, nil // its writer looks at bounds
		}
		return nil, nil
	}
	if c.rules.attr == nil {
		return attrs, nil
	}
	out := make(formats.Attrs, 0, len(attrs))
	for _, a := range attrs {
		if slices.Contains(reserved, a.Name) {
			c.opts.Warn(fmt.Sprintf("attribute %q of %s is left out: %s keeps its own structure under that name", a.Name, where, c.rules.name))
			continue
		}
		typed := a.Type != nil && netcdf.HoldsType(a.Type) == nil
		nested := netcdf.Nested(a) && !netcdf.PlainHDF5(c.out.URI, c.opts.Format)
		if typed && c.rules.types && !nested {
			out = append(out, a)
			continue
		}
		v, why := c.rules.attr(a.Value)
		if why != "" {
			if err := c.refuse(fmt.Sprintf("attribute %q of %s", a.Name, where), why); err != nil {
				return nil, err
			}
			continue
		}
		_, object := v.(map[string]any)
		if texts, list := v.([]string); (object || nested) && c.rules.unnamed || list && len(texts) != 1 && c.rules.oneGrows {
			c.opts.Warn(fmt.Sprintf("attribute %q of %s becomes a text in JSON, which is read as what it was", a.Name, where))
		}
		x := formats.Attr{Name: a.Name, Value: v}
		if typed && c.dest == "zarr" {
			x.Type = a.Type // for the way back
		}
		out = append(out, x)
	}
	return out, nil
}

// dropped warns once of a kind of metadata that the format never has.
func (c *copier) dropped(some bool, kind string) {
	if !some || c.kinds[kind] {
		return
	}
	if c.kinds == nil {
		c.kinds = map[string]bool{}
	}
	c.kinds[kind] = true
	c.opts.Warn(fmt.Sprintf("%s holds values only: %s are left out", c.rules.name, kind))
}

// jsonAttr checks a value for JSON.
func jsonAttr(v any) (any, string) {
	switch x := v.(type) {
	case string:
		if !utf8.ValidString(x) {
			return nil, "its text is not UTF-8"
		}
	case []string:
		for _, s := range x {
			if !utf8.ValidString(s) {
				return nil, "its text is not UTF-8"
			}
		}
	}
	return v, ""
}

// netcdfAttr checks a value for NetCDF: text, lists of texts, numbers, and what JSON has beside them, which becomes its text.
func netcdfAttr(v any) (any, string) {
	switch v.(type) {
	case nil, string, []string, bool, []bool, []any, map[string]any:
		return v, ""
	}
	t := reflect.TypeOf(v)
	if t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if k := t.Kind(); k >= reflect.Int && k <= reflect.Float64 && k != reflect.Uintptr {
		return v, ""
	}
	if k := t.Kind(); k == reflect.Complex64 || k == reflect.Complex128 {
		return nil, "its value is a complex number"
	}
	return nil, fmt.Sprintf("its value is a %T", v)
}

// netcdf4Attr is netcdfAttr for NetCDF-4, which has a compound for complex numbers.
func netcdf4Attr(v any) (any, string) {
	switch v.(type) {
	case complex64, complex128, []complex64, []complex128:
		return v, ""
	}
	return netcdfAttr(v)
}

// fill returns the fill value to store: the one the file states.
func (c *copier) fill(v *formats.Var) []byte {
	m := v.Source.Meta()
	if !m.FillSet {
		return nil
	}
	if _, masked := c.fillAttr(v).Get("_FillValue"); !masked && c.opts.Format == "zarr2" && v.Dims != nil && !c.root.FillMasks() {
		return nil // there it would mask values that it does not mask here
	}
	if m.Fill == nil && m.DType != dtype.String {
		return make([]byte, m.ItemBytes)
	}
	return m.Fill
}

// fillAttr returns the attributes of a variable of the file that is copied, as StoredAttrs has them.
func (c *copier) fillAttr(v *formats.Var) formats.Attrs { return StoredAttrs(v, c.root) }

// StoredAttrs returns the attributes of a raw variable with _FillValue as a value of its type, whatever the format
// of the file, whose root group is given, makes of it: Zarr 2 has it as the fill value of named arrays, Zarr 3 as the base64 text of a float64.
func StoredAttrs(v *formats.Var, root *formats.Group) formats.Attrs {
	if v.Source == nil {
		return v.Attrs
	}
	m := v.Source.Meta()
	old, has := v.Attrs.Get("_FillValue")
	if !has {
		if root.FillMasks() && v.Dims != nil && m.FillSet {
			if x, ok := fillNumber(m); ok {
				return v.Attrs.With("_FillValue", x)
			}
			if m.DType == dtype.String {
				return v.Attrs.With("_FillValue", string(m.Fill))
			}
			if a, ok := zarr.FillAttr(m); ok {
				return append(slices.Clone(v.Attrs), a)
			}
		}
		return v.Attrs
	}
	s, isText := old.(string)
	if !isText || !m.DType.IsFloat() {
		return v.Attrs
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(b) != 8 {
		return v.Attrs
	}
	x := math.Float64frombits(binary.LittleEndian.Uint64(b))
	if m.DType == dtype.Float32 {
		return v.Attrs.With("_FillValue", float32(x))
	}
	return v.Attrs.With("_FillValue", x)
}

// usableFill leaves out a _FillValue that no element can be equal to, NaN of integers: NetCDF insists on one of the variable's type, and xarray does not
// open a Zarr hierarchy that has such a one. Other readers ignore it, so nothing is lost.
func (c *copier) usableFill(attrs formats.Attrs, m *formats.ArrayMeta, name string) formats.Attrs {
	old, has := attrs.Get("_FillValue")
	if !has || m.DType == dtype.Raw || m.DType == dtype.String {
		return attrs
	}
	x, ok := numberOf(old)
	if ok && (m.DType.IsFloat() || m.DType.IsComplex() || x == math.Trunc(x) && x >= lowest(m.DType) && x <= highest(m.DType)) {
		return attrs
	}
	c.opts.Warn(fmt.Sprintf("attribute \"_FillValue\" of variable %q is left out: %v is no value of %v, and is ignored by readers", name, old, m.DType))
	return attrs.Without("_FillValue")
}

// lowest and highest are the limits of an integer type, as close as a float64 is to them.
func lowest(d dtype.DType) float64 {
	if d.Kind() == dtype.KindInt {
		return -math.Ldexp(1, 8*d.Size()-1)
	}
	return 0
}

func highest(d dtype.DType) float64 {
	switch d.Kind() {
	case dtype.KindInt:
		return math.Ldexp(1, 8*d.Size()-1) - 1
	case dtype.KindUint:
		return math.Ldexp(1, 8*d.Size()) - 1
	}
	return 1
}

// uncompressed are the names of codecs that do not make anything smaller.
var uncompressed = []string{"bytes", "transpose", "shuffle", "bitshuffle", "delta", "fletcher32", "crc32c", "crc32", "adler32", "vlen-utf8", "vlen-bytes",
	"sharding_indexed", "fixedscaleoffset", "astype", "float-delta", "endian"}

// codec returns the compression to write with.
func (c *copier) codec(m *formats.ArrayMeta) string {
	if c.opts.Codec != "" {
		return c.opts.Codec
	}
	small := slices.ContainsFunc(m.Codecs, func(name string) bool { return !slices.Contains(uncompressed, name) })
	switch {
	case small && c.dest == "zarr" && m.DType.IsNumeric() && m.ItemBytes > 1 && (slices.Contains(m.Codecs, "shuffle") || slices.Contains(m.Codecs, "bitshuffle")):
		// Whoever shuffled had numbers whose bytes compress by place; without that files grow by a third.
		return "blosc-zstd:3"
	case small:
		return c.rules.codec
	case c.dest == "zarr" && strings.HasPrefix(c.root.Format, "zarr"):
		return "none"
	}
	return ""
}
