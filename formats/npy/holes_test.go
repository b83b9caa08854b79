// SPDX-License-Identifier: BSD-3-Clause

package npy

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// file is an npy file of the version with the header's dictionary.
func file(version byte, dict string, data []byte) []byte {
	b := append([]byte(magic), version, 0)
	dict += strings.Repeat(" ", 63-(len(dict)+12)%64) + "\n"
	if version == 1 {
		b = binary.LittleEndian.AppendUint16(b, uint16(len(dict)))
	} else {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(dict)))
	}
	return append(append(b, dict...), data...)
}

// TestHoles: records of aligned dtypes, whose holes NumPy writes as fields without a name, are their fields alone, in either order of bytes and axes.
func TestHoles(t *testing.T) {
	ctx := context.Background()
	const rows, columns = 50, 70 // 84,000 bytes: more than are read at once
	for _, big := range []bool{false, true} {
		order, put := "<", binary.ByteOrder(binary.LittleEndian)
		if big {
			order, put = ">", binary.BigEndian
		}
		descr := fmt.Sprintf("[('a', '|i1'), ('', '|V3'), ('b', '%si4'), (('a title', 'c'), [('x', '%si2'), ('y', '|S1'), ('', '|V1')], (2,)), ('', '|V8')]", order, order)
		record := func(i int) (stored, want []byte) {
			stored = []byte{byte(i), 1, 2, 3, 0, 0, 0, 0}
			put.PutUint32(stored[4:], uint32(i*1000))
			want = binary.NativeEndian.AppendUint32([]byte{byte(i)}, uint32(i*1000))
			for k := range 2 {
				stored = append(stored, 0, 0, 'k', 9)
				put.PutUint16(stored[len(stored)-4:], uint16(i+k))
				want = append(binary.NativeEndian.AppendUint16(want, uint16(i+k)), 'k')
			}
			return append(stored, 8, 7, 6, 5, 4, 3, 2, 1), want
		}
		for _, fortran := range []string{"False", "True"} {
			var data, want []byte
			for i := range rows * columns {
				n := i
				if fortran == "True" {
					n = i%rows*columns + i/rows
				}
				stored, _ := record(n)
				data = append(data, stored...)
				_, w := record(i)
				want = append(want, w...)
			}
			dict := fmt.Sprintf("{'descr': %s, 'fortran_order': %s, 'shape': (%d, %d), }", descr, fortran, rows, columns)
			b := file(1, dict, data)
			g, err := Format.OpenAt(ctx, bytes.NewReader(b), int64(len(b)), "a.npy")
			if err != nil {
				t.Fatal(err)
			}
			m := g.Vars[0].Source.Meta()
			if got, want := fmt.Sprint(m.Stored), "map[fields:[[a int8] [b int32] [c map[fields:[[x int16] [y S1]]] [2]]]]"; got != want || m.ItemBytes != 11 || m.Bytes != int64(len(data)) {
				t.Errorf("%s, %d bytes an element, %d stored, want %s", got, m.ItemBytes, m.Bytes, want)
			}
			c, err := formattest.ReadAll(ctx, g.Vars[0].Source)
			if err != nil || !bytes.Equal(c.Bytes(), want) {
				t.Errorf("big endian %v, Fortran %s: %v, or other values than were written", big, fortran, err)
			}
			r := chunk.Region{Lo: chunk.Shape{3, 20}, Hi: chunk.Shape{5, 22}}
			part := formattest.New(dtype.Raw, 11, r.Shape())
			_, err = formats.ReadRegion(ctx, g.Vars[0].Source, r, part)
			if at := 11 * (4*columns + 21); err != nil || !bytes.Equal(part.Bytes()[33:], want[at:at+11]) {
				t.Errorf("big endian %v, Fortran %s: a part: %v, or other values than were written", big, fortran, err)
			}
			if _, err := Format.OpenAt(ctx, bytes.NewReader(b[:len(b)-1]), int64(len(b)-1), "a.npy"); !errors.Is(err, formats.ErrCorrupt) {
				t.Errorf("cut off: %v, want ErrCorrupt", err)
			}
		}
	}
	b := file(1, "{'descr': [('', '|V3')], 'fortran_order': False, 'shape': (1,), }", []byte("abc"))
	if _, err := Format.OpenAt(ctx, bytes.NewReader(b), int64(len(b)), "a.npy"); !errors.Is(err, formats.ErrFormat) {
		t.Errorf("nothing but a hole: %v, want ErrFormat", err)
	}
}

// TestNames: headers are Latin-1 up to version 2 and UTF-8 in version 3.
func TestNames(t *testing.T) {
	for version, name := range map[byte]string{1: "na\xefve", 2: "na\xefve", 3: "naïve"} {
		b := file(version, "{'descr': [('"+name+"', '<i2')], 'fortran_order': False, 'shape': (1,), }", []byte{1, 0})
		g, err := Format.OpenAt(context.Background(), bytes.NewReader(b), int64(len(b)), "a.npy")
		if err != nil {
			t.Errorf("version %d: %v", version, err)
			continue
		}
		if got := fmt.Sprint(g.Vars[0].Source.Meta().Stored); got != "map[fields:[[naïve int16]]]" {
			t.Errorf("version %d: %s", version, got)
		}
	}
}
