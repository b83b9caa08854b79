// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// expectation is the part of FILE.expect.json, made by h5py, that is compared.
type expectation struct {
	DType    string                 `json:"dtype"`
	Link     string                 `json:"link"`
	Attrs    map[string]any         `json:"attrs"`
	Children map[string]expectation `json:"children"`
	Data     *struct {
		DType string `json:"dtype"`
		Shape []int64
		MD5   string `json:"md5_le_c_order"`
		First []any  `json:"first"`
	} `json:"data"`
}

func openFile(t testing.TB, path string) (*File, error) {
	fh, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fh.Close() })
	st, err := fh.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return New(fh, st.Size())
}

// readAll returns every element, in native byte order and C order.
func readAll(src formats.Source) (*chunk.Chunk, error) {
	m := src.Meta()
	c := &chunk.Chunk{DType: m.DType, ItemBytes: int32(m.ItemBytes), Shape: m.Shape, Strides: m.Shape.RowMajor(), Block: mem.Wrap(make([]byte, m.Shape.Size()*int64(m.ItemBytes)))}
	_, err := formats.ReadRegion(context.Background(), src, chunk.Whole(m.Shape), c)
	return c, err
}

var numeric = regexp.MustCompile(`^([<>|]?[iufc]\d+|\|b1|[|]?V\d+|[<>|]S\d+)$`)

// unread is what is not read of the corpus, by a part of the error: filters that are refused by name, and data that h5py
// does not find either.
var unread = []string{"filter lzo", "external file"}

func refused(err error) bool {
	return errors.Is(err, formats.ErrFormat) && slices.ContainsFunc(unread, func(u string) bool { return strings.Contains(err.Error(), u) })
}

// TestCorpus compares every dataset with what h5py reads: numbers by MD5, others by their first values.
func TestCorpus(t *testing.T) {
	dir := formattest.Corpus(t)
	files, _ := filepath.Glob(dir + "/hdf5*/*.expect.json")
	more, _ := filepath.Glob(dir + "/written/*.h5.expect.json")
	reference, _ := filepath.Glob(dir + "/netcdf-c/*.h5.expect.json")
	n := compared{}
	for _, name := range append(append(files, more...), reference...) {
		js, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var want struct {
			Root  expectation
			Error string
		}
		err = json.Unmarshal(js, &want)
		short := filepath.Base(strings.TrimSuffix(name, ".expect.json"))
		if strings.HasSuffix(short, ".nc") {
			continue // netCDF4-python's: formats/netcdf compares them
		}
		f := openBeside(t, strings.TrimSuffix(name, ".expect.json"))
		root, rootErr := f.Root()
		if rootErr != nil {
			t.Errorf("%s: %v", short, rootErr)
			continue
		}
		if err != nil || want.Root.Children == nil {
			t.Logf("%s: opened; h5py could not: %s %v", short, want.Error, err)
			continue
		}
		n.walk(t, short, root, &want.Root)
	}
	t.Logf("%d datasets identical to h5py by MD5, %d by their first values, %d that h5py could not read, %d refused: %v", n.sums, n.firsts, n.alone, len(n.refused), n.refused)
	if n.sums < 3200 || n.firsts < 100 {
		t.Errorf("%d and %d datasets compared, want at least 3200 and 100", n.sums, n.firsts)
	}
}

// compared counts the datasets.
type compared struct {
	sums, firsts, alone int
	refused             []string
}

