// SPDX-License-Identifier: BSD-3-Clause

// Package pyramid makes reduced copies of images, each half as high and wide as the one before it: what overviews of
// TIFF and the levels of OME-Zarr's multiscales are. Halve does one piece; which pieces there are is the format's.
package pyramid
