// SPDX-License-Identifier: BSD-3-Clause

// Package dtype names the element types an array can have.
package dtype
