package pack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/kvsframes/kvsframes/internal/card"
	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/internal/outside"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/disk"
	"github.com/kvsframes/kvsframes/io/store"
)

// The files of a packed set besides those that have its frames.
const (
	setFile    = "pack.json"
	shardsFile = "shards.json"
)

// version is of the description and of what files hold.
const version = 1

// setLimit is the most that is read of a description: it names the set's streams, and so has
// room for 60,000 of the longest names.
const setLimit = 16 << 20

// ErrNoSet is the error of a place that is no packed set.
var ErrNoSet = errors.New("not a packed set")

// Set is the description of a packed set, its pack.json. It says what the
// set was made of and how, and so what every byte of its files is: equal
// descriptions are of equal files.
type Set struct {
	Version        int        `json:"version"`
	Format         string     `json:"dataset_format"`
	SamplesPerFile int64      `json:"samples_per_file"`
	ShuffleSeed    *int64     `json:"shuffle_seed"` // null: not shuffled
	SplitBy        string     `json:"split_by"`
	Splits         []SetSplit `json:"splits"`
	StreamNames    []string   `json:"stream_names"`    // that were asked for; null: all
	Start          string     `json:"start_timestamp"` // RFC 3339; empty: no limit
	End            string     `json:"end_timestamp"`
	Frames         int64      `json:"frames"`
	Bytes          int64      `json:"bytes"`             // of the pictures
	Tensors        bool       `json:"tensors,omitempty"` // pictures are .npy files
	Selection      string     `json:"selection"`         // SHA-256 of which frames these are and of their pictures, in hex
}

// SetSplit is a split, and how much it has.
type SetSplit struct {
	Split
	Frames int64 `json:"frames"`
	Files  int64 `json:"files"`
}

func describeSet(o Options, where *arrangement, total groupCount, sum string) Set {
	set := Set{
		Version: version, Format: o.Format, SamplesPerFile: where.PerFile, ShuffleSeed: o.ShuffleSeed,
		SplitBy: o.SplitBy, Splits: where.Splits, StreamNames: where.Selection.Streams,
		Frames: total.frames, Bytes: total.bytes, Tensors: total.first.Format == frame.NPY, Selection: sum,
	}
	if !o.Start.IsZero() {
		set.Start = frame.Clock(where.Selection.StartMs)
	}
	if !o.End.IsZero() {
		set.End = frame.Clock(where.Selection.EndMs)
	}
	return set
}

// MismatchError says that a place holds a set that was packed with another
// option.
type MismatchError struct {
	Place      string
	Field      string // of Options, such as SplitBy
	Want, Have string
}

func (e *MismatchError) Error() string { return e.Unwrap().Error() }

// Unwrap returns an error that names the Field.
func (e *MismatchError) Unwrap() error {
	return fault.Of(e.Field, " is %s, but for what %s holds it was %s: pack it in the same way, or choose another %s",
		e.Want, e.Place, e.Have, toPlace)
}

// toPlace is what the place that a set is made in is called in an error.
const toPlace = fault.Name("place")

// match compares with the set that a place has.
func (s Set) match(place string, has Set) error {
	if has.Version != s.Version {
		return fault.Errorf("what %s holds has version %d, this kvsframes knows %d: choose another %s",
			place, has.Version, s.Version, toPlace)
	}
	var errs []error
	have := has.options()
	for i, want := range s.options() {
		if want != have[i] {
			errs = append(errs, &MismatchError{place, want.name, want.value, outside.Text(outside.Name(have[i].value))})
		}
	}
	if errs == nil && s.Selection != has.Selection {
		errs = append(errs, fault.Errorf("the dataset is not what it was when %s was begun: "+
			"it had %d frames to pack, and has %d, or others: choose another %s", place, has.Frames, s.Frames, toPlace))
	}
	return errors.Join(errs...)
}

type namedOption struct{ name, value string }

// options are what the set was asked for, by the fields of Options.
func (s Set) options() []namedOption {
	var seed, splits []string
	if s.ShuffleSeed != nil {
		seed = append(seed, strconv.FormatInt(*s.ShuffleSeed, 10))
	}
	for _, split := range s.Splits {
		splits = append(splits, split.Name+"="+strconv.FormatFloat(split.Share, 'g', -1, 64))
	}
	options := []namedOption{
		{"Format", s.Format},
		{"SamplesPerFile", strconv.FormatInt(s.SamplesPerFile, 10)},
		{"ShuffleSeed", strings.Join(seed, "")},
		{"Splits", strings.Join(splits, ",")},
		{"SplitBy", s.SplitBy},
		{"Streams", strings.Join(s.StreamNames, ",")},
		{"Start", s.Start},
		{"End", s.End},
	}
	for i := range options {
		if options[i].value == "" {
			options[i].value = "not set"
		}
	}
	return options
}

