// SPDX-License-Identifier: BSD-3-Clause

package store_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/formats/store"
	"github.com/arrayrun/arrayrun/formats/store/storetest"
)

// archive returns a ZIP archive of values, stored or compressed.
func archive(t testing.TB, values map[string]string, method uint16) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for k, v := range values {
		f, err := w.CreateHeader(&zip.FileHeader{Name: k, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(v)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestZip(t *testing.T) {
	for _, method := range []uint16{zip.Store, zip.Deflate} {
		b := archive(t, storetest.Values(), method)
		z, err := store.NewZip(bytes.NewReader(b), int64(len(b)), "a.zip")
		if err != nil {
			t.Fatal(err)
		}
		storetest.Read(t, z, true)
		storetest.ReadOnly(t, z)
		at := bytes.Index(b, []byte("123456"))
		if method != zip.Store {
			continue
		}
		b[at]++
		if _, err := z.Get(context.Background(), "a/b/c", store.All, -1, nil); !errors.Is(err, zip.ErrChecksum) {
			t.Errorf("Get of a damaged member = %v, want ErrChecksum", err)
		}
	}
	if _, err := store.NewZip(bytes.NewReader([]byte("no archive")), 10, "x"); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("NewZip of no archive = %v, want fs.ErrInvalid", err)
	}
	b := archive(t, map[string]string{"../x": "1", "/y": "2", "a//b": "3", "ok": "4", "d/": ""}, zip.Store)
	z, err := store.NewZip(bytes.NewReader(b), int64(len(b)), "x")
	if err != nil {
		t.Fatal(err)
	}
	if l, _ := z.List(context.Background(), ""); len(l) != 1 || l[0].Name != "ok" {
		t.Errorf("List = %v, want ok alone", l)
	}
}

// TestZipOfMany: an archive that says it has more members than memory should hold is refused before they are parsed.
func TestZipOfMany(t *testing.T) {
	b := archive(t, map[string]string{"a": "1"}, zip.Store)
	end := len(b) - 22
	var far []byte
	far = append(append(far, "PK\x06\x06"...), make([]byte, 52)...)
	binary.LittleEndian.PutUint64(far[32:], 10_000_000)
	far = append(append(far, "PK\x06\x07"...), make([]byte, 16)...)
	binary.LittleEndian.PutUint64(far[56+8:], uint64(end))
	many := append(append(bytes.Clone(b[:end]), far...), b[end:]...)
	if _, err := store.NewZip(bytes.NewReader(many), int64(len(many)), "x"); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("NewZip of 10 million members = %v, want ErrDamaged", err)
	}
	if _, err := store.NewZip(bytes.NewReader(b), int64(len(b)), "x"); err != nil {
		t.Errorf("NewZip of one member = %v", err)
	}
}

// A member that states more bytes than the archive has is refused before anybody makes room for them.
func TestZipOfNothing(t *testing.T) {
	b := archive(t, map[string]string{"a": "123"}, zip.Store)
	at := bytes.Index(b, []byte("PK\x01\x02"))
	for _, n := range []uint32{uint32(len(b)), 1 << 31} {
		binary.LittleEndian.PutUint32(b[at+20:], n)
		binary.LittleEndian.PutUint32(b[at+24:], n)
		z, err := store.NewZip(bytes.NewReader(b), int64(len(b)), "x")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := z.Get(context.Background(), "a", store.All, -1, nil); !errors.Is(err, store.ErrDamaged) {
			t.Errorf("a member of %d bytes: %v, want ErrDamaged", n, err)
		}
	}
}

func FuzzZip(f *testing.F) {
	f.Add(archive(f, storetest.Values(), zip.Store))
	f.Add(archive(f, storetest.Values(), zip.Deflate))
	f.Fuzz(func(t *testing.T, b []byte) {
		z, err := store.NewZip(bytes.NewReader(b), int64(len(b)), "x")
		if err != nil {
			return
		}
		l, _ := z.List(context.Background(), "a")
		for _, i := range append(l, store.Info{Name: "b/c"}) {
			got, err := z.Get(context.Background(), "a/"+i.Name, store.All, 1<<20, nil)
			if err == nil && len(got) > 1<<20 {
				t.Errorf("%d bytes, the limit is 1 MiB", len(got))
			}
		}
	})
}

// TestZipUnsupported: members that are encrypted or compressed by other methods are not taken for damaged ones.
func TestZipUnsupported(t *testing.T) {
	for name, change := range map[string]func(header []byte){
		"encrypted": func(h []byte) { h[8] |= 1 },
		"method 12": func(h []byte) { h[10] = 12 },
	} {
		b := archive(t, map[string]string{"key": "value"}, zip.Store)
		change(b[bytes.Index(b, []byte("PK\x01\x02")):])
		z, err := store.NewZip(bytes.NewReader(b), int64(len(b)), "a.zip")
		if err != nil {
			t.Fatal(err)
		}
		_, err = z.Get(context.Background(), "key", store.All, -1, nil)
		if !errors.Is(err, errors.ErrUnsupported) || errors.Is(err, store.ErrDamaged) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, want ErrUnsupported", name, err)
		}
	}
}
