package dataset

import (
	"github.com/kvsframes/kvsframes/io/internal/card"
	"github.com/kvsframes/kvsframes/io/internal/container"
)

// DefaultFormat is the format of a dataset that is created without one named.
const DefaultFormat = container.Default

// Formats lists the names of all formats, in order.
func Formats() []string { return container.Names() }

// PythonLine returns a line of Python that loads the dataset in a folder, which is of that
// format, as frames.
func PythonLine(format, dir string) string { return card.LoadingOf(format, false).Python(dir + "/") }
