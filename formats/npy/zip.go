// SPDX-License-Identifier: BSD-3-Clause

package npy

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"io"
	"strings"
)

// Why no archive/zip for writing: its Writer is a stream, while chunks arrive in any order. All
// sizes are known beforehand, so members lie at fixed places and only the checksums wait for the end.

// validMember reports whether a variable's name can be a member's.
func validMember(name string) bool {
	return name != "" && len(name) < 1<<15 && !strings.HasPrefix(name, "/") && !strings.ContainsAny(name, "\\\x00") && !strings.Contains("/"+name+"/", "/../")
}

// localBytes is the size of a member's local header, which always has the 64-bit sizes.
func localBytes(name string) int64 { return 30 + int64(len(name)+len(".npy")) + 20 }

const zip64 = 45 // version needed to extract

// local appends a member's local header.
func (s *sink) local(b []byte, crc uint32) []byte {
	le := binary.LittleEndian
	name := s.name + ".npy"
	b = le.AppendUint32(b, 0x04034b50)
	b = s.common(b, crc, len(name), 20)
	b = append(b, name...)
	b = le.AppendUint16(b, 1) // the 64-bit sizes
	b = le.AppendUint16(b, 16)
	b = le.AppendUint64(b, uint64(s.size))
	return le.AppendUint64(b, uint64(s.size))
}

// common appends what local and central headers share, from "version needed" to the extra field's
// length: stored, UTF-8 names, 1980-01-01 so that equal arrays make equal files.
func (s *sink) common(b []byte, crc uint32, name, extra int) []byte {
	le := binary.LittleEndian
	b = le.AppendUint16(b, zip64)
	b = le.AppendUint16(b, 0x800)
	b = le.AppendUint16(b, 0)
	b = le.AppendUint32(b, 0x00210000)
	b = le.AppendUint32(b, crc)
	b = le.AppendUint32(b, 0xffffffff)
	b = le.AppendUint32(b, 0xffffffff)
	b = le.AppendUint16(b, uint16(name))
	return le.AppendUint16(b, uint16(extra))
}

// central appends a member's entry of the central directory.
func (s *sink) central(b []byte, crc uint32) []byte {
	le := binary.LittleEndian
	name := s.name + ".npy"
	b = le.AppendUint32(b, 0x02014b50)
	b = le.AppendUint16(b, 3<<8|zip64) // made on Unix
	b = s.common(b, crc, len(name), 28)
	b = append(b, make([]byte, 6)...) // comment, disk, internal attributes
	b = le.AppendUint32(b, 0o100644<<16)
	b = le.AppendUint32(b, 0xffffffff)
	b = append(b, name...)
	b = le.AppendUint16(b, 1)
	b = le.AppendUint16(b, 24)
	b = le.AppendUint64(b, uint64(s.size))
	b = le.AppendUint64(b, uint64(s.size))
	return le.AppendUint64(b, uint64(s.start-localBytes(s.name)))
}

// directory reads every member for its checksum and writes the headers and the central directory.
func (w *writer) directory(ctx context.Context) error {
	le := binary.LittleEndian
	var dir []byte
	end := int64(0)
	buf := make([]byte, 1<<20)
	for _, s := range w.sinks {
		crc := crc32.NewIEEE()
		for at := int64(0); at < s.size; at += int64(len(buf)) {
			if err := ctx.Err(); err != nil {
				return err
			}
			p := buf[:min(int64(len(buf)), s.size-at)]
			if _, err := w.f.ReadAt(p, s.start+at); err != nil && err != io.EOF {
				return err
			}
			crc.Write(p)
		}
		sum := crc.Sum32()
		if _, err := w.f.WriteAt(s.local(nil, sum), s.start-localBytes(s.name)); err != nil {
			return err
		}
		dir = s.central(dir, sum)
		end = s.start + s.size
	}
	n, size := uint64(len(w.sinks)), uint64(len(dir))
	if n > 0 { // NumPy knows an archive of nothing by its plain end record
		dir = le.AppendUint32(dir, 0x06064b50) // the 64-bit end record
		dir = le.AppendUint64(dir, 44)
		dir = le.AppendUint16(dir, 3<<8|zip64)
		dir = le.AppendUint16(dir, zip64)
		dir = append(dir, make([]byte, 8)...)
		dir = le.AppendUint64(dir, n)
		dir = le.AppendUint64(dir, n)
		dir = le.AppendUint64(dir, size)
		dir = le.AppendUint64(dir, uint64(end))
		dir = le.AppendUint32(dir, 0x07064b50) // and where it is
		dir = le.AppendUint32(dir, 0)
		dir = le.AppendUint64(dir, uint64(end)+size)
		dir = le.AppendUint32(dir, 1)
	}
	dir = le.AppendUint32(dir, 0x06054b50) // the end record, which points there
	dir = append(dir, 0, 0, 0, 0)
	dir = le.AppendUint16(dir, uint16(min(n, 0xffff)))
	dir = le.AppendUint16(dir, uint16(min(n, 0xffff)))
	dir = le.AppendUint32(dir, uint32(min(size, 0xffffffff)))
	dir = le.AppendUint32(dir, uint32(min(uint64(end), 0xffffffff)))
	dir = append(dir, 0, 0)
	_, err := w.f.WriteAt(dir, end)
	return err
}
