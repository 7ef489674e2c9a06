package dataset

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// The bounds of Options.ShardSamples.
const (
	DefaultShardSamples = 100
	MaxShardSamples     = ledger.MaxShardSamples
)

// Options are what a dataset is to be. A field left out takes what the dataset
// has; in a dataset that does not exist yet, the default.
type Options struct {
	Format       string // one of Formats(); default DefaultFormat
	ShardSamples int    // samples per shard, 1–MaxShardSamples; default DefaultShardSamples

	// Transforms is what is done to frames before they are written, as transforms.Describe says;
	// default nothing. Empty but not nil: nothing. A shard with others is refused.
	Transforms []string
}

func (o Options) validate() error {
	var errs []error
	if o.Format != "" {
		if _, err := container.Of(o.Format); err != nil {
			errs = append(errs, fault.Of("Format", ": %w", err))
		}
	}
	if o.ShardSamples < 0 || o.ShardSamples > MaxShardSamples {
		errs = append(errs, fault.New("ShardSamples", o.ShardSamples, fmt.Sprintf("from 1 to %d", MaxShardSamples)))
	}
	if slices.ContainsFunc(o.Transforms, func(step string) bool { return !isLine(step) }) {
		errs = append(errs, fault.New("Transforms", fmt.Sprintf("%q", o.Transforms),
			"lines of text, none of them empty, as transforms.Describe returns them"))
	}
	return errors.Join(errs...)
}

// isLine reports whether a text is one line, and not empty.
func isLine(text string) bool {
	return strings.TrimSpace(text) != "" && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// describe returns the description of a new dataset.
func (o Options) describe() *framepb.Dataset {
	desc := &framepb.Dataset{
		Version: ledger.DescriptionVersion, Format: DefaultFormat, ShardSamples: DefaultShardSamples,
		Transforms: o.Transforms,
	}
	if o.Format != "" {
		desc.Format = o.Format
	}
	if o.ShardSamples != 0 {
		desc.ShardSamples = int32(o.ShardSamples)
	}
	return desc
}

// MismatchError says that a dataset is not what was asked for, in one field.
type MismatchError struct {
	Dir   string
	Field string // of Options: Format, ShardSamples or Transforms
	Want  any    // what was asked for
	Have  any    // what the dataset has
}

func (e *MismatchError) Error() string { return e.Unwrap().Error() }

// Unwrap returns an error that names the Field.
func (e *MismatchError) Unwrap() error {
	return fault.Of(e.Field, " is %v, but the dataset %s has %v: leave %s out, or choose another %s",
		e.Want, e.Dir, e.Have, fault.Name(e.Field), folder)
}

// folder is what a dataset's folder, or the URL in its place, is called in an error.
const folder = fault.Name("folder")

// match compares the fields that are not left out with what a dataset has.
func (o Options) match(dir string, desc *framepb.Dataset) error {
	var errs []error
	if o.Format != "" && o.Format != desc.Format {
		errs = append(errs, &MismatchError{dir, "Format", o.Format, desc.Format})
	}
	if o.ShardSamples != 0 && o.ShardSamples != int(desc.ShardSamples) {
		errs = append(errs, &MismatchError{dir, "ShardSamples", o.ShardSamples, desc.ShardSamples})
	}
	if o.Transforms != nil && !slices.Equal(o.Transforms, desc.Transforms) {
		errs = append(errs, &MismatchError{dir, "Transforms", o.Transforms, desc.Transforms})
	}
	return errors.Join(errs...)
}
