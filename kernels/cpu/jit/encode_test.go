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

// text prints an operand as objdump does.
func text(x operand, l uint8) string {
	gp := []string{"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"}
	switch x.kind {
	case inMem:
		return fmt.Sprintf("[%s+%#x]", gp[x.reg], x.disp)
	case inMemIndexed:
		return fmt.Sprintf("[%s+%s*%d+%#x]", gp[x.reg], gp[x.index], 1<<x.scale, x.disp)
	case inPool:
		return "[rip+"
	}
	return fmt.Sprintf("%cmm%d", "xy"[l], x.reg)
}

// TestEncoding disassembles every instruction with operands of every kind.
func TestEncoding(t *testing.T) {
	objdump, err := exec.LookPath("objdump")
	if err != nil {
		t.Skip("no objdump")
	}
	var a assembler
	var want []string
	for i := range opcodes {
		o := &opcodes[i]
		if i >= int(vpternlogd) {
			break // EVEX only
		}
		for k, x := range []operand{reg(3), reg(13), memAt(rSI, 96), memAt(r12, 1<<20), memAt(r13, 64), memIndexed(rBX, rCX, 2, 32), memIndexed(r9, rCX, 0, 256), {kind: inPool, disp: 32}} {
			r, v, l := (5*i+k)%16, (3*i+7*k)%16, uint8(k%2)
			if x.kind != inReg && (o.shape == shapeShift || i == int(vmovaps)) || x.kind == inReg && regexp.MustCompile("vmov|vmask").MatchString(o.name) && i != int(vmovaps) && i != int(vmovupsLoad) {
				continue
			}
			imm := regexp.MustCompile("cmp[pu]|round|shufd|permq|shufp|extract|insert|ps2ph").MatchString(o.name) && !strings.HasPrefix(o.name, "vpcmp")
			if regexp.MustCompile("vperm|extract|insert").MatchString(o.name) {
				l = 1
			}
			if strings.HasPrefix(o.name, "vmovd") || strings.HasPrefix(o.name, "vmovq") || o.name == "vbroadcastsd" && l == 0 {
				l = 0
				if o.name == "vbroadcastsd" {
					l = 1
				}
			}
			var b []byte
			if imm {
				b = []byte{1}
			}
			y := text(x, l)
			if x.kind == inReg { // conversions between lengths
				if regexp.MustCompile("vpmov|ps2pd|dq2pd|ph2ps|broadcast|extract|insert|ps2ph").MatchString(o.name) {
					y = text(x, 0)
				}
			}
			rr := text(reg(r), l)
			if regexp.MustCompile("pd2ps|pd2dq").MatchString(o.name) {
				rr = text(reg(r), 0)
			}
			switch o.shape {
			case shapeBinary, shapeFMA:
				a.vex(o, l, r, v, x, b...)
				want = append(want, fmt.Sprintf("%s %s,%s,%s", o.name, rr, text(reg(v), l), y))
			case shapeUnary, shapeTest:
				a.vex(o, l, r, 0, x, b...)
				want = append(want, fmt.Sprintf("%s %s,%s", o.name, rr, y))
			case shapeShift:
				a.vex(o, l, int(o.ext), v, x, 3)
				want = append(want, fmt.Sprintf("%s %s,%s,0x3", o.name, text(reg(v), l), y))
			case shapeBlend:
				a.vex(o, l, r, v, x, 9<<4)
				want = append(want, fmt.Sprintf("%s %s,%s,%s,%s", o.name, rr, text(reg(v), l), y, text(reg(9), l)))
			case shapeToMem:
				a.vex(o, l, r, 0, x, b...)
				want = append(want, fmt.Sprintf("%s %s,%s", o.name, y, rr))
			}
		}
	}
	code := a.finish(make([][poolBytes]byte, 2))
	file := filepath.Join(t.TempDir(), "code")
	if err := os.WriteFile(file, a.b[:code], 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(objdump, "-D", "-w", "-b", "binary", "-m", "i386:x86-64", "-M", "intel", "--no-show-raw-insn", file).Output()
	if err != nil {
		t.Skip(err)
	}
	var got []string
	for _, line := range strings.Split(string(out), "\n") {
		_, inst, ok := strings.Cut(line, ":\t")
		if !ok {
			continue
		}
		inst = regexp.MustCompile(`[A-Z]+ (PTR|BCST) `).ReplaceAllString(inst, "")
		inst = regexp.MustCompile(`\s+#.*`).ReplaceAllString(inst, "")
		got = append(got, strings.Join(strings.Fields(inst), " "))
	}
	if len(got) != len(want) {
		t.Errorf("disassembly has %d instructions, want %d", len(got), len(want))
	}
	bad := 0
	for i := range min(len(got), len(want)) {
		g := got[i]
		// objdump names comparisons by their predicate.
		g = strings.Replace(strings.Replace(g, "vcmpltps", "vcmpps", 1), "vcmpltpd", "vcmppd", 1)
		w, rest, pool := strings.Cut(want[i], "[rip+")
		if !strings.HasPrefix(g, w) || pool && (!strings.Contains(g, "[rip+") || !strings.HasSuffix(strings.TrimSuffix(g, ",0x1"), rest)) {
			if bad++; bad < 20 {
				t.Errorf("instruction %d: got %q, want %q", i, got[i], want[i])
			}
		}
	}
}
