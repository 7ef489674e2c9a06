package ledger

import (
	"context"

	"github.com/kvsframes/kvsframes/io/store"
)

// unreachable is a store that could not be opened.
type unreachable struct{ err error }

func (u unreachable) Read(context.Context, string, int64) ([]byte, error) { return nil, u.err }
func (u unreachable) Open(context.Context, string) (store.File, error)    { return nil, u.err }

func (u unreachable) ReadRange(context.Context, string, []byte, int64) error {
	return u.err
}

func (u unreachable) List(context.Context, string) (files, folders []string, err error) {
	return nil, nil, u.err
}
func (u unreachable) Under(context.Context, string) ([]string, error) { return nil, u.err }
func (u unreachable) Sizes(context.Context, string) (map[string]int64, error) {
	return nil, u.err
}
func (u unreachable) Remove(context.Context, string) error      { return u.err }
func (u unreachable) Put(context.Context, string, []byte) error { return u.err }
