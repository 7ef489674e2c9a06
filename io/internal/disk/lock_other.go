//go:build !unix || aix || solaris

package disk

// Lock locks nothing: see lock_unix.go.
func Lock(string) (unlock func()) { return func() {} }
