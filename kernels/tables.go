// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"fmt"
	"math"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// tableSize is the number of entries of a table: what an instruction of 64-byte vectors can choose from without memory.
const tableSize = 16

// The tables that OpLookup reads, by Aux.
const (
	tableInverse int32 = iota // about 1/c, of 6 bits, for the 16 parts c of an octave from 31/32 on, the first half as wide as the others below 1
	tableLog                  // log(c) to 42 places
	tableLogRest              // what that leaves of log(c)
	tablePower                // 2^(i/16) less the bits of 1, to which those of a power of two are added
	tableCount
)

// tables hold the entries' bits.
var tables = [tableCount][tableSize]uint64{
	tableInverse: floatBits(0, 1, 0.9375, 0.890625, 0.84375, 0.796875, 0.765625, 0.71875, 0.6875, 0.671875, 0.640625, 0.609375, 0.59375, 0.578125, 0.546875, 0.53125, 0.515625),
	tableLog: floatBits(0, 0, 0x1.08598b59e4p-4, 0x1.da72763844p-4, 0x1.5bf406b544p-3, 0x1.d1037f2656p-3, 0x1.1178e8227ep-2, 0x1.522ae0738ap-2, 0x1.7fafa3bd81p-2,
		0x1.973a343135p-2, 0x1.c7ff9c7455p-2, 0x1.fb358af7a5p-2, 0x1.0ae76e2d058p-1, 0x1.188ee40f24p-1, 0x1.35028ad9d9p-1, 0x1.43d9ff2f92p-1, 0x1.5322e268678p-1),
	tableLogRest: floatBits(0, 0, -0x1.7e5dd7009902cp-46, 0x1.a89401fa71733p-46, -0x1.27023eb68981cp-46, -0x1.84a7e75b6f6e4p-47, 0x1.1ef78ce2d07f2p-44, 0x1.ebe708164c759p-45,
		0x1.46fb79bf6d4cbp-44, 0x1.ab73b16bf4984p-44, 0x1.324911f56db29p-44, -0x1.def40b87d36d9p-44, -0x1.82de51de06076p-44, -0x1.accec41d52e6cp-44,
		-0x1.bd1f01ab60655p-44, 0x1.e267b0b7efae1p-44, 0x1.5ccc45d257531p-47),
	tablePower: floatBits(oneBits, 1, 0x1.0b5586cf9890fp+0, 0x1.172b83c7d517bp+0, 0x1.2387a6e756238p+0, 0x1.306fe0a31b715p+0, 0x1.3dea64c123422p+0, 0x1.4bfdad5362a27p+0,
		0x1.5ab07dd485429p+0, 0x1.6a09e667f3bcdp+0, 0x1.7a11473eb0187p+0, 0x1.8ace5422aa0dbp+0, 0x1.9c49182a3f09p+0, 0x1.ae89f995ad3adp+0, 0x1.c199bdd85529cp+0,
		0x1.d5818dcfba487p+0, 0x1.ea4afa2a490dap+0),
}

// oneBits are the bits of 1.
const oneBits = 1023 << 52

// floatBits returns the bits of values, less some.
func floatBits(less uint64, v ...float64) (t [tableSize]uint64) {
	for i, x := range v {
		t[i] = math.Float64bits(x) - less
	}
	return t
}

// Tables is the number of tables.
const Tables = int32(tableCount)

// Table returns the entries that an OpLookup with i for Aux reads, 0 <= i < Tables.
func Table(i int32) [tableSize]uint64 { return tables[i] }

// lookup returns the entry of a table at the four lowest bits of x, a uint64.
func (b *Builder) lookup(x Reg, table int32) Reg {
	if b.err != nil {
		return NoReg
	}
	if b.Type(x) != dtype.Uint64 {
		return b.fail(fmt.Errorf("kernels: lookup: got %v, want uint64", b.Type(x)))
	}
	if c, ok := b.ConstValue(x); ok {
		return b.Const(Const{dtype.Uint64, tables[table][c.Bits%tableSize]})
	}
	return b.add(value{kind: valueInst, op: OpLookup, c: Const{DType: dtype.Uint64}, args: [3]Reg{x, NoReg, NoReg}, aux: table})
}
