// SPDX-License-Identifier: BSD-3-Clause

package optest

import (
	"testing"

	"github.com/arrayrun/arrayrun/kernels/ref"
)

// TestRef runs the suite on the reference device, which must agree with the definitions of the table.
func TestRef(t *testing.T) {
	d := ref.New()
	defer d.Close()
	Device(t, d)
}
