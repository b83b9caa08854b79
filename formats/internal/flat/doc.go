// SPDX-License-Identifier: BSD-3-Clause

// Package flat reads boxes of arrays that lie in a file element after element:
// HDF5's contiguous datasets and the variables of NetCDF's classic format, whose
// records have the others' between them.
//
// A box is cut along its outer axes into spans; a span is one pread. Spans that
// are wholly wanted go straight to their place, others through pooled scratch
// where what lies between is left out.
package flat
