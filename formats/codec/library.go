// SPDX-License-Identifier: BSD-3-Clause

package codec

import "github.com/arrayrun/arrayrun/formats/codec/internal/clib"

// Library says of a C library whether it is used.
type Library struct {
	File    string // the name the system's loader is asked for
	Version string // what it says of itself, "" where it says nothing
	Err     error  // why it is not used, nil when it is
}

// RefuseLibraries says whether codecs are in Go alone from now on. Without it libzstd writes, and libdeflate and libzstd
// read where there is no assembly, if the system has them: the values are the same, the bytes that zstd stores may differ.
func RefuseLibraries(yes bool) { clib.Refuse(yes) }

// Libraries looks for the libraries.
func Libraries() []Library {
	var out []Library
	for _, l := range []*clib.Library{clib.LibDeflate, clib.LibZstd} {
		err := l.Err()
		out = append(out, Library{l.Name, l.Version(), err})
	}
	return out
}
