package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/store"
)

// DescriptionFile is the name of a dataset's description, in the dataset's place.
const DescriptionFile = "dataset.json"

// DescriptionVersion is the version of a description, and of all that it describes.
// Version 3 has sealed receipts in place of an index beside them.
const DescriptionVersion = 3

// descriptionLimit is the most that is read of a description.
const descriptionLimit = 16 << 20

// ErrNoDataset is the error of a place that is no dataset, or does not exist.
var ErrNoDataset = errors.New("not a kvsframes dataset")

// ErrForeign is the error of a dataset that this version of kvsframes cannot use: written
// by another version, or with a damaged description.
var ErrForeign = errors.New("belongs to another kind of dataset")

// folder is what a dataset's folder, or the URL in its place, is called in an error.
const folder = fault.Name("folder")

// Description returns the description of the dataset that the ledger is of. Its
// ShardSamples are from 1 to MaxShardSamples. The error satisfies ErrNoDataset or
// ErrForeign, or says why the description cannot be read.
func (l *Ledger) Description(ctx context.Context) (desc *framepb.Dataset, err error) {
	err = store.Twice(l.store, func() (err error) {
		desc, err = l.description(ctx)
		return err
	}, func(err error) bool { return errors.Is(err, ErrForeign) })
	return desc, err
}

func (l *Ledger) description(ctx context.Context) (*framepb.Dataset, error) {
	data, err := l.store.Read(ctx, DescriptionFile, descriptionLimit)
	unfit := (*store.UnfitError)(nil)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return nil, fmt.Errorf("%q is %w: it has no %s", l.place, ErrNoDataset, DescriptionFile)
	case errors.Is(err, store.ErrNoBucket):
		return nil, fmt.Errorf("%q is %w: %w", l.place, ErrNoDataset, err)
	case errors.As(err, &unfit):
		return nil, fmt.Errorf("%q %w: %s cannot be read: it %s", l.place, ErrForeign, DescriptionFile, unfit.Problem)
	case errors.Is(err, syscall.EISDIR):
		return nil, fault.Errorf("%q %w: %s is a folder: put back a copy of the file, or choose another %s",
			l.place, ErrForeign, DescriptionFile, folder)
	case err != nil:
		return nil, fmt.Errorf("opening the dataset %q: %w", l.place, err)
	}
	desc, err := decodeDescription(data)
	if err != nil {
		return nil, fault.Errorf("%q %w: %v", l.place, ErrForeign, err)
	}
	if desc.ShardSamples < 1 || desc.ShardSamples > MaxShardSamples {
		return nil, fmt.Errorf("%q %w: it has %d samples a shard, there must be from 1 to %d",
			l.place, ErrForeign, desc.ShardSamples, MaxShardSamples)
	}
	return desc, nil
}

// decodeDescription reads a description of this version. One of another version may
// have other fields, or no checksum.
func decodeDescription(data []byte) (*framepb.Dataset, error) {
	desc := new(framepb.Dataset)
	err := framepb.DecodeJSON(data, desc)
	if err == nil && desc.Version == DescriptionVersion {
		return desc, nil
	}
	object, damage := framepb.CutChecksum(data)
	if errors.Is(damage, framepb.ErrNoChecksum) {
		object, damage = data, nil
	}
	var has struct{ Version int32 }
	if damage == nil && json.Unmarshal(object, &has) == nil && has.Version != DescriptionVersion {
		return nil, fault.Errorf("it has version %d, this kvsframes knows %d: "+
			"use the one that wrote it, or choose another %s", has.Version, DescriptionVersion, folder)
	}
	return nil, fault.Errorf("%s cannot be read: %w: put back a copy of it, or choose another %s",
		DescriptionFile, err, folder)
}
