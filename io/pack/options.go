package pack

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/internal/container"
)

// The bounds of Options.
const (
	DefaultSamplesPerFile = 10_000
	MaxSamplesPerFile     = 1_000_000
	LeastFileSize         = 1_000_000 // bytes
)

// Options say which frames of a dataset are packed, and how.
type Options struct {
	// Format is what files are written in, one of dataset.Formats(). Default
	// dataset.DefaultFormat.
	Format string

	// SamplesPerFile is how many frames a file has, 1–MaxSamplesPerFile; the
	// last of a split may have fewer. Default DefaultSamplesPerFile.
	SamplesPerFile int

	// FileSize, where set, is given in place of SamplesPerFile: the size in
	// bytes that files should be about. It is an aim, divided by what a frame
	// takes on average.
	FileSize int64

	// ShuffleSeed, where set, mixes the frames of each split across streams and
	// time, each seed in another way. Without it they are in the order of the
	// index: series by series, each in time order.
	ShuffleSeed *int64

	// Splits are the parts of the set; their shares add up to 1. Default one,
	// "train".
	Splits []Split

	// SplitBy is what keeps frames together in one split: one of SplitUnits.
	// Default ByStream. It does not depend on the seed, so a set that is shuffled
	// anew has the same frames in each split.
	SplitBy string

	Streams    []string  // names of the streams whose frames are packed; default all
	Start, End time.Time // of the sample times that are packed, End itself not; zero: no limit
}

// Validate returns an error that names each option that is wrong, by its field. It
// touches no file.
func (o Options) Validate() error {
	var errs []error
	if o.Format != "" {
		if _, err := container.Of(o.Format); err != nil {
			errs = append(errs, fault.Of("Format", ": %w", err))
		}
	}
	if o.SamplesPerFile < 0 || o.SamplesPerFile > MaxSamplesPerFile {
		errs = append(errs, fault.New("SamplesPerFile", o.SamplesPerFile, fmt.Sprintf("from 1 to %d", MaxSamplesPerFile)))
	}
	if o.FileSize != 0 && o.FileSize < LeastFileSize {
		errs = append(errs, fault.New("FileSize", fmt.Sprintf("%d bytes", o.FileSize),
			fmt.Sprintf("at least %d", LeastFileSize)))
	}
	if o.FileSize != 0 && o.SamplesPerFile != 0 {
		errs = append(errs, fault.Of("SamplesPerFile", " and %s are both given: it must be one of the two",
			fault.Name("FileSize")))
	}
	if err := CheckSplits(o.Splits); o.Splits != nil && err != nil {
		errs = append(errs, fault.Of("Splits", ": %w", err))
	}
	if o.SplitBy != "" && !slices.Contains(SplitUnits, o.SplitBy) {
		errs = append(errs, fault.New("SplitBy", strconv.Quote(o.SplitBy), "one of "+strings.Join(SplitUnits, ", ")))
	}
	if !o.Start.IsZero() && !o.End.IsZero() && !o.Start.Before(o.End) {
		errs = append(errs, fault.Of("Start", " is %s and %s is %s: the end must be later",
			o.Start.UTC().Format(time.RFC3339Nano), fault.Name("End"), o.End.UTC().Format(time.RFC3339Nano)))
	}
	return errors.Join(errs...)
}

// defaults fills in what is left out.
func (o Options) defaults() Options {
	if o.Format == "" {
		o.Format = dataset.DefaultFormat
	}
	if o.SamplesPerFile == 0 {
		o.SamplesPerFile = DefaultSamplesPerFile
	}
	if o.Splits == nil {
		o.Splits = []Split{{Name: "train", Share: 1}}
	}
	if o.SplitBy == "" {
		o.SplitBy = ByStream
	}
	return o
}
