package transforms

import (
	"fmt"
	"strings"
)

// Parse reads what String of a [ResizeParams], a [DedupeParams] or a [TensorParams]
// wrote, as a dataset's description keeps it. Functions of one's own cannot be had
// by their names alone.
func Parse(description string) (Step, error) {
	name, spec, _ := strings.Cut(description, " ")
	switch name {
	case "resize":
		return ParseResize(spec)
	case "dedupe":
		return ParseDedupe(spec)
	case "tensor":
		return ParseTensor(spec)
	}
	return nil, fmt.Errorf("the transform %q is one that only the program that began the dataset has", description)
}
