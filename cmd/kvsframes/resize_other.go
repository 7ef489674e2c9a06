//go:build !unix

package main

// onResize does nothing: the line is drawn again a moment later, anyway.
func onResize(func()) (ignore func()) { return func() {} }
