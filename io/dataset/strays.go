package dataset

import "context"

// findStrays reports what no receipt knows. None of it does harm: a shard
// without its receipt is unfinished work, and will be fetched again.
func (v *verifier) findStrays(ctx context.Context) error {
	strays, err := v.ledger.Strays()
	if err != nil {
		return err
	}
	for _, path := range strays {
		v.found.note("%s: not a file of the ledger; it does no harm", path)
	}
	const root = "shards"
	files, ids, err := v.store.List(ctx, root)
	if err != nil {
		return err
	}
	for _, name := range files {
		v.found.note("%s/%s: no receipt knows this file; it does no harm", root, name)
	}
	series, err := v.ledger.Series()
	if err != nil {
		return err
	}
	for _, id := range ids {
		files, folders, err := v.store.List(ctx, root+"/"+id)
		if err != nil {
			return err
		}
		known := make(map[string]bool)
		for len(series) > 0 && series[0].ID() < id {
			series = series[1:]
		}
		if len(series) > 0 && series[0].ID() == id {
			entries, err := v.ledger.Have(series[0])
			if err != nil {
				return err
			}
			for _, entry := range entries {
				known[v.format.Path(entry.Span)] = true
			}
		}
		for _, name := range append(files, folders...) {
			if path := root + "/" + id + "/" + name; !known[path] {
				v.found.note("%s: no receipt knows this shard; it is unfinished work and does no harm", path)
			}
		}
	}
	return nil
}
