// SPDX-License-Identifier: BSD-3-Clause

//go:build !amd64 || noasm

package codec

const haveSequences = false

func zstdSequences(*seqRun) bool { panic("codec: there is no assembly for this processor") }
