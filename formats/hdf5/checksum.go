// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import "github.com/arrayrun/arrayrun/formats/codec"

// Checksum is the checksum of all version 2 metadata: Bob Jenkins' public-domain
// hash lookup3 (hashlittle, initial value 0).
func Checksum(k []byte) uint32 { return codec.Lookup3(k, 0) }
