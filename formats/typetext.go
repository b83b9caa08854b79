// SPDX-License-Identifier: BSD-3-Clause

package formats

import (
	"fmt"
	"strings"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// maxTypeText bounds what messages say of a type: a file may have one of a thousand fields.
const maxTypeText = 200

// TypeText returns an element type for messages, as ArrayMeta.Stored has it: "int16", "S5", "a compound {x float32, pos float64[3]}",
// "an enumeration of int8", "sequences of int32". It is d's name where stored is nil. Long ones are cut off.
func TypeText(stored any, d dtype.DType) string {
	var text string
	switch x := stored.(type) {
	case nil:
		text = d.String()
	case map[string]any:
		if fields, ok := x["fields"].([]any); ok {
			text = "a compound " + fieldsText(fields)
		} else if of, ok := x["enum"]; ok {
			text = fmt.Sprintf("an enumeration of %v", of)
		} else if of, ok := x["vlen"]; ok {
			text = "sequences of " + TypeText(of, d)
		} else {
			text = fmt.Sprint(stored)
		}
	default:
		text = fmt.Sprint(stored)
	}
	if len(text) > maxTypeText {
		text = strings.ToValidUTF8(text[:maxTypeText], "") + " ..."
	}
	return text
}

// fieldsText prints the fields of a compound: names, types and the shapes of those that are arrays.
func fieldsText(fields []any) string {
	var parts []string
	for _, f := range fields {
		list, ok := f.([]any)
		if !ok || len(list) < 2 {
			return fmt.Sprint(fields)
		}
		of := TypeText(list[1], dtype.Raw)
		if m, ok := list[1].(map[string]any); ok {
			if inner, ok := m["fields"].([]any); ok {
				of = fieldsText(inner)
			}
		}
		for _, shape := range list[2:] {
			of += strings.ReplaceAll(fmt.Sprint(shape), " ", ", ")
		}
		if parts = append(parts, fmt.Sprintf("%v %s", list[0], of)); len(parts) > maxTypeText {
			break
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
