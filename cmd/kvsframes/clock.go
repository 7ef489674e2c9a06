package main

import (
	"context"
	"errors"
	"fmt"
	"time"
	_ "time/tzdata" // zones are the same on machines that have none

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kvsframes/kvsframes/io/kvsio"
)

// clock is what the texts of times are read by: one for a command, so that all of them agree.
// The zero clock knows no now.
type clock struct {
	now  time.Time
	zone *time.Location // of dates and times without one
}

// read reads a time, and reports whether it depends on now.
func (c clock) read(text string) (t time.Time, relative bool, err error) {
	if c.zone == nil {
		t, err = kvsio.ParseTime(text)
		return t, false, err
	}
	return kvsio.TimeIn(text, c.now, c.zone)
}

// forms lists what read takes.
func (c clock) forms() string {
	if c.zone == nil {
		return timeForms
	}
	return timeInForms
}

// zoneFlag adds --time-zone to a command.
func zoneFlag(flags *pflag.FlagSet) *text {
	return textFlag(flags, "time-zone", "`zone` of dates and times without one, as Europe/Rome, and of today and "+
		"yesterday (default UTC)")
}

// clockOf returns the clock of a command, and what is wrong with the zone that was typed. Then
// its zone is UTC.
func clockOf(cmd *cobra.Command, zone string) (clock, error) {
	c := clock{now: nowOf(cmd.Context()), zone: time.UTC}
	if !cmd.Flags().Changed("time-zone") {
		return c, nil
	}
	loaded, err := time.LoadLocation(zone)
	if err == nil && (zone == "" || zone == "Local") { // of which each machine has its own
		err = errors.New("no name of a zone")
	}
	if err != nil {
		return c, fmt.Errorf("--time-zone is %s: it must be a name of the IANA time zone database, such as Europe/Rome, "+
			"or UTC", quoted(zone))
	}
	c.zone = loaded
	return c, nil
}

// nowKey is for the instant that a command takes for now, where its context has one.
type nowKey struct{}

func nowOf(ctx context.Context) time.Time {
	if now, ok := ctx.Value(nowKey{}).(time.Time); ok {
		return now
	}
	return time.Now()
}
