package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// option is a flag that sets a field of T.
type option[T any] struct {
	name, usage string
	set         func(o *T, text string) error
}

// optionFlags are options, and what was typed for each.
type optionFlags[T any] struct {
	options []option[T]
	texts   map[string]*text // by name
}

func newOptionFlags[T any](flags *pflag.FlagSet, options []option[T]) optionFlags[T] {
	f := optionFlags[T]{options, map[string]*text{}}
	for _, option := range options {
		f.texts[option.name] = textFlag(flags, option.name, option.usage)
	}
	return f
}

// apply sets what was typed, and returns what is wrong with it.
func (f optionFlags[T]) apply(cmd *cobra.Command, o *T) (faults []error) {
	for _, option := range f.options {
		if !cmd.Flags().Changed(option.name) {
			continue
		}
		if err := option.set(o, string(*f.texts[option.name])); err != nil {
			faults = append(faults, fmt.Errorf("--%s is %q: %w", option.name, *f.texts[option.name], err))
		}
	}
	return faults
}
