// SPDX-License-Identifier: BSD-3-Clause

//go:build noasm || !(amd64 || arm64)

package codec

import "encoding/binary"

// load32 returns the four bytes of b from i on.
func load32(b []byte, i int) uint32 { return binary.LittleEndian.Uint32(b[i:]) }

// load64 returns the eight bytes of b from i on.
func load64(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i:]) }
