// SPDX-License-Identifier: BSD-3-Clause

package cf

import (
	"math"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// attrs makes attributes of names and values that alternate.
func attrs(list ...any) formats.Attrs {
	var out formats.Attrs
	for i := 0; i < len(list); i += 2 {
		out = out.With(list[i].(string), list[i+1])
	}
	return out
}

// TestDecide holds the table of labels.md, section 1.
func TestDecide(t *testing.T) {
	f32, f64 := float32(0.5), 0.5
	for _, c := range []struct {
		name    string
		stored  dtype.DType
		attrs   formats.Attrs
		decoded dtype.DType
		missing int
	}{
		{"plain integers", dtype.Int16, nil, dtype.Int16, 0},
		{"int8 with a fill value", dtype.Int8, attrs("_FillValue", int8(-1)), dtype.Float32, 1},
		{"uint16 with a missing value", dtype.Uint16, attrs("missing_value", uint16(9)), dtype.Float32, 1},
		{"int32 with one", dtype.Int32, attrs("_FillValue", int32(-1)), dtype.Float64, 1},
		{"int64 with one", dtype.Int64, attrs("_FillValue", int64(-1)), dtype.Float64, 1},
		{"two different ones", dtype.Int16, attrs("_FillValue", int16(-1), "missing_value", []int16{-1, -2}), dtype.Float32, 2},
		{"float32 with one", dtype.Float32, attrs("_FillValue", float32(1e20)), dtype.Float32, 1},
		{"float32 with a float64 one", dtype.Float32, attrs("missing_value", 1e20), dtype.Float32, 1},
		{"float64", dtype.Float64, attrs("_FillValue", math.NaN()), dtype.Float64, 0},
		{"int16 cannot hold NaN", dtype.Int16, attrs("_FillValue", math.NaN()), dtype.Int16, 0},
		{"int8 cannot hold 999", dtype.Int8, attrs("_FillValue", int16(999)), dtype.Int8, 0},
		{"int16 holds a whole float", dtype.Int16, attrs("_FillValue", -999.0), dtype.Float32, 1},
		{"int16 scaled by float32", dtype.Int16, attrs("scale_factor", f32, "add_offset", f32), dtype.Float32, 0},
		{"int16 scaled by float64", dtype.Int16, attrs("scale_factor", f64, "add_offset", f64), dtype.Float64, 0},
		{"int8 with mixed types", dtype.Int8, attrs("scale_factor", f32, "add_offset", f64), dtype.Float64, 0},
		{"int32 scaled by float32", dtype.Int32, attrs("scale_factor", f32, "add_offset", f32), dtype.Float64, 0},
		{"int16 with a scale alone", dtype.Int16, attrs("scale_factor", f32), dtype.Float32, 0},
		{"int32 with a scale alone", dtype.Int32, attrs("scale_factor", f32), dtype.Float32, 0},
		{"int64 with a scale alone", dtype.Int64, attrs("scale_factor", f32), dtype.Float64, 0},
		{"int16 with an offset alone", dtype.Int16, attrs("add_offset", f32), dtype.Float64, 0},
		{"int16 with an integer scale", dtype.Int16, attrs("scale_factor", int32(2)), dtype.Float64, 0},
		{"float32 scaled by float64", dtype.Float32, attrs("scale_factor", f64, "add_offset", f64), dtype.Float64, 0},
		{"float32 scaled by float32", dtype.Float32, attrs("scale_factor", f32, "add_offset", f32), dtype.Float32, 0},
		{"float64 scaled by float32", dtype.Float64, attrs("scale_factor", f32), dtype.Float64, 0},
		{"unsigned byte", dtype.Int8, attrs("_Unsigned", "true"), dtype.Uint8, 0},
		{"unsigned byte with a fill value", dtype.Int8, attrs("_Unsigned", "true", "_FillValue", int8(-1)), dtype.Float32, 1},
		{"base64 of a float", dtype.Float32, attrs("_FillValue", "AAAAAAAA+H8="), dtype.Float32, 0},
		{"bool", dtype.Int8, attrs("dtype", "bool"), dtype.Bool, 0},
		{"valid_range does not mask", dtype.Int16, attrs("valid_range", []int16{0, 5}), dtype.Int16, 0},
		{"text", dtype.String, attrs("_FillValue", "x"), dtype.String, 0},
	} {
		got, rest := Decide(c.stored, c.attrs)
		if got.Decoded != c.decoded || len(got.Missing) != c.missing {
			t.Errorf("%s: Decide(%v, %v) = %v with %v missing, want %v with %d", c.name, c.stored, c.attrs, got.Decoded, got.Missing, c.decoded, c.missing)
		}
		if _, ok := rest.Get("scale_factor"); ok {
			t.Errorf("%s: scale_factor is left over", c.name)
		}
	}
}

// evalNode computes a node elementwise on constants, the oracle of the tests below.
func evalNode(t *testing.T, n *graph.Node, input kernels.Const) kernels.Const {
	t.Helper()
	if n.Err != nil {
		t.Fatal(n.Err)
	}
	switch n.Kind {
	case graph.Load:
		return input
	case graph.Fill:
		return n.Arg.(graph.FillArg).Const
	case graph.Map:
		args := make([]kernels.Const, len(n.In))
		for i, x := range n.In {
			args[i] = evalNode(t, x, input)
		}
		c, err := kernels.EvalConst(n.Arg.(graph.MapArg).Op, n.DType, args...)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	t.Fatalf("node kind %d", n.Kind)
	return kernels.Const{}
}

// metaSource is a source without values.
type metaSource struct {
	formats.Source
	meta formats.ArrayMeta
}

func (s *metaSource) Meta() *formats.ArrayMeta { return &s.meta }

func TestDecodeValues(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name   string
		stored dtype.DType
		attrs  formats.Attrs
		in     []int64
		want   []float64
	}{
		{"packed", dtype.Int16, attrs("_FillValue", int16(-32768), "scale_factor", 0.01, "add_offset", 273.15),
			[]int64{0, 100, -32768, 32767}, []float64{273.15, 274.15, nan, float64(32767*0.01) + 273.15}},
		{"packed in float32", dtype.Int16, attrs("scale_factor", float32(0.01), "add_offset", float32(273.15)),
			[]int64{7, -5}, []float64{float64(float32(7)*float32(0.01) + float32(273.15)), float64(float32(-5)*float32(0.01) + float32(273.15))}},
		{"unsigned byte", dtype.Int8, attrs("_Unsigned", "true", "_FillValue", int8(-1)), []int64{-1, -2, 5, -128}, []float64{nan, 254, 5, 128}},
		{"unsigned int64", dtype.Int64, attrs("_Unsigned", "true", "scale_factor", 1.0), []int64{-1, 3, math.MinInt64}, []float64{18446744073709551615, 3, 9223372036854775808}},
		{"signed byte", dtype.Uint8, attrs("_Unsigned", "false"), []int64{255, 128, 127}, []float64{-1, -128, 127}},
		{"two missing values", dtype.Int32, attrs("_FillValue", int32(-1), "missing_value", []int32{-2, -3}), []int64{-1, -2, -3, -4}, []float64{nan, nan, nan, -4}},
		{"bool", dtype.Int8, attrs("dtype", "bool"), []int64{0, 1, 2}, []float64{0, 1, 1}},
	} {
		coding, _ := Decide(c.stored, c.attrs)
		g := chunk.Regular(chunk.Shape{4})
		src := &metaSource{meta: formats.ArrayMeta{Shape: g.Shape, DType: c.stored, ItemBytes: c.stored.Size(), Grid: g}}
		n := Decode(graph.NewLoad(src, "x", chunk.Grid{}), coding)
		if n.Err != nil {
			t.Errorf("%s: %v", c.name, n.Err)
			continue
		}
		if n.DType != coding.Decoded || !n.Shape().Equal(g.Shape) {
			t.Errorf("%s: decoded to %v%v, want %v", c.name, n.DType, n.Shape(), coding.Decoded)
		}
		host := DecodeValues(coding, c.in, nil)
		for i, v := range c.in {
			in, err := kernels.ConstOf(c.stored, v)
			if err != nil {
				t.Fatal(err)
			}
			got := constValue(t, evalNode(t, n, in))
			if got != c.want[i] && !(got != got && c.want[i] != c.want[i]) {
				t.Errorf("%s: decode of %d = %v, want %v", c.name, v, got, c.want[i])
			}
			if c.stored != dtype.Int64 && host[i] != c.want[i] && !(host[i] != host[i] && c.want[i] != c.want[i]) {
				t.Errorf("%s: DecodeValues of %d = %v, want %v", c.name, v, host[i], c.want[i])
			}
		}
	}
}

// constValue returns a constant as a float64.
func constValue(t *testing.T, c kernels.Const) float64 {
	switch c.DType {
	case dtype.Float64:
		return math.Float64frombits(c.Bits)
	case dtype.Float32:
		return float64(math.Float32frombits(uint32(c.Bits)))
	case dtype.Uint8:
		return float64(uint8(c.Bits))
	case dtype.Int8:
		return float64(int8(c.Bits))
	case dtype.Uint64:
		return float64(c.Bits)
	case dtype.Bool:
		return float64(c.Bits)
	}
	t.Fatalf("constant of %v", c.DType)
	return 0
}

func TestParsePeriod(t *testing.T) {
	for _, c := range []struct{ cal, text, lo, hi string }{
		{"standard", "2001", "2001-01-01T00:00:00", "2002-01-01T00:00:00"},
		{"standard", "2000-02", "2000-02-01T00:00:00", "2000-03-01T00:00:00"},
		{"360_day", "2000-02-30", "2000-02-30T00:00:00", "2000-03-01T00:00:00"},
		{"noleap", "1999-12-31T23", "1999-12-31T23:00:00", "2000-01-01T00:00:00"},
		{"standard", "2001-03-01 06:30", "2001-03-01T06:30:00", "2001-03-01T06:31:00"},
		{"standard", "20010301T0630", "2001-03-01T06:30:00", "2001-03-01T06:31:00"},
		{"standard", "1582-10-04", "1582-10-04T00:00:00", "1582-10-15T00:00:00"},
		{"julian", "-0001", "-001-01-01T00:00:00", "0001-01-01T00:00:00"},
	} {
		u, err := ParseUnits("days since 1-1-1", c.cal)
		if err != nil {
			t.Fatal(err)
		}
		p, err := u.ParsePeriod(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if lo, hi := u.Date(p.Lo).String(), u.Date(p.Hi).String(); lo != c.lo || hi != c.hi {
			t.Errorf("ParsePeriod(%q) in %s = %s to %s, want %s to %s", c.text, c.cal, lo, hi, c.lo, c.hi)
		}
	}
	u, _ := ParseUnits("days since 2000-01-01", "noleap")
	for _, s := range []string{"", "2000-02-29", "2000-13", "today", "2000-01-01T25", "2000-1-1-1"} {
		if p, err := u.ParsePeriod(s); err == nil {
			t.Errorf("ParsePeriod(%q) = %v, want an error", s, p)
		}
	}
}
