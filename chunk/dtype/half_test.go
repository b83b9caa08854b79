// SPDX-License-Identifier: BSD-3-Clause

package dtype

import (
	"math"
	"testing"
)

// TestHalfExhaustive visits every pattern of the two half types: conversion to
// float64 and back is the identity, and the value halfway between neighbours
// goes to the even one while anything beside it goes to the nearer one.
func TestHalfExhaustive(t *testing.T) {
	for _, c := range []struct {
		name string
		inf  uint16
		to   func(float64) uint16
		from func(uint16) float64
	}{
		{"float16", 0x7c00, func(x float64) uint16 { return F16Of(x).Bits }, func(b uint16) float64 { return F16{b}.Float64() }},
		{"bfloat16", 0x7f80, func(x float64) uint16 { return BF16Of(x).Bits }, func(b uint16) float64 { return BF16{b}.Float64() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			for i := range 1 << 16 {
				b := uint16(i)
				x := c.from(b)
				got := c.to(x)
				if b&0x7fff > c.inf {
					if !math.IsNaN(x) || got&0x7fff <= c.inf {
						t.Fatalf("%#04x: value %v, back %#04x, want NaN", b, x, got)
					}
					continue
				}
				if got != b {
					t.Fatalf("%#04x: value %v came back as %#04x", b, x, got)
				}
				if b&0x7fff >= c.inf {
					continue
				}
				next := b + 1 // away from zero
				y := c.from(next)
				if next&0x7fff == c.inf { // what one more exponent step would be
					y = x + (x - c.from(b-1))
				}
				mid := x/2 + y/2
				even := b
				if b&1 == 1 {
					even = next
				}
				for _, m := range []struct {
					x    float64
					want uint16
				}{{mid, even}, {math.Nextafter(mid, 0), b}, {math.Nextafter(mid, y*2), next}} {
					if got := c.to(m.x); got != m.want {
						t.Fatalf("%#04x: %v rounds to %#04x, want %#04x", b, m.x, got, m.want)
					}
				}
			}
		})
	}
}

func TestHalfFar(t *testing.T) {
	for _, x := range []float64{65520, 1e300, math.Inf(1)} {
		if got := F16Of(x).Bits; got != 0x7c00 {
			t.Errorf("F16Of(%v) = %#04x, want infinity", x, got)
		}
		if got := F16Of(-x).Bits; got != 0xfc00 {
			t.Errorf("F16Of(%v) = %#04x, want -infinity", -x, got)
		}
	}
	if got := F16Of(5e-324).Bits; got != 0 {
		t.Errorf("F16Of(5e-324) = %#04x, want 0", got)
	}
	if got := F16Of(math.Copysign(0, -1)).Bits; got != 0x8000 {
		t.Errorf("F16Of(-0) = %#04x, want 0x8000", got)
	}
	if got := BF16Of(1e39).Bits; got != 0x7f80 {
		t.Errorf("BF16Of(1e39) = %#04x, want infinity", got)
	}
}
