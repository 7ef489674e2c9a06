package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
)

// Listing is the names of all receipts of a ledger, in short: two that are equal
// are of the same shards, each complete or failed in both. That a receipt was
// replaced by one of the same name does not show.
type Listing struct {
	Receipts int64
	Digest   string // of the names: hexadecimal
}

// Listing lists the ledger. It reads names only.
func (l *Ledger) Listing(ctx context.Context) (Listing, error) {
	_, ids, err := l.store.List(ctx, "ledger")
	if err != nil {
		return Listing{}, fmt.Errorf("listing the receipts: %w", err)
	}
	series := make([]Listing, len(ids))
	err = each(len(ids), func(i int) (err error) {
		series[i], err = l.listing(ctx, ids[i])
		return err
	})
	if err != nil {
		return Listing{}, fmt.Errorf("listing the receipts: %w", err)
	}
	var all Listing
	digest := sha256.New()
	for i, id := range ids {
		if series[i].Receipts > 0 {
			fmt.Fprintln(digest, id, series[i].Digest)
			all.Receipts += series[i].Receipts
		}
	}
	all.Digest = hex.EncodeToString(digest.Sum(nil))
	return all, nil
}

func (l *Ledger) listing(ctx context.Context, id string) (of Listing, err error) {
	names, _, err := l.store.List(ctx, path.Join("ledger", id))
	digest := sha256.New()
	for _, name := range names {
		if _, _, _, ok := splitName(name); ok {
			fmt.Fprintln(digest, name)
			of.Receipts++
		}
	}
	of.Digest = hex.EncodeToString(digest.Sum(nil))
	return of, err
}
