// SPDX-License-Identifier: BSD-3-Clause

package formattest

import (
	"os"
	"path/filepath"
	"testing"
)

// Corpus returns the folder of third-party files, beside the repository or where ARRAYRUN_CORPUS says, for tests of packages two folders deep. It is not
// part of the repository: without it a test is skipped, and with ARRAYRUN_REQUIRE=all it fails.
func Corpus(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("ARRAYRUN_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "corpus")
	}
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("ARRAYRUN_REQUIRE") == "all" {
			t.Fatalf("no corpus at %s; set ARRAYRUN_CORPUS", dir)
		}
		t.Skipf("no corpus at %s; set ARRAYRUN_CORPUS", dir)
	}
	return dir
}
