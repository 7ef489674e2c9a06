package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// longestQuoted is how many bytes of what somebody typed are shown to them.
const longestQuoted = 300

// quoted returns what somebody typed in quotes, cut off where it is long.
func quoted(typed string) string {
	if len(typed) > longestQuoted {
		typed = strings.ToValidUTF8(typed[:longestQuoted], "") + "…"
	}
	return strconv.Quote(typed)
}

// emptyFlags returns what is wrong with the flags of these names that were given an empty value, as a
// variable that is not set gives it: that would be taken for leaving the flag out.
func emptyFlags(cmd *cobra.Command, names ...string) (faults []error) {
	for _, name := range names {
		if f := cmd.Flags().Lookup(name); f != nil && f.Changed && f.Value.String() == "" {
			faults = append(faults, fmt.Errorf("--%s is empty: give it a value, or leave it out", name))
		}
	}
	return faults
}

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
			faults = append(faults, fmt.Errorf("--%s is %s: %w", option.name, quoted(string(*f.texts[option.name])), err))
			continue
		}
		faults = append(faults, emptyFlags(cmd, option.name)...)
	}
	return faults
}
