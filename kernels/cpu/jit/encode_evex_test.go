// SPDX-License-Identifier: BSD-3-Clause

package jit

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// evexNames are the instructions that are called otherwise as EVEX.
var evexNames = map[string]string{"vroundps": "vrndscaleps", "vroundpd": "vrndscalepd", "vpand": "vpandd", "vpandn": "vpandnd", "vpor": "vpord", "vpxor": "vpxord"}

// TestEncodingEVEX disassembles the instructions of 64-byte vectors, whose lengths within an instruction may differ: names,
// registers of all 32 and memory.
func TestEncodingEVEX(t *testing.T) {
	objdump, err := exec.LookPath("objdump")
	if err != nil {
		t.Skip("no objdump")
	}
	vexOnly := regexp.MustCompile("^v(blendv|pblendvb|ptest$|packs|pack|maskmov|extracti128|insertf128|mov[dq]|unpck.ps|pshufd|pack|permq|shufp|addsub)")
	var a assembler
	var want []string
	for i := range opcodes {
		o, op := &opcodes[i], vop(i)
		if vexOnly.MatchString(o.name) {
			continue
		}
		name := o.name
		if n, ok := evexNames[name]; ok {
			name = n
		}
		for k, x := range []operand{reg(3), reg(13), reg(19), reg(30), memAt(r12, 1<<20), memAt(rSI, 64), memIndexed(r9, rCX, 2, 256), {kind: inPool, disp: 64}} {
			r, v := (5*i+11*k)%32, (3*i+7*k)%32
			toMask := laneBytes[op] > 0 || op == vptestmd || op == vptestmq
			fromMask := strings.HasPrefix(name, "vpmovm2")
			if x.kind != inReg && (o.shape == shapeShift || op == vmovaps || fromMask) || x.kind == inReg && strings.HasPrefix(name, "vmov") && op != vmovaps {
				continue
			}
			dst := fmt.Sprintf("%cmm%d", 'z', r)
			if toMask {
				r = 1 + r%7
				dst = fmt.Sprintf("k%d", r)
			}
			if regexp.MustCompile("pd2ps|pd2dq").MatchString(name) {
				dst = fmt.Sprintf("ymm%d", r)
			}
			y := text(x, 1)
			if x.kind == inReg {
				y = fmt.Sprintf("[xyz]mm%d", x.reg)
				if fromMask {
					x.reg %= 8
					y = fmt.Sprintf("k%d", x.reg)
				}
			} else {
				if y = regexp.QuoteMeta(y); x.kind == inPool {
					y += "0x[0-9a-f]+]"
				}
			}
			var imm []byte
			if op == vcmpps || op == vcmppd || op >= vpcmpb && op <= vpcmpuq || regexp.MustCompile("round|range|getmant|ternlog|extract|ps2ph").MatchString(o.name) {
				imm = []byte{1}
			}
			switch o.shape {
			case shapeBinary, shapeFMA, shapePermute:
				a.evex(op, 2, r, v, x, all, imm...)
				want = append(want, fmt.Sprintf("%s %s,zmm%d,%s", name, dst, v, y))
			case shapeUnary:
				a.evex(op, 2, r, 0, x, all, imm...)
				want = append(want, fmt.Sprintf("%s %s,%s", name, dst, y))
			case shapeShift:
				a.evex(op, 2, int(o.ext), v, x, all, 3)
				want = append(want, fmt.Sprintf("%s zmm%d,%s,0x3", name, v, y))
			case shapeToMem:
				a.evex(op, 2, r, 0, x, all, imm...)
				want = append(want, fmt.Sprintf("%s %s,zmm%d", name, y, r))
			}
		}
	}
	a.evex(vaddpd, 2, 20, 21, reg(22), predicate{k: 3})
	want = append(want, `vaddpd zmm20\{k3\},zmm21,zmm22`)
	a.evex(vmovaps, 2, 9, 0, reg(31), predicate{5, true})
	want = append(want, `vmovaps zmm9\{k5\}\{z\},zmm31`)
	a.kortest(6)
	a.klogic(0x47, 1, 4, 7)
	a.kload(5, memAt(rSI, 74))
	want = append(want, "kortestq k6,k6", "kxorq k1,k4,k7", `kmovb k5,\[rsi\+0x4a\]`)
	file := filepath.Join(t.TempDir(), "code")
	if err := os.WriteFile(file, a.b[:a.finish(make([][poolBytes]byte, 2))], 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(objdump, "-D", "-w", "-b", "binary", "-m", "i386:x86-64", "-M", "intel", "--no-show-raw-insn", file).Output()
	if err != nil {
		t.Skip(err)
	}
	var got []string
	for _, line := range strings.Split(string(out), "\n") {
		if _, inst, ok := strings.Cut(line, ":\t"); ok {
			inst = regexp.MustCompile(`[A-Z]+ (PTR|BCST) `).ReplaceAllString(inst, "")
			inst = regexp.MustCompile(`\s+#.*`).ReplaceAllString(inst, "")
			got = append(got, strings.Join(strings.Fields(inst), " "))
		}
	}
	if len(got) < len(want) {
		t.Fatalf("disassembly has %d instructions, want %d", len(got), len(want))
	}
	bad := 0
	predicates := regexp.MustCompile(`^v(p?)cmplt([a-z]+)`)
	for i, w := range want {
		g := predicates.ReplaceAllString(got[i], "v${1}cmp$2")
		if !regexp.MustCompile("^" + w).MatchString(g) {
			if bad++; bad < 20 {
				t.Errorf("instruction %d: got %q, want %q", i, got[i], w)
			}
		}
	}
}