func (n *compared) walk(t *testing.T, path string, o *Object, want *expectation) {
	f := o.f
	for i := range o.Attrs {
		if _, err := f.Value(&o.Attrs[i]); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	if want.Attrs != nil && len(o.Attrs) != len(want.Attrs) {
		t.Errorf("%s: %d attributes, want %d", path, len(o.Attrs), len(want.Attrs))
	}
	if o.Dataset() {
		n.dataset(t, path, o, want)
	}
	for name, c := range want.Children {
		i := slices.IndexFunc(o.Links, func(l Link) bool { return l.Name == name })
		if i < 0 {
			t.Errorf("%s: no link %q", path, name)
			continue
		}
		child, err := o.Follow(o.Links[i])
		if err != nil {
			if c.Link == "" || !errors.Is(err, fs.ErrNotExist) { // one that leads nowhere
				t.Errorf("%s/%s: %v", path, name, err)
			}
			continue
		}
		n.walk(t, path+"/"+name, child, &c)
	}
	if want.Children != nil && len(o.Links) != len(want.Children) {
		t.Errorf("%s: %d links, want %d", path, len(o.Links), len(want.Children))
	}
}

func (n *compared) dataset(t *testing.T, path string, o *Object, want *expectation) {
	src, err := o.Source(nil)
	if err == nil {
		size, e := src.Meta().Shape.Bytes(int64(src.Meta().ItemBytes))
		if e != nil || size > 1<<28 { // a few are declared huge and hold nothing
			return
		}
		var got *chunk.Chunk
		if got, err = readAll(src); err == nil {
			n.values(t, path, o, src, got, want)
			return
		}
	}
	if !refused(err) {
		t.Errorf("%s: %v", path, err)
	}
	n.refused = append(n.refused, path)
}

func (n *compared) values(t *testing.T, path string, o *Object, src formats.Source, got *chunk.Chunk, want *expectation) {
	switch d := want.Data; {
	case d == nil:
		n.alone++
	case strings.Contains(d.DType, "M8") && got.DType == dtype.Int64:
		for i, w := range d.First {
			if v := chunk.Slice[int64](got)[i]; !alike(float64(v), w) {
				t.Errorf("%s: element %d is %d, want %v", path, i, v, w)
			}
		}
		n.firsts++
	case d.MD5 != "" && numeric.MatchString(d.DType):
		s := md5.Sum(got.Bytes())
		if h := hex.EncodeToString(s[:]); h != d.MD5 {
			t.Errorf("%s: %s %v: MD5 %s, want %s", path, d.DType, src.Meta().Shape, h, d.MD5)
		}
		n.sums++
	case got.DType == dtype.String:
		for i, w := range d.First {
			if text := string(formats.Text(got, int64(i))); !sameText(text, w) {
				t.Errorf("%s: element %d is %q, want %v", path, i, text, w)
			}
		}
		n.firsts++
	case got.DType == dtype.Raw:
		for i, w := range d.First {
			e := got.Bytes()[i*int(got.ItemBytes):][:got.ItemBytes]
			typ := packed(o.Type)
			for typ.Class == ClassArray {
				typ = typ.Base
			}
			if !o.f.same(typ, e, w) {
				t.Errorf("%s: element %d of %v is %x, want %v", path, i, typ.Stored(), e, w)
			}
		}
		n.firsts++
	default:
		t.Errorf("%s: %s is read as %v and not compared", path, d.DType, got.DType)
	}
}

// sameText compares a text, or the JSON that something of variable length became, with h5py's value.
func sameText(got string, want any) bool {
	if w, ok := want.(string); ok && got == w {
		return true
	}
	var v any
	return json.Unmarshal([]byte(got), &v) == nil && alike(v, want)
}

// alike compares parsed JSON; a compound is an object with us and a list with h5py, whose expectations have short texts of floats.
func alike(got, want any) bool {
	switch g := got.(type) {
	case map[string]any:
		w, ok := want.([]any)
		if !ok || len(w) != len(g) {
			return false
		}
		left := slices.Clone(w)
		for _, v := range g { // JSON objects have lost their order here
			i := slices.IndexFunc(left, func(x any) bool { return alike(v, x) })
			if i < 0 {
				return false
			}
			left = slices.Delete(left, i, i+1)
		}
		return true
	case []any:
		w, ok := want.([]any)
		if !ok || len(w) != len(g) {
			return false
		}
		for i := range g {
			if !alike(g[i], w[i]) {
				return false
			}
		}
		return true
	case float64:
		w, ok := want.(float64)
		return ok && math.Abs(g-w) <= 1e-7*math.Abs(w)
	}
	return got == want
}

// same compares the stored bytes of one element with h5py's value.
func (f *File) same(t *Type, e []byte, want any) bool {
	switch t.Class {
	case ClassString:
		w, ok := want.(string)
		return ok && strings.TrimRight(t.Text(e), "\x00") == strings.TrimRight(w, "\x00")
	case ClassReference:
		w, _ := want.(string)
		return strings.Contains(w, "reference") || strings.Contains(w, "h5r.")
	case ClassCompound:
		w, ok := want.([]any)
		if s := t.storage(); s.ok { // a complex number
			v, err := s.values(e)
			c := reflect.ValueOf(v)
			return err == nil && ok && len(w) == 2 && alike(real(c.Complex()), w[0]) && alike(imag(c.Complex()), w[1])
		}
		if !ok || len(w) != len(t.Members) {
			return false
		}
		for i, m := range t.Members {
			if !f.same(m.Type, e[m.Offset:m.Offset+m.Type.Size], w[i]) {
				return false
			}
		}
		return true
	case ClassArray:
		w, ok := want.([]any)
		n := t.Base.Size
		flat := flatten(w)
		if len(t.Dims) > 1 && t.Base.Class != ClassCompound {
			w = flat
		}
		if !ok || len(w)*n != len(e) {
			return false
		}
		for i := range w {
			if !f.same(t.Base, e[i*n:(i+1)*n], w[i]) {
				return false
			}
		}
		return true
	}
	if s := t.storage(); s.ok {
		v, err := s.values(e)
		r := reflect.ValueOf(v)
		switch {
		case err != nil:
			return false
		case r.Kind() == reflect.Bool:
			return v == want
		case r.CanInt():
			return alike(float64(r.Int()), want)
		case r.CanUint():
			return alike(float64(r.Uint()), want)
		}
		return r.CanFloat() && alike(r.Float(), want)
	}
	// opaque bytes: h5py gives them as a text of Latin letters without the zeros at the end, or as nothing we could compare
	w, ok := want.(string)
	var b []byte
	for i, r := range []rune(w) {
		if r == 0xfffd && i < len(e) {
			r = rune(e[i]) // lost on the way into JSON
		}
		b = append(b, byte(r))
	}
	return ok && bytes.Equal(bytes.TrimRight(e, "\x00"), bytes.TrimRight(b, "\x00"))
}

// packed is the type of the records in memory: without holes, in the machine's order.
func packed(t *Type) *Type {
	out := *t
	switch t.Class {
	case ClassCompound:
		if t.storage().ok {
			break
		}
		out.Size, out.Members = 0, nil
		for _, m := range t.Members {
			p := packed(m.Type)
			out.Members = append(out.Members, Member{m.Name, out.Size, p})
			out.Size += p.Size
		}
		return &out
	case ClassArray:
		out.Base = packed(t.Base)
		out.Size = t.Size / t.Base.Size * out.Base.Size
		return &out
	case ClassEnum:
		out.Base = packed(t.Base)
	}
	out.Bits &^= 1
	if t.Class == ClassString || t.Class == ClassVlen || t.Class == ClassReference {
		out.Bits = t.Bits
	}
	return &out
}

func flatten(l []any) []any {
	var out []any
	for _, x := range l {
		if in, ok := x.([]any); ok {
			out = append(out, flatten(in)...)
		} else {
			out = append(out, x)
		}
	}
	return out
}
