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
	// As float32, for the 16 parts of the significands: by their four highest bits, 1 to 3/2 and then 3/4 to 1.
	tableInverse32 // about 1/c, of 5 bits, 1 on either side of 1
	tableLog32     // log(c)
	tableLog2of32  // log2(c)
	tableLog10of32 // log10(c)
	tableHead32    // log(c) to 16 places
	tableRest32    // what that leaves of log(c)
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

	tableInverse32: floatBits32(1, 0.90625, 0.875, 0.8125, 0.78125, 0.75, 0.71875, 0.6875, 1.3125, 1.25, 1.21875, 1.15625, 1.125, 1.09375, 1.0625, 1),
	tableLog32: floatBits32(0, 0x1.9335e6p-4, 0x1.1178e8p-3, 0x1.a93ed4p-3, 0x1.f991c6p-3, 0x1.269622p-2, 0x1.522aep-2, 0x1.7fafa4p-2,
		-0x1.1675cap-2, -0x1.c8ff7cp-3, -0x1.9525aap-3, -0x1.29553p-3, -0x1.e27076p-4, -0x1.6f0d28p-4, -0x1.f0a30cp-5, 0),
	tableLog2of32: floatBits32(0, 0x1.22dadcp-3, 0x1.8a898p-3, 0x1.32bfeep-2, 0x1.6cb0f6p-2, 0x1.a8ff98p-2, 0x1.e7df6p-2, 0x1.14c56p-1,
		-0x1.91bba8p-2, -0x1.49a784p-2, -0x1.24407ap-2, -0x1.acf5e2p-3, -0x1.5c01a4p-3, -0x1.08c588p-3, -0x1.663f7p-4, 0),
	tableLog10of32: floatBits32(0, 0x1.5e3966p-5, 0x1.db11eep-5, 0x1.715d0cp-4, 0x1.b721cep-4, 0x1.ffbfc2p-4, 0x1.25ba82p-3, 0x1.4d43f8p-3,
		-0x1.e3bc1ap-4, -0x1.8cf184p-4, -0x1.5fe804p-4, -0x1.02428cp-4, -0x1.a30a9ep-5, -0x1.3ed11ap-5, -0x1.af5f92p-6, 0),
	tableHead32: floatBits32(0, 0x1.933p-4, 0x1.1178p-3, 0x1.a94p-3, 0x1.f99p-3, 0x1.2698p-2, 0x1.522cp-2, 0x1.7fbp-2,
		-0x1.1674p-2, -0x1.c9p-3, -0x1.9528p-3, -0x1.2958p-3, -0x1.e27p-4, -0x1.6f1p-4, -0x1.f0ap-5, 0),
	tableRest32: floatBits32(0, 0x1.797566p-18, 0x1.d044fcp-20, -0x1.2c3752p-19, 0x1.c6cb3cp-19, -0x1.deecb2p-18, -0x1.1f8c76p-18, -0x1.7109fap-20,
		-0x1.cababap-18, 0x1.070cacp-20, 0x1.2b185ep-18, 0x1.683fp-18, -0x1.db8abcp-22, 0x1.6ba8d4p-19, -0x1.86008cp-20, 0),
}

// first32 is the first table of uint32.
const first32 = tableInverse32

// oneBits are the bits of 1.
const oneBits = 1023 << 52

// floatBits returns the bits of values, less some.
func floatBits(less uint64, v ...float64) (t [tableSize]uint64) {
	for i, x := range v {
		t[i] = math.Float64bits(x) - less
	}
	return t
}

func floatBits32(v ...float32) (t [tableSize]uint64) {
	for i, x := range v {
		t[i] = uint64(math.Float32bits(x))
	}
	return t
}

// Tables is the number of tables.
const Tables = int32(tableCount)

// Table returns the entries that an OpLookup with i for Aux reads, 0 <= i < Tables.
func Table(i int32) [tableSize]uint64 { return tables[i] }

// TableType is the dtype of table i's entries and of what chooses one: uint64 or uint32.
func TableType(i int32) dtype.DType {
	if i >= first32 {
		return dtype.Uint32
	}
	return dtype.Uint64
}

// lookup returns the entry of a table at the four lowest bits of x, which has the table's dtype.
func (b *Builder) lookup(x Reg, table int32) Reg {
	if b.err != nil {
		return NoReg
	}
	d := TableType(table)
	if b.Type(x) != d {
		return b.fail(fmt.Errorf("kernels: lookup: got %v, want %v", b.Type(x), d))
	}
	if c, ok := b.ConstValue(x); ok {
		return b.Const(Const{d, tables[table][c.Bits%tableSize]})
	}
	return b.add(value{kind: valueInst, op: OpLookup, c: Const{DType: d}, args: [3]Reg{x, NoReg, NoReg}, aux: table})
}
