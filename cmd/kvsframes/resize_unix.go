//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// onResize calls redraw each time the terminal has changed its size, until ignore is called.
func onResize(redraw func()) (ignore func()) {
	changes := make(chan os.Signal, 1)
	signal.Notify(changes, syscall.SIGWINCH)
	go func() {
		for range changes {
			redraw()
		}
	}()
	return func() {
		signal.Stop(changes)
		close(changes)
	}
}
