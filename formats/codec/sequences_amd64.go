// SPDX-License-Identifier: BSD-3-Clause

//go:build !noasm

package codec

import "github.com/arrayrun/arrayrun/formats/codec/internal/bytesimd"

// haveSequences is whether zstdSequences may be called: it takes bits by instructions of BMI2.
var haveSequences = bytesimd.HaveBMI2()

// zstdSequences decodes and copies sequences while there is room for whole words behind them. The one it decoded last, in s.length, s.match
// and s.offset, is left to the caller: there is no room behind it, it is wrong, or it is the last of all. It trusts the tables, and
// reads nothing outside of the stream, literals and output that s describes.
//
//go:noescape
func zstdSequences(s *seqRun)

// huffPairs decodes rounds of five times one or two literals from each of four streams. It trusts that these have the bytes for it, and their
// parts the room.
//
//go:noescape
func huffPairs(h *huffRun)

// huffSingles is huffPairs with five literals a round.
//
//go:noescape
func huffSingles(h *huffRun)

// lz4Sequences decodes LZ4 sequences while there is room for whole words behind them, and stops before the first that it leaves to
// the caller. It reads nothing outside of what s describes.
//
//go:noescape
func lz4Sequences(s *lz4Run)

// lz4Matches makes LZ4 sequences up to s.last, which is lz4Slack before the last position of a match or more. It reads nothing outside of
// the block that s describes.
//
//go:noescape
func lz4Matches(s *lz4Packing)

// inflateFast decodes symbols of a deflate block while there is room for whole words behind them. It trusts the tables, and
// reads nothing outside of what s describes.
//
//go:noescape
func inflateFast(s *inflateRun)
