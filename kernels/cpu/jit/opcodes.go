// SPDX-License-Identifier: BSD-3-Clause

package jit

// opcode is a VEX instruction: how it is encoded and how it takes its operands.
type opcode struct {
	name   string
	prefix byte // 0 none, 1 66, 2 F3, 3 F2
	space  byte // opcode map
	w      byte
	code   byte
	shape  shape
	ext    byte // shapeShift: the register field
}

// Opcode maps and prefixes.
const (
	map0F   = 1
	map0F38 = 2
	map0F3A = 3

	pNone = 0
	p66   = 1
	pF3   = 2
	pF2   = 3
)

// shape is where an instruction's operands go.
type shape uint8

const (
	shapeBinary    shape = iota // r = v op x
	shapeUnary                  // r = op x
	shapeShift                  // v = x op imm; x is a register
	shapeBlend                  // r = register imm8[7:4] ? x : v
	shapeFMA                    // r = f(r, v, x)
	shapeToMem                  // x = op r: extracts and stores
	shapeTest                   // flags of r and x
	shapeToGeneral              // x, a general register = r
	shapeFromSigns              // r, a general register = f(x)
	shapePermute                // r = of v and x what r says
)

// vop names a row of opcodes.
type vop uint8

// The instructions.
const (
	vaddps vop = iota
	vaddpd
	vmulps
	vmulpd
	vsubps
	vsubpd
	vminps
	vminpd
	vdivps
	vdivpd
	vmaxps
	vmaxpd
	vsqrtps
	vsqrtpd
	vandps
	vandpd
	vandnps
	vandnpd
	vorps
	vorpd
	vxorps
	vxorpd
	vcmpps
	vcmppd
	vblendvps
	vblendvpd
	vpblendvb
	vroundps
	vroundpd
	vcvtdq2ps
	vcvttps2dq
	vcvtdq2pd
	vcvttpd2dq
	vcvtps2pd
	vcvtpd2ps
	vcvtph2ps
	vcvtps2ph
	vfmadd132ps
	vfmadd213ps
	vfmadd231ps
	vfmadd132pd
	vfmadd213pd
	vfmadd231pd
	vfmsub132ps
	vfmsub213ps
	vfmsub231ps
	vfmsub132pd
	vfmsub213pd
	vfmsub231pd
	vfnmadd132ps
	vfnmadd213ps
	vfnmadd231ps
	vfnmadd132pd
	vfnmadd213pd
	vfnmadd231pd
	vpaddb
	vpaddw
	vpaddd
	vpaddq
	vpsubb
	vpsubw
	vpsubd
	vpsubq
	vpmullw
	vpmulld
	vpmuludq
	vpminsb
	vpminsw
	vpminsd
	vpminub
	vpminuw
	vpminud
	vpmaxsb
	vpmaxsw
	vpmaxsd
	vpmaxub
	vpmaxuw
	vpmaxud
	vpcmpeqb
	vpcmpeqw
	vpcmpeqd
	vpcmpeqq
	vpcmpgtb
	vpcmpgtw
	vpcmpgtd
	vpcmpgtq
	vpand
	vpandn
	vpor
	vpxor
	vpabsb
	vpabsw
	vpabsd
	vpsrlw
	vpsraw
	vpsllw
	vpsrld
	vpsrad
	vpslld
	vpsrlq
	vpsllq
	vpsllvd
	vpsllvq
	vpsrlvd
	vpsrlvq
	vpsravd
	vpshufb
	vpshufd
	vpermps
	vpermq
	vshufps
	vextracti128
	vpmovsxbw
	vpmovsxbd
	vpmovsxbq
	vpmovsxwd
	vpmovsxwq
	vpmovsxdq
	vpmovzxbw
	vpmovzxbd
	vpmovzxbq
	vpmovzxwd
	vpmovzxwq
	vpmovzxdq
	vpacksswb
	vpackssdw
	vpackuswb
	vpackusdw
	vpmaddubsw
	vpmaddwd
	vpsadbw
	vptest
	vbroadcastss
	vbroadcastsd
	vpbroadcastb
	vpbroadcastw
	vpbroadcastd
	vpbroadcastq
	vmovupsLoad
	vmovupsStore
	vmovntps
	vmovdLoad
	vmovdStore
	vmovqLoad
	vmovqStore
	vmovqGet
	vpmovmskb
	vmaskmovps
	vmaskmovpd
	vmovaps
	vinsertf128
	vunpcklps
	vunpckhps
	vunpcklpd
	vunpckhpd
	vshufpd
	vaddsubpd

	// Those that only 64 byte vectors have.
	vpternlogd
	vpblendmb
	vpblendmw
	vblendmps
	vblendmpd
	vpmovm2b
	vpmovm2w
	vpmovm2d
	vpmovm2q
	vptestmd
	vptestmq
	vpmovwb
	vpmovdw
	vpmovqd
	vpmovqw
	vpmovqb
	vextractf64x4
	vpcmpb
	vpcmpw
	vpcmpd
	vpcmpq
	vpcmpuq
	vpminsq
	vpmaxsq
	vpminuq
	vpmaxuq
	vrangeps
	vrangepd
	vmovupdLoad
	vpermpd
	vpermi2pd
	vpermi2ps
	vcvtqq2pd
	vcvtuqq2pd
	vpmullq
	vgetexpps
	vgetexppd
	vgetmantps
	vgetmantpd
	vopCount
)

