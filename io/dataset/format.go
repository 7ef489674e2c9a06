package dataset

import "github.com/kvsframes/kvsframes/io/internal/container"

// DefaultFormat is the format of a dataset that is created without one named.
const DefaultFormat = container.Default

// Formats lists the names of all formats, in order.
func Formats() []string { return container.Names() }
