// SPDX-License-Identifier: BSD-3-Clause

//go:build !amd64 || noasm

package codec

const haveSequences = false

// Without assembly the portable loops do everything and nobody calls these.
func zstdSequences(*seqRun)   {}
func huffPairs(*huffRun)      {}
func huffSingles(*huffRun)    {}
func lz4Sequences(*lz4Run)    {}
func lz4Matches(*lz4Packing)  {}
func inflateFast(*inflateRun) {}