// opcodes is the table of instructions, by vop.
var opcodes = [vopCount]opcode{
	vaddps:       {"vaddps", pNone, map0F, 0, 0x58, shapeBinary, 0},
	vaddpd:       {"vaddpd", p66, map0F, 0, 0x58, shapeBinary, 0},
	vmulps:       {"vmulps", pNone, map0F, 0, 0x59, shapeBinary, 0},
	vmulpd:       {"vmulpd", p66, map0F, 0, 0x59, shapeBinary, 0},
	vsubps:       {"vsubps", pNone, map0F, 0, 0x5C, shapeBinary, 0},
	vsubpd:       {"vsubpd", p66, map0F, 0, 0x5C, shapeBinary, 0},
	vminps:       {"vminps", pNone, map0F, 0, 0x5D, shapeBinary, 0},
	vminpd:       {"vminpd", p66, map0F, 0, 0x5D, shapeBinary, 0},
	vdivps:       {"vdivps", pNone, map0F, 0, 0x5E, shapeBinary, 0},
	vdivpd:       {"vdivpd", p66, map0F, 0, 0x5E, shapeBinary, 0},
	vmaxps:       {"vmaxps", pNone, map0F, 0, 0x5F, shapeBinary, 0},
	vmaxpd:       {"vmaxpd", p66, map0F, 0, 0x5F, shapeBinary, 0},
	vsqrtps:      {"vsqrtps", pNone, map0F, 0, 0x51, shapeUnary, 0},
	vsqrtpd:      {"vsqrtpd", p66, map0F, 0, 0x51, shapeUnary, 0},
	vandps:       {"vandps", pNone, map0F, 0, 0x54, shapeBinary, 0},
	vandpd:       {"vandpd", p66, map0F, 0, 0x54, shapeBinary, 0},
	vandnps:      {"vandnps", pNone, map0F, 0, 0x55, shapeBinary, 0},
	vandnpd:      {"vandnpd", p66, map0F, 0, 0x55, shapeBinary, 0},
	vorps:        {"vorps", pNone, map0F, 0, 0x56, shapeBinary, 0},
	vorpd:        {"vorpd", p66, map0F, 0, 0x56, shapeBinary, 0},
	vxorps:       {"vxorps", pNone, map0F, 0, 0x57, shapeBinary, 0},
	vxorpd:       {"vxorpd", p66, map0F, 0, 0x57, shapeBinary, 0},
	vcmpps:       {"vcmpps", pNone, map0F, 0, 0xC2, shapeBinary, 0},
	vcmppd:       {"vcmppd", p66, map0F, 0, 0xC2, shapeBinary, 0},
	vblendvps:    {"vblendvps", p66, map0F3A, 0, 0x4A, shapeBlend, 0},
	vblendvpd:    {"vblendvpd", p66, map0F3A, 0, 0x4B, shapeBlend, 0},
	vpblendvb:    {"vpblendvb", p66, map0F3A, 0, 0x4C, shapeBlend, 0},
	vroundps:     {"vroundps", p66, map0F3A, 0, 0x08, shapeUnary, 0},
	vroundpd:     {"vroundpd", p66, map0F3A, 0, 0x09, shapeUnary, 0},
	vcvtdq2ps:    {"vcvtdq2ps", pNone, map0F, 0, 0x5B, shapeUnary, 0},
	vcvttps2dq:   {"vcvttps2dq", pF3, map0F, 0, 0x5B, shapeUnary, 0},
	vcvtdq2pd:    {"vcvtdq2pd", pF3, map0F, 0, 0xE6, shapeUnary, 0},
	vcvttpd2dq:   {"vcvttpd2dq", p66, map0F, 0, 0xE6, shapeUnary, 0},
	vcvtps2pd:    {"vcvtps2pd", pNone, map0F, 0, 0x5A, shapeUnary, 0},
	vcvtpd2ps:    {"vcvtpd2ps", p66, map0F, 0, 0x5A, shapeUnary, 0},
	vcvtph2ps:    {"vcvtph2ps", p66, map0F38, 0, 0x13, shapeUnary, 0},
	vcvtps2ph:    {"vcvtps2ph", p66, map0F3A, 0, 0x1D, shapeToMem, 0},
	vfmadd132ps:  {"vfmadd132ps", p66, map0F38, 0, 0x98, shapeFMA, 0},
	vfmadd213ps:  {"vfmadd213ps", p66, map0F38, 0, 0xA8, shapeFMA, 0},
	vfmadd231ps:  {"vfmadd231ps", p66, map0F38, 0, 0xB8, shapeFMA, 0},
	vfmadd132pd:  {"vfmadd132pd", p66, map0F38, 1, 0x98, shapeFMA, 0},
	vfmadd213pd:  {"vfmadd213pd", p66, map0F38, 1, 0xA8, shapeFMA, 0},
	vfmadd231pd:  {"vfmadd231pd", p66, map0F38, 1, 0xB8, shapeFMA, 0},
	vfmsub132ps:  {"vfmsub132ps", p66, map0F38, 0, 0x9A, shapeFMA, 0},
	vfmsub213ps:  {"vfmsub213ps", p66, map0F38, 0, 0xAA, shapeFMA, 0},
	vfmsub231ps:  {"vfmsub231ps", p66, map0F38, 0, 0xBA, shapeFMA, 0},
	vfmsub132pd:  {"vfmsub132pd", p66, map0F38, 1, 0x9A, shapeFMA, 0},
	vfmsub213pd:  {"vfmsub213pd", p66, map0F38, 1, 0xAA, shapeFMA, 0},
	vfmsub231pd:  {"vfmsub231pd", p66, map0F38, 1, 0xBA, shapeFMA, 0},
	vfnmadd132ps: {"vfnmadd132ps", p66, map0F38, 0, 0x9C, shapeFMA, 0},
	vfnmadd213ps: {"vfnmadd213ps", p66, map0F38, 0, 0xAC, shapeFMA, 0},
	vfnmadd231ps: {"vfnmadd231ps", p66, map0F38, 0, 0xBC, shapeFMA, 0},
	vfnmadd132pd: {"vfnmadd132pd", p66, map0F38, 1, 0x9C, shapeFMA, 0},
	vfnmadd213pd: {"vfnmadd213pd", p66, map0F38, 1, 0xAC, shapeFMA, 0},
	vfnmadd231pd: {"vfnmadd231pd", p66, map0F38, 1, 0xBC, shapeFMA, 0},
	vpaddb:       {"vpaddb", p66, map0F, 0, 0xFC, shapeBinary, 0},
	vpaddw:       {"vpaddw", p66, map0F, 0, 0xFD, shapeBinary, 0},
	vpaddd:       {"vpaddd", p66, map0F, 0, 0xFE, shapeBinary, 0},
	vpaddq:       {"vpaddq", p66, map0F, 0, 0xD4, shapeBinary, 0},
	vpsubb:       {"vpsubb", p66, map0F, 0, 0xF8, shapeBinary, 0},
	vpsubw:       {"vpsubw", p66, map0F, 0, 0xF9, shapeBinary, 0},
	vpsubd:       {"vpsubd", p66, map0F, 0, 0xFA, shapeBinary, 0},
	vpsubq:       {"vpsubq", p66, map0F, 0, 0xFB, shapeBinary, 0},
	vpmullw:      {"vpmullw", p66, map0F, 0, 0xD5, shapeBinary, 0},
	vpmulld:      {"vpmulld", p66, map0F38, 0, 0x40, shapeBinary, 0},
	vpmuludq:     {"vpmuludq", p66, map0F, 0, 0xF4, shapeBinary, 0},
	vpminsb:      {"vpminsb", p66, map0F38, 0, 0x38, shapeBinary, 0},
	vpminsw:      {"vpminsw", p66, map0F, 0, 0xEA, shapeBinary, 0},
	vpminsd:      {"vpminsd", p66, map0F38, 0, 0x39, shapeBinary, 0},
	vpminub:      {"vpminub", p66, map0F, 0, 0xDA, shapeBinary, 0},
	vpminuw:      {"vpminuw", p66, map0F38, 0, 0x3A, shapeBinary, 0},
	vpminud:      {"vpminud", p66, map0F38, 0, 0x3B, shapeBinary, 0},
	vpmaxsb:      {"vpmaxsb", p66, map0F38, 0, 0x3C, shapeBinary, 0},
	vpmaxsw:      {"vpmaxsw", p66, map0F, 0, 0xEE, shapeBinary, 0},
	vpmaxsd:      {"vpmaxsd", p66, map0F38, 0, 0x3D, shapeBinary, 0},
	vpmaxub:      {"vpmaxub", p66, map0F, 0, 0xDE, shapeBinary, 0},
	vpmaxuw:      {"vpmaxuw", p66, map0F38, 0, 0x3E, shapeBinary, 0},
	vpmaxud:      {"vpmaxud", p66, map0F38, 0, 0x3F, shapeBinary, 0},
	vpcmpeqb:     {"vpcmpeqb", p66, map0F, 0, 0x74, shapeBinary, 0},
	vpcmpeqw:     {"vpcmpeqw", p66, map0F, 0, 0x75, shapeBinary, 0},
	vpcmpeqd:     {"vpcmpeqd", p66, map0F, 0, 0x76, shapeBinary, 0},
	vpcmpeqq:     {"vpcmpeqq", p66, map0F38, 0, 0x29, shapeBinary, 0},
	vpcmpgtb:     {"vpcmpgtb", p66, map0F, 0, 0x64, shapeBinary, 0},
	vpcmpgtw:     {"vpcmpgtw", p66, map0F, 0, 0x65, shapeBinary, 0},
	vpcmpgtd:     {"vpcmpgtd", p66, map0F, 0, 0x66, shapeBinary, 0},
	vpcmpgtq:     {"vpcmpgtq", p66, map0F38, 0, 0x37, shapeBinary, 0},
	vpand:        {"vpand", p66, map0F, 0, 0xDB, shapeBinary, 0},
	vpandn:       {"vpandn", p66, map0F, 0, 0xDF, shapeBinary, 0},
	vpor:         {"vpor", p66, map0F, 0, 0xEB, shapeBinary, 0},
	vpxor:        {"vpxor", p66, map0F, 0, 0xEF, shapeBinary, 0},
	vpabsb:       {"vpabsb", p66, map0F38, 0, 0x1C, shapeUnary, 0},
	vpabsw:       {"vpabsw", p66, map0F38, 0, 0x1D, shapeUnary, 0},
	vpabsd:       {"vpabsd", p66, map0F38, 0, 0x1E, shapeUnary, 0},
	vpsrlw:       {"vpsrlw", p66, map0F, 0, 0x71, shapeShift, 2},
	vpsraw:       {"vpsraw", p66, map0F, 0, 0x71, shapeShift, 4},
	vpsllw:       {"vpsllw", p66, map0F, 0, 0x71, shapeShift, 6},
	vpsrld:       {"vpsrld", p66, map0F, 0, 0x72, shapeShift, 2},
	vpsrad:       {"vpsrad", p66, map0F, 0, 0x72, shapeShift, 4},
	vpslld:       {"vpslld", p66, map0F, 0, 0x72, shapeShift, 6},
	vpsrlq:       {"vpsrlq", p66, map0F, 0, 0x73, shapeShift, 2},
	vpsllq:       {"vpsllq", p66, map0F, 0, 0x73, shapeShift, 6},
	vpsllvd:      {"vpsllvd", p66, map0F38, 0, 0x47, shapeBinary, 0},
	vpsllvq:      {"vpsllvq", p66, map0F38, 1, 0x47, shapeBinary, 0},
	vpsrlvd:      {"vpsrlvd", p66, map0F38, 0, 0x45, shapeBinary, 0},
	vpsrlvq:      {"vpsrlvq", p66, map0F38, 1, 0x45, shapeBinary, 0},
	vpsravd:      {"vpsravd", p66, map0F38, 0, 0x46, shapeBinary, 0},
	vpshufb:      {"vpshufb", p66, map0F38, 0, 0x00, shapeBinary, 0},
	vpshufd:      {"vpshufd", p66, map0F, 0, 0x70, shapeUnary, 0},
	vpermps:      {"vpermps", p66, map0F38, 0, 0x16, shapeBinary, 0},
	vpermq:       {"vpermq", p66, map0F3A, 1, 0x00, shapeUnary, 0},
	vshufps:      {"vshufps", pNone, map0F, 0, 0xC6, shapeBinary, 0},
	vextracti128: {"vextracti128", p66, map0F3A, 0, 0x39, shapeToMem, 0},
	vpmovsxbw:    {"vpmovsxbw", p66, map0F38, 0, 0x20, shapeUnary, 0},
	vpmovsxbd:    {"vpmovsxbd", p66, map0F38, 0, 0x21, shapeUnary, 0},
	vpmovsxbq:    {"vpmovsxbq", p66, map0F38, 0, 0x22, shapeUnary, 0},
	vpmovsxwd:    {"vpmovsxwd", p66, map0F38, 0, 0x23, shapeUnary, 0},
	vpmovsxwq:    {"vpmovsxwq", p66, map0F38, 0, 0x24, shapeUnary, 0},
	vpmovsxdq:    {"vpmovsxdq", p66, map0F38, 0, 0x25, shapeUnary, 0},
	vpmovzxbw:    {"vpmovzxbw", p66, map0F38, 0, 0x30, shapeUnary, 0},
	vpmovzxbd:    {"vpmovzxbd", p66, map0F38, 0, 0x31, shapeUnary, 0},
	vpmovzxbq:    {"vpmovzxbq", p66, map0F38, 0, 0x32, shapeUnary, 0},
	vpmovzxwd:    {"vpmovzxwd", p66, map0F38, 0, 0x33, shapeUnary, 0},
	vpmovzxwq:    {"vpmovzxwq", p66, map0F38, 0, 0x34, shapeUnary, 0},
	vpmovzxdq:    {"vpmovzxdq", p66, map0F38, 0, 0x35, shapeUnary, 0},
	vpacksswb:    {"vpacksswb", p66, map0F, 0, 0x63, shapeBinary, 0},
	vpackssdw:    {"vpackssdw", p66, map0F, 0, 0x6B, shapeBinary, 0},
	vpackuswb:    {"vpackuswb", p66, map0F, 0, 0x67, shapeBinary, 0},
	vpackusdw:    {"vpackusdw", p66, map0F38, 0, 0x2B, shapeBinary, 0},
	vpmaddubsw:   {"vpmaddubsw", p66, map0F38, 0, 0x04, shapeBinary, 0},
	vpmaddwd:     {"vpmaddwd", p66, map0F, 0, 0xF5, shapeBinary, 0},
	vpsadbw:      {"vpsadbw", p66, map0F, 0, 0xF6, shapeBinary, 0},
	vptest:       {"vptest", p66, map0F38, 0, 0x17, shapeTest, 0},
	vbroadcastss: {"vbroadcastss", p66, map0F38, 0, 0x18, shapeUnary, 0},
	vbroadcastsd: {"vbroadcastsd", p66, map0F38, 0, 0x19, shapeUnary, 0},
	vpbroadcastb: {"vpbroadcastb", p66, map0F38, 0, 0x78, shapeUnary, 0},
	vpbroadcastw: {"vpbroadcastw", p66, map0F38, 0, 0x79, shapeUnary, 0},
	vpbroadcastd: {"vpbroadcastd", p66, map0F38, 0, 0x58, shapeUnary, 0},
	vpbroadcastq: {"vpbroadcastq", p66, map0F38, 0, 0x59, shapeUnary, 0},
	vmovupsLoad:  {"vmovups", pNone, map0F, 0, 0x10, shapeUnary, 0},
	vmovupsStore: {"vmovups", pNone, map0F, 0, 0x11, shapeToMem, 0},
	vmovntps:     {"vmovntps", pNone, map0F, 0, 0x2B, shapeToMem, 0},
	vmovdLoad:    {"vmovd", p66, map0F, 0, 0x6E, shapeUnary, 0},
	vmovdStore:   {"vmovd", p66, map0F, 0, 0x7E, shapeToMem, 0},
	vmovqLoad:    {"vmovq", pF3, map0F, 0, 0x7E, shapeUnary, 0},
	vmovqStore:   {"vmovq", p66, map0F, 0, 0xD6, shapeToMem, 0},
	vmovqGet:     {"vmovq", p66, map0F, 1, 0x7E, shapeToGeneral, 0},
	vpmovmskb:    {"vpmovmskb", p66, map0F, 0, 0xD7, shapeFromSigns, 0},
	vmaskmovps:   {"vmaskmovps", p66, map0F38, 0, 0x2C, shapeBinary, 0},
	vmaskmovpd:   {"vmaskmovpd", p66, map0F38, 0, 0x2D, shapeBinary, 0},
	vmovaps:      {"vmovaps", pNone, map0F, 0, 0x28, shapeUnary, 0},
	vinsertf128:  {"vinsertf128", p66, map0F3A, 0, 0x18, shapeBinary, 0},
	vunpcklps:    {"vunpcklps", pNone, map0F, 0, 0x14, shapeBinary, 0},
	vunpckhps:    {"vunpckhps", pNone, map0F, 0, 0x15, shapeBinary, 0},
	vunpcklpd:    {"vunpcklpd", p66, map0F, 0, 0x14, shapeBinary, 0},
	vshufpd:      {"vshufpd", p66, map0F, 0, 0xC6, shapeBinary, 0},
	vaddsubpd:    {"vaddsubpd", p66, map0F, 0, 0xD0, shapeBinary, 0},
	vunpckhpd:    {"vunpckhpd", p66, map0F, 0, 0x15, shapeBinary, 0},

	vpternlogd:    {"vpternlogd", p66, map0F3A, 0, 0x25, shapeBinary, 0},
	vpblendmb:     {"vpblendmb", p66, map0F38, 0, 0x66, shapeBinary, 0},
	vpblendmw:     {"vpblendmw", p66, map0F38, 1, 0x66, shapeBinary, 0},
	vblendmps:     {"vblendmps", p66, map0F38, 0, 0x65, shapeBinary, 0},
	vblendmpd:     {"vblendmpd", p66, map0F38, 1, 0x65, shapeBinary, 0},
	vpmovm2b:      {"vpmovm2b", pF3, map0F38, 0, 0x28, shapeUnary, 0},
	vpmovm2w:      {"vpmovm2w", pF3, map0F38, 1, 0x28, shapeUnary, 0},
	vpmovm2d:      {"vpmovm2d", pF3, map0F38, 0, 0x38, shapeUnary, 0},
	vpmovm2q:      {"vpmovm2q", pF3, map0F38, 1, 0x38, shapeUnary, 0},
	vptestmd:      {"vptestmd", p66, map0F38, 0, 0x27, shapeBinary, 0},
	vptestmq:      {"vptestmq", p66, map0F38, 1, 0x27, shapeBinary, 0},
	vpmovwb:       {"vpmovwb", pF3, map0F38, 0, 0x30, shapeToMem, 0},
	vpmovdw:       {"vpmovdw", pF3, map0F38, 0, 0x33, shapeToMem, 0},
	vpmovqd:       {"vpmovqd", pF3, map0F38, 0, 0x35, shapeToMem, 0},
	vpmovqw:       {"vpmovqw", pF3, map0F38, 0, 0x34, shapeToMem, 0},
	vpmovqb:       {"vpmovqb", pF3, map0F38, 0, 0x32, shapeToMem, 0},
	vpcmpuq:       {"vpcmpuq", p66, map0F3A, 1, 0x1E, shapeBinary, 0},
	vextractf64x4: {"vextractf64x4", p66, map0F3A, 1, 0x1B, shapeToMem, 0},
	vpcmpb:        {"vpcmpb", p66, map0F3A, 0, 0x3F, shapeBinary, 0},
	vpcmpw:        {"vpcmpw", p66, map0F3A, 1, 0x3F, shapeBinary, 0},
	vpcmpd:        {"vpcmpd", p66, map0F3A, 0, 0x1F, shapeBinary, 0},
	vpcmpq:        {"vpcmpq", p66, map0F3A, 1, 0x1F, shapeBinary, 0},
	vpminsq:       {"vpminsq", p66, map0F38, 1, 0x39, shapeBinary, 0},
	vpmaxsq:       {"vpmaxsq", p66, map0F38, 1, 0x3D, shapeBinary, 0},
	vpminuq:       {"vpminuq", p66, map0F38, 1, 0x3B, shapeBinary, 0},
	vpmaxuq:       {"vpmaxuq", p66, map0F38, 1, 0x3F, shapeBinary, 0},
	vrangeps:      {"vrangeps", p66, map0F3A, 0, 0x50, shapeBinary, 0},
	vrangepd:      {"vrangepd", p66, map0F3A, 1, 0x50, shapeBinary, 0},
	vpermpd:       {"vpermpd", p66, map0F38, 1, 0x16, shapeBinary, 0},
	vpermi2pd:     {"vpermi2pd", p66, map0F38, 1, 0x77, shapePermute, 0},
	vpermi2ps:     {"vpermi2ps", p66, map0F38, 0, 0x77, shapePermute, 0},
	vpmullq:       {"vpmullq", p66, map0F38, 1, 0x40, shapeBinary, 0},
	vgetexpps:     {"vgetexpps", p66, map0F38, 0, 0x42, shapeUnary, 0},
	vgetexppd:     {"vgetexppd", p66, map0F38, 1, 0x42, shapeUnary, 0},
	vgetmantps:    {"vgetmantps", p66, map0F3A, 0, 0x26, shapeUnary, 0},
	vgetmantpd:    {"vgetmantpd", p66, map0F3A, 1, 0x26, shapeUnary, 0},
	vcvtqq2pd:     {"vcvtqq2pd", pF3, map0F, 1, 0xE6, shapeUnary, 0},
	vcvtuqq2pd:    {"vcvtuqq2pd", pF3, map0F, 1, 0x7A, shapeUnary, 0},
	vmovupdLoad:   {"vmovupd", p66, map0F, 1, 0x10, shapeUnary, 0},
}