// Open returns the description of the packed set in a place. The error
// satisfies ErrNoSet, or says why it cannot be read.
func Open(ctx context.Context, place string) (Set, error) {
	return store.OpenTwice(place, func(root store.Store) (Set, error) { return openIn(ctx, root, place) }, errDamaged)
}

// errDamaged is the error of a damaged description of a packed set.
var errDamaged = errors.New("cannot be packed into")

func openIn(ctx context.Context, root store.Store, place string) (set Set, err error) {
	data, err := root.Read(ctx, setFile, setLimit)
	unfit := (*store.UnfitError)(nil)
	switch {
	case errors.As(err, &unfit):
		return set, fmt.Errorf("%q %w: its %s cannot be read: it %s", place, errDamaged, setFile, unfit.Problem)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return set, fmt.Errorf("%q is %w: it has no %s", place, ErrNoSet, setFile)
	case err != nil:
		return set, fmt.Errorf("opening the packed set %q: %w", place, err)
	}
	object, err := framepb.CutChecksum(data)
	if err == nil {
		fields := json.NewDecoder(bytes.NewReader(object))
		fields.DisallowUnknownFields()
		err = fields.Decode(&set)
	}
	if err != nil {
		return set, fault.Errorf("%q %w: its %s cannot be read: %w: choose another %s",
			place, errDamaged, setFile, err, toPlace)
	}
	return set, nil
}

// Check returns an error that says why nothing can be packed into a place: it is not empty,
// and no packed set. It leaves no trace.
func Check(ctx context.Context, place string) error {
	_, err := Open(ctx, place)
	if !errors.Is(err, ErrNoSet) {
		return err
	}
	problem := store.CheckEmpty(ctx, place, setFile, ErrNoSet)
	if problem == nil {
		return nil
	}
	if _, err = Open(ctx, place); errors.Is(err, ErrNoSet) { // or has another process just made it?
		if taken := (*store.TakenError)(nil); errors.As(problem, &taken) {
			return fault.Errorf("%w: choose another %s", problem, toPlace)
		}
		return problem
	}
	return err
}

// Create makes the description of the set in a place, before any file of it. It
// refuses a place that holds anything else, or another set: with a
// *MismatchError for each option that differs.
func (p *Plan) Create(ctx context.Context, place string) error {
	if p.empty() {
		return errNoPlan
	}
	if path, ok := store.Below(place, p.dir); ok {
		folder, _, _ := strings.Cut(path, "/")
		if slices.Contains(disk.Folders, folder) {
			return fault.Of(string(toPlace), " is %q, in the dataset's own folder %s, where it would be damage: "+
				"choose another %s", place, folder, toPlace)
		}
	}
	if err := Check(ctx, place); err != nil {
		return err
	}
	root, err := store.At(place)
	if err != nil {
		return err
	}
	if err := store.MakeFile(ctx, root, setFile, indented(p.Set)); err != nil {
		return err
	}
	has, err := Open(ctx, place)
	if err != nil {
		return err
	}
	return p.Set.match(place, has)
}

// file returns the name of a file without its extension, and how many frames it
// has, by its number among the files of all splits.
func (a *arrangement) file(number int64) (name string, frames int64) {
	for _, split := range a.Splits {
		if number < split.Files {
			return fileName(split.Name, number), min(a.PerFile, split.Frames-number*a.PerFile)
		}
		number -= split.Files
	}
	return "", 0
}

// sweepPacked removes what killed processes left of a set in a folder. Once all
// files are there, nobody's writing of them is needed any more: who writes one all
// the same tries again, and finds it. What is not of the set stays.
func sweepPacked(root store.Store, set Set) error {
	folder, ok := root.(store.Folder)
	if !ok {
		return nil
	}
	if err := store.SweepMade(folder, setFile); err != nil {
		return err
	}
	files := map[string]bool{shardsFile: true, card.File: true}
	for _, split := range set.Shards() {
		for _, file := range split.Files {
			files[file.Name] = true
		}
	}
	tmp := filepath.Join(string(folder), "tmp")
	if err := disk.Sweep(tmp, func(name string, _ fs.DirEntry) bool { return files[name] }); err != nil {
		return err
	}
	syscall.Rmdir(tmp) // what is still in it, or behind it as a link, stays
	return nil
}
