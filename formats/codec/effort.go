// SPDX-License-Identifier: BSD-3-Clause

package codec

// The compressor for zstd in Go is not the C library: at the same number of their levels some data come out a third larger, other data smaller.
// A level therefore names several of the library's levels, and each chunk takes the fastest of them that is about as good as the
// best for a sample of it. The choice depends on the bytes alone: the same elements give the same file.

const (
	// sampleLeast is the shortest sample that is tried; chunks shorter than twice of it go to the thorough level at once.
	sampleLeast = 32 << 10
	// one byte in samplePart is in the sample.
	samplePart = 32
	// the sample is as many runs from all over the chunk: the planes of shuffled numbers are not alike.
	sampleRuns = 8
	// about as good: at most a part in goodEnough larger for the fastest way, which suffers most from what a sample does not show, and twice
	// that for others.
	goodEnough = 32
)

// effort returns the number of the first of n ways, which become slower, that packs a sample of src about as well as the best.
// pack returns the length of part packed in way i.
func (s *Scratch) effort(src []byte, n int, pack func(i int, part []byte) (int, error)) (int, error) {
	if n <= 1 || len(src) < 2*sampleLeast {
		return n - 1, nil
	}
	size := max(len(src)/samplePart, sampleLeast)
	s.part = s.part[:0]
	for i := range sampleRuns {
		run := size / sampleRuns
		s.part = append(s.part, src[(2*i+1)*(len(src)-run)/(2*sampleRuns):][:run]...)
	}
	sizes, best := make([]int, n), size
	for i := range n {
		var err error
		if sizes[i], err = pack(i, s.part); err != nil {
			return 0, err
		}
		best = min(best, sizes[i])
		if i == 1 && sizes[0] == sizes[1] {
			return 1, nil // no matches in the sample: what is farther away decides, and the fastest way does not look there
		}
	}
	for i, size := range sizes {
		if size <= best+best/goodEnough*min(i+1, 2) {
			return i, nil
		}
	}
	return n - 1, nil
}
