// SPDX-License-Identifier: BSD-3-Clause

package formats

import "fmt"

// Misfit is an error of a format's Create about one variable for which the format, or the rest of the output, has no place: without it
// the output may be made. Nothing has been created.
type Misfit struct {
	Var string // its name in the specification
	Err error
}

// Error names the variable and says what is wrong.
func (m *Misfit) Error() string { return fmt.Sprintf("variable %q: %v", m.Var, m.Err) }

// Unwrap returns what is wrong.
func (m *Misfit) Unwrap() error { return m.Err }

// Refuse returns a Misfit that wraps ErrFormat, of a variable and what is wrong.
func Refuse(name, format string, args ...any) error {
	return &Misfit{name, fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrFormat)}
}
