// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"fmt"
	"strings"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// typedefs begin every source.
const typedefs = `typedef signed char i8;
typedef unsigned char u8;
typedef short i16;
typedef unsigned short u16;
typedef int i32;
typedef unsigned int u32;
typedef long long i64;
typedef unsigned long long u64;
typedef float f32;
typedef double f64;
`

// helper is a function of the prelude: a source holds those it uses and what they need, in this order.
type helper struct {
	name  string
	needs []string
	text  string
}

// helpers are the functions that rendered code calls.
var helpers = []helper{
	{name: "c64", text: `struct c64 { f32 re, im; };
struct c128 { f64 re, im; };
`},
	{name: "vec", text: `struct alignas(8) v8 { u32 a, b; };
struct alignas(16) v16 { u64 a, b; };
`},
	{name: "as_f32", text: `static __device__ __forceinline__ f32 as_f32(u32 b) { union { u32 b; f32 f; } u; u.b = b; return u.f; }
`},
	{name: "as_u32", text: `static __device__ __forceinline__ u32 as_u32(f32 f) { union { u32 b; f32 f; } u; u.f = f; return u.b; }
`},
	{name: "as_f64", text: `static __device__ __forceinline__ f64 as_f64(u64 b) { union { u64 b; f64 f; } u; u.b = b; return u.f; }
`},
	{name: "as_u64", text: `static __device__ __forceinline__ u64 as_u64(f64 f) { union { u64 b; f64 f; } u; u.f = f; return u.b; }
`},
	// float16 and bfloat16 are bit patterns; to and from float32 by integer arithmetic, to nearest, ties to even.
	{name: "f16_f32", needs: []string{"as_f32"}, text: `static __device__ __forceinline__ f32 f16_f32(u16 h) {
	const u32 sign = (u32)(h & 0x8000) << 16, exp = (h >> 10) & 31, mant = h & 0x3ff;
	if (exp == 0) { const f32 v = (f32)mant * 5.9604644775390625e-8f; return sign ? -v : v; }
	if (exp == 31) return as_f32(sign | 0x7f800000u | mant << 13);
	return as_f32(sign | (exp + 112) << 23 | mant << 13);
}
`},
	{name: "bf16_f32", needs: []string{"as_f32"}, text: `static __device__ __forceinline__ f32 bf16_f32(u16 h) { return as_f32((u32)h << 16); }
`},
	{name: "round_shift", text: `static __device__ __forceinline__ u32 round_shift(u32 v, u32 s) {
	u32 q = v >> s;
	const u32 rest = v & ((1u << s) - 1), half = 1u << (s - 1);
	if (rest > half || (rest == half && (q & 1))) q++;
	return q;
}
`},
	{name: "f32_f16", needs: []string{"as_u32", "round_shift"}, text: `static __device__ __forceinline__ u16 f32_f16(f32 x) {
	const u32 b = as_u32(x), sign = (b >> 16) & 0x8000, mant = b & 0x7fffff;
	const i32 exp = (i32)((b >> 23) & 255), e = exp - 127;
	if (exp == 255) return (u16)(mant ? (sign | 0x7e00 | mant >> 13) : (sign | 0x7c00));
	if (e > 15) return (u16)(sign | 0x7c00);
	if (e < -25) return (u16)sign;
	if (e < -14) return (u16)(sign | round_shift(mant | 0x800000, (u32)(13 - 14 - e)));
	return (u16)(sign | round_shift((u32)(e + 15) << 23 | mant, 13));
}
`},
	{name: "f32_bf16", needs: []string{"as_u32", "round_shift"}, text: `static __device__ __forceinline__ u16 f32_bf16(f32 x) {
	const u32 b = as_u32(x);
	if ((b & 0x7fffffff) > 0x7f800000u) return (u16)(b >> 16 | 0x40);
	return (u16)round_shift(b, 16);
}
`},
	// What is inexact gets an odd last bit, so that rounding again to a shorter format does no harm.
	{name: "odd_f32", needs: []string{"as_u32", "as_f32"}, text: `static __device__ __forceinline__ f32 odd_f32(f64 x) {
	const f32 f = (f32)x;
	const f64 d = (f64)f;
	if (d == x || x != x) return f;
	u32 b = as_u32(f);
	if ((d < 0 ? -d : d) > (x < 0 ? -x : x)) b--;
	return as_f32(b | 1);
}
`},
	{name: "odd_u64", text: `static __device__ __forceinline__ f64 odd_u64(u64 v) {
	if (v >> 53) return (f64)(v >> 11 | (u64)((v & 0x7ff) != 0)) * 2048.0;
	return (f64)v;
}
`},
	{name: "odd_i64", needs: []string{"odd_u64"}, text: `static __device__ __forceinline__ f64 odd_i64(i64 v) { return v < 0 ? -odd_u64(0 - (u64)v) : odd_u64((u64)v); }
`},
	{name: "low", text: `template <class T> static __device__ __forceinline__ T low(T a, T b) { return a < b || a != a ? a : b; }
`},
	{name: "high", text: `template <class T> static __device__ __forceinline__ T high(T a, T b) { return a > b || a != a ? a : b; }
`},
	// Integer division: by 0 gives 0, the lowest number by -1 wraps. T is i64 or u64, i32 or u32.
	{name: "quo", text: `template <class T> static __device__ __forceinline__ T quo(T a, T b) {
	if (b == 0) return 0;
	if ((T)-1 < (T)0) {
		if (b == (T)-1) return (T)(0 - (u64)a);
		const T q = a / b;
		return q * b != a && (a < 0) != (b < 0) ? q - 1 : q;
	}
	return a / b;
}
`},
	{name: "mod", text: `template <class T> static __device__ __forceinline__ T mod(T a, T b) {
	if (b == 0 || ((T)-1 < (T)0 && b == (T)-1)) return 0;
	const T m = a % b;
	return m != 0 && (m < 0) != (b < 0) ? m + b : m;
}
`},
	{name: "rem", text: `template <class T> static __device__ __forceinline__ T rem(T a, T b) {
	if (b == 0 || ((T)-1 < (T)0 && b == (T)-1)) return 0;
	return a % b;
}
`},
	{name: "ipow", text: `static __device__ u64 ipow(u64 a, u64 b) {
	u64 r = 1;
	for (; b != 0; b >>= 1) {
		if (b & 1) r *= a;
		a *= a;
	}
	return r;
}
`},
	{name: "size_of", text: `static __device__ __forceinline__ u64 size_of(i64 v) { return v < 0 ? 0 - (u64)v : (u64)v; }
`},
	{name: "gcd", text: `static __device__ u64 gcd(u64 a, u64 b) {
	while (b != 0) {
		const u64 c = a % b;
		a = b;
		b = c;
	}
	return a;
}
`},
	{name: "lcm", needs: []string{"gcd"}, text: `static __device__ u64 lcm(u64 a, u64 b) {
	const u64 g = gcd(a, b);
	return g == 0 ? 0 : a / g * b;
}
`},
	{name: "ones", text: `static __device__ __forceinline__ u8 ones(u64 v) {
	v = v - (v >> 1 & 0x5555555555555555ull);
	v = (v & 0x3333333333333333ull) + (v >> 2 & 0x3333333333333333ull);
	v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0full;
	return (u8)(v * 0x0101010101010101ull >> 56);
}
`},
	// x = significand * 2^exponent, the significand in [3/4, 3/2): so many steps in the bits above those of 3/4.
	{name: "exponent", needs: []string{"as_u32", "as_f32", "as_u64", "as_f64"}, text: `static __device__ __forceinline__ f32 exponent(f32 x) {
	const bool tiny = x < 1.17549435082228750797e-38f;
	const u32 b = as_u32(tiny ? x * 8388608.0f : x) + 0x400000u;
	if (!(x > 0)) return as_f32(x == 0 ? 0xff800000u : 0x7fc00000u);
	return b >= 0x7fc00000u ? x : (f32)((i32)(b >> 23) - (tiny ? 150 : 127));
}
static __device__ __forceinline__ f64 exponent(f64 x) {
	const bool tiny = x < 2.22507385850720138309e-308;
	const u64 b = as_u64(tiny ? x * 4503599627370496.0 : x) + 0x8000000000000ull;
	if (!(x > 0)) return as_f64(x == 0 ? 0xfff0000000000000ull : 0x7ff8000000000000ull);
	return b >= 0x7ff8000000000000ull ? x : (f64)((i32)(b >> 52) - (tiny ? 1075 : 1023));
}
`},
	{name: "significand", needs: []string{"as_u32", "as_f32", "as_u64", "as_f64"}, text: `static __device__ __forceinline__ f32 significand(f32 x) {
	const u32 b = as_u32(x < 1.17549435082228750797e-38f ? x * 8388608.0f : x) + 0x400000u;
	return as_f32(x >= 0 ? (b & 0x7fffffu) + 0x3f400000u : 0x7fc00000u);
}
static __device__ __forceinline__ f64 significand(f64 x) {
	const u64 b = as_u64(x < 2.22507385850720138309e-308 ? x * 4503599627370496.0 : x) + 0x8000000000000ull;
	return as_f64(x >= 0 ? (b & 0xfffffffffffffull) + 0x3fe8000000000000ull : 0x7ff8000000000000ull);
}
`},
	// n / d for n below 2^31 by a multiplication: m and s come from divider.
	{name: "quick", text: `static __device__ __forceinline__ u32 quick(u32 n, u32 m, u32 s) { return ((u32)((u64)m * n >> 32) + n) >> s; }
`},
	// Folds. -0 is below +0; a position below 0 is nothing.
	{name: "below", needs: []string{"as_u32", "as_u64"}, text: `template <class T> static __device__ __forceinline__ bool below(T a, T b) { return a < b; }
static __device__ __forceinline__ bool below(f32 a, f32 b) { return a < b || (a == b && as_u32(a) >> 31 > as_u32(b) >> 31); }
static __device__ __forceinline__ bool below(f64 a, f64 b) { return a < b || (a == b && as_u64(a) >> 63 > as_u64(b) >> 63); }
`},
	{name: "join_extreme", needs: []string{"below"}, text: `template <bool MIN, bool SKIP, class T> static __device__ __forceinline__ void join_extreme(T &a, T b) {
	const bool x = a != a, y = b != b;
	if (SKIP ? x : y) a = b;
	else if (!x && !y && (MIN ? below(b, a) : below(a, b))) a = b;
}
`},
	{name: "join_arg", needs: []string{"below"}, text: `template <bool MIN, class T> static __device__ __forceinline__ void join_arg(T &a, i64 &p, T b, i64 q) {
	if (q < 0) return;
	bool take = p < 0;
	if (!take) {
		const bool x = a != a, y = b != b;
		if ((x && y) || (!x && !y && a == b)) take = q < p;
		else if (x) take = false;
		else take = y || (MIN ? below(b, a) : below(a, b));
	}
	if (take) { a = b; p = q; }
}
`},
	{name: "join_end", text: `template <bool LAST, class T> static __device__ __forceinline__ void join_end(T &a, i64 &p, T b, i64 q) {
	if (q >= 0 && (p < 0 || (LAST ? q > p : q < p))) { a = b; p = q; }
}
`},
	{name: "join_moments", text: `static __device__ __forceinline__ void join_moments(i64 &na, f64 &ma, f64 &sa, i64 nb, f64 mb, f64 sb) {
	if (nb == 0) return;
	if (na == 0) { na = nb; ma = mb; sa = sb; return; }
	const f64 d = mb - ma, f = (f64)nb / (f64)(na + nb), step = d * f, dd = d * d, weight = (f64)na * f, spread = dd * weight;
	ma = ma + step;
	sa = (sa + sb) + spread;
	na = na + nb;
}
`},
	{name: "down", needs: []string{"as_u32", "as_f32", "as_u64", "as_f64"}, text: `static __device__ __forceinline__ u32 down(u32 v, u32 h) { return __shfl_down_sync(0xffffffffu, v, h); }
static __device__ __forceinline__ u64 down(u64 v, u32 h) { return __shfl_down_sync(0xffffffffu, v, h); }
static __device__ __forceinline__ i64 down(i64 v, u32 h) { return (i64)down((u64)v, h); }
static __device__ __forceinline__ i32 down(i32 v, u32 h) { return (i32)down((u32)v, h); }
static __device__ __forceinline__ i16 down(i16 v, u32 h) { return (i16)down((u32)v, h); }
static __device__ __forceinline__ u16 down(u16 v, u32 h) { return (u16)down((u32)v, h); }
static __device__ __forceinline__ i8 down(i8 v, u32 h) { return (i8)down((u32)v, h); }
static __device__ __forceinline__ u8 down(u8 v, u32 h) { return (u8)down((u32)v, h); }
static __device__ __forceinline__ f32 down(f32 v, u32 h) { return as_f32(down(as_u32(v), h)); }
static __device__ __forceinline__ f64 down(f64 v, u32 h) { return as_f64(down(as_u64(v), h)); }
`},
	// Complex folds accumulate in c128, each product and sum rounded.
	{name: "fold_c", needs: []string{"c64", "down"}, text: `static __device__ __forceinline__ c128 wide_c(c64 v) { return c128{(f64)v.re, (f64)v.im}; }
static __device__ __forceinline__ c128 wide_c(c128 v) { return v; }
static __device__ __forceinline__ bool is_number(c128 v) { return v.re == v.re && v.im == v.im; }
static __device__ __forceinline__ bool not_zero(c128 v) { return v.re != 0 || v.im != 0; }
static __device__ __forceinline__ c128 add_c(c128 a, c128 b) { return c128{a.re + b.re, a.im + b.im}; }
static __device__ __forceinline__ c128 mul_c(c128 a, c128 b) { return c128{a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }
static __device__ __forceinline__ c128 down(c128 v, u32 h) { return c128{down(v.re, h), down(v.im, h)}; }
`},
	{name: "lane", needs: []string{"as_u64", "as_f64"}, text: `static __device__ __forceinline__ i64 lane(i64 v, u32 l) { return (i64)__shfl_sync(0xffffffffu, (u64)v, l); }
static __device__ __forceinline__ f64 lane(f64 v, u32 l) { return as_f64(__shfl_sync(0xffffffffu, as_u64(v), l)); }
`},
}

// prelude returns the typedefs and the helpers named in used, with what they need.
func prelude(used map[string]bool) string {
	for i := len(helpers) - 1; i >= 0; i-- {
		if used[helpers[i].name] {
			for _, n := range helpers[i].needs {
				used[n] = true
			}
		}
	}
	var b strings.Builder
	b.WriteString(typedefs)
	for _, h := range helpers {
		if used[h.name] {
			b.WriteString(h.text)
		}
	}
	for i := range kernels.Tables {
		if used[tableName(i)] {
			t, suffix := "u64", "ull"
			if kernels.TableType(i) == dtype.Uint32 {
				t, suffix = "u32", "u"
			}
			fmt.Fprintf(&b, "static __device__ const %s %s[] = {", t, tableName(i))
			for _, v := range kernels.Table(i) {
				fmt.Fprintf(&b, "%#x%s, ", v, suffix)
			}
			b.WriteString("};\n")
		}
	}
	return b.String()
}

// tableName is what a source calls a table that lookup reads.
func tableName(i int32) string { return fmt.Sprintf("table%d", i) }
