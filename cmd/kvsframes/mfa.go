package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/kvsframes/kvsframes/internal/awsbase"
	"github.com/kvsframes/kvsframes/internal/outside"
)

// askForMFA has MFA codes asked for where somebody sits at a terminal, until ctx ends.
func askForMFA(ctx context.Context) {
	if !term.IsTerminal(int(os.Stdin.Fd())) || !term.IsTerminal(int(os.Stderr.Fd())) {
		return
	}
	typed := bufio.NewReader(os.Stdin) // it may hold the line after the one that was asked for
	awsbase.AskMFA = func(serial string) (string, error) {
		fmt.Fprintf(os.Stderr, "MFA code for %s: ", outside.Text(serial))
		return mfaCode(ctx, typed)
	}
}

// mfaCode reads the code of an MFA device.
func mfaCode(ctx context.Context, typed *bufio.Reader) (string, error) {
	type line struct {
		text string
		err  error
	}
	lines := make(chan line, 1)
	go func() {
		text, err := typed.ReadString('\n')
		lines <- line{strings.TrimSpace(text), err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case line := <-lines:
		switch {
		case line.text == "" && (line.err == nil || line.err == io.EOF):
			return "", errors.New("no MFA code was typed: run the command again")
		case line.err != nil && line.err != io.EOF:
			return "", fmt.Errorf("reading the MFA code: %w", line.err)
		case len(line.text) != 6 || strings.Trim(line.text, "0123456789") != "":
			return "", errors.New("what was typed is no MFA code: it must be six digits; run the command again")
		}
		return line.text, nil
	}
}
