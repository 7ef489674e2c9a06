//go:build !unix

package main

func openFilesHint() string { return "" }
