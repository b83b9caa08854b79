// SPDX-License-Identifier: BSD-3-Clause

package random

// NormalOf makes standard normal numbers of words.
var NormalOf = normal
