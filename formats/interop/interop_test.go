// SPDX-License-Identifier: BSD-3-Clause

package interop_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestInterop runs interop.py with the Python that ARRAYRUN_PYTHON names.
func TestInterop(t *testing.T) {
	python := os.Getenv("ARRAYRUN_PYTHON")
	all := os.Getenv("ARRAYRUN_REQUIRE") == "all"
	if python == "" {
		if all {
			t.Fatal("ARRAYRUN_PYTHON names no Python")
		}
		t.Skip("ARRAYRUN_PYTHON names no Python")
	}
	program := filepath.Join(t.TempDir(), "arrayrun")
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/arrayrun").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	args := []string{"interop.py", "--arrayrun", program, "--dir", t.TempDir()}
	if all {
		args = append(args, "--require")
	}
	out, err := exec.Command(python, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", strings.Join(args, " "), err, out)
		return
	}
	t.Logf("%s", out)
}
