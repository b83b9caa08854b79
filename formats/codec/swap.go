// SPDX-License-Identifier: BSD-3-Clause

package codec

// Unit says that an item holds Count numbers of Width bytes from byte Off on.
type Unit struct{ Off, Width, Count int }

// Swap reverses the bytes of every number of every item of b, in place.
func Swap(b []byte, itemBytes int, units []Unit) {
	if len(units) == 1 && units[0].Off == 0 && units[0].Width*units[0].Count == itemBytes {
		ByteSwap(b, b, units[0].Width)
		return
	}
	for ; len(b) >= itemBytes && itemBytes > 0; b = b[itemBytes:] {
		for _, u := range units {
			p := b[u.Off : u.Off+u.Width*u.Count]
			ByteSwap(p, p, u.Width)
		}
	}
}
