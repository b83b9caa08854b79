// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
)

// json returns the members of a group's JSON object.
func (g groupDoc) json() object {
	dims, vars, groups, links := object{}, object{}, object{}, object{}
	for _, d := range g.dims {
		dims.set(d.Name, object{{"size", d.Size}, {"unlimited", d.Unlimited}})
	}
	for _, v := range g.vars {
		vars.set(v.v.Name, v.json())
	}
	for i, s := range g.groups {
		groups.set(g.names[i], s.json())
	}
	for _, l := range g.links {
		links.set(l.Name, object{{"target", l.Target}, {"error", l.Why.Error()}})
	}
	o := object{{"attrs", attrsJSON(g.attrs)}, {"dims", dims}, {"variables", vars}, {"groups", groups}}
	if len(links) > 0 { // what nearly no file has is no member of every document
		o.set("links", links)
	}
	return o
}

func attrsJSON(attrs formats.Attrs) object {
	out := object{}
	for _, a := range attrs {
		out.set(a.Name, jsonValue(a.Value))
	}
	return out
}

func (v varDoc) json() object {
	var failure, sum any
	if v.err != nil {
		failure = v.err.Error()
	}
	if v.checksum != "" {
		sum = v.checksum
	}
	o := object{{"dims", stringsJSON(v.v.Dims)}}
	if m := v.meta; m != nil {
		var order, stored any
		if m.ByteOrder != "" {
			order = m.ByteOrder
		}
		if v.bytes >= 0 {
			stored = v.bytes
		}
		o = append(o, object{{"shape", intsJSON(m.Shape)}, {"dtype", storedType(m)}, {"byte_order", order},
			{"chunks", chunksJSON(m)}, {"shards", shardsJSON(m)}, {"codecs", stringsJSON(m.Codecs)},
			{"fill_value", fillJSON(m)}, {"attrs", attrsJSON(v.v.Attrs)}, {"stored_bytes", stored}}...)
	} else {
		o = append(o, object{{"shape", nil}, {"dtype", nil}, {"byte_order", nil}, {"chunks", nil}, {"shards", nil},
			{"codecs", []string{}}, {"fill_value", nil}, {"attrs", attrsJSON(v.v.Attrs)}, {"stored_bytes", nil}}...)
	}
	return append(o, member{"checksum", sum}, member{"error", failure})
}

// stringsJSON and intsJSON print an empty list where Go has nil.
func stringsJSON(s []string) []string { return append([]string{}, s...) }
func intsJSON(s []int64) []int64      { return append([]int64{}, s...) }

// storedType is the file's own dtype in info's spelling.
func storedType(m *formats.ArrayMeta) any {
	if m.Stored != nil {
		return m.Stored
	}
	return m.DType.String()
}

// chunksJSON is null for contiguous storage, the chunk's shape for a regular
// grid, and a list of sizes for each axis of an irregular one.
func chunksJSON(m *formats.ArrayMeta) any {
	if !m.Chunked {
		return nil
	}
	regular := true
	steps := make([]int64, len(m.Grid.Axes))
	sizes := make([][]int64, len(m.Grid.Axes))
	for i, a := range m.Grid.Axes {
		steps[i] = a.Step
		regular = regular && a.Edges == nil
	}
	if regular {
		return steps
	}
	for i, a := range m.Grid.Axes {
		sizes[i] = axisSizes(a)
	}
	return sizes
}

// axisSizes lists the length of each chunk along an axis.
func axisSizes(a chunk.Axis) []int64 {
	sizes := make([]int64, a.Count())
	for k := range sizes {
		lo, hi := a.Bounds(int64(k))
		sizes[k] = hi - lo
	}
	return sizes
}

func shardsJSON(m *formats.ArrayMeta) any {
	if m.Shards == nil {
		return nil
	}
	return intsJSON(m.Shards)
}

// fillJSON is the fill value the file states, or null.
func fillJSON(m *formats.ArrayMeta) any {
	if !m.FillSet || m.Fill == nil {
		return nil
	}
	if m.DType == dtype.Raw || m.DType == dtype.String {
		text := bytes.TrimRight(m.Fill, "\x00")
		if stored, _ := m.Stored.(string); m.DType == dtype.String || strings.HasPrefix(stored, "S") {
			return string(text)
		}
		return hex.EncodeToString(m.Fill)
	}
	return jsonValue(elementValue(m.DType, m.Fill))
}

// elementValue reads one element in native byte order as a Go number.
func elementValue(dt dtype.DType, b []byte) any {
	if len(b) < dt.Size() {
		return nil
	}
	e := binary.NativeEndian
	switch dt {
	case dtype.Bool:
		return b[0] != 0
	case dtype.Int8:
		return int64(int8(b[0]))
	case dtype.Int16:
		return int64(int16(e.Uint16(b)))
	case dtype.Int32:
		return int64(int32(e.Uint32(b)))
	case dtype.Int64:
		return int64(e.Uint64(b))
	case dtype.Uint8:
		return uint64(b[0])
	case dtype.Uint16:
		return uint64(e.Uint16(b))
	case dtype.Uint32:
		return uint64(e.Uint32(b))
	case dtype.Uint64:
		return e.Uint64(b)
	case dtype.Float16:
		return float64(dtype.F16{Bits: e.Uint16(b)}.Float32())
	case dtype.BFloat16:
		return float64(dtype.BF16{Bits: e.Uint16(b)}.Float32())
	case dtype.Float32:
		return float64(math.Float32frombits(e.Uint32(b)))
	case dtype.Float64:
		return math.Float64frombits(e.Uint64(b))
	case dtype.Complex64:
		return complex(float64(math.Float32frombits(e.Uint32(b))), float64(math.Float32frombits(e.Uint32(b[4:]))))
	case dtype.Complex128:
		return complex(math.Float64frombits(e.Uint64(b)), math.Float64frombits(e.Uint64(b[8:])))
	}
	return nil
}
