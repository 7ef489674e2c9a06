package awsbase

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
)

// program is a credential_process. The SDK's own is given this process's stderr, and
// all that it prints is read.
type program struct {
	command string
	sources []aws.CredentialSource
}

// Retrieve runs the program, and ends it where it prints too much.
func (p *program) Retrieve(ctx context.Context) (aws.Credentials, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	printed := &printed{left: longestCredentials, stop: stop}
	run := func(ctx context.Context) (*exec.Cmd, error) {
		cmd, err := processcreds.DefaultNewCommandBuilder{Args: []string{p.command}}.NewCommand(ctx)
		if err == nil {
			cmd.Stdout = printed
			// What it writes there would go into logs as it is. At a terminal it may
			// have to ask for something.
			if !isTerminal(os.Stderr) {
				cmd.Stderr = nil
			}
		}
		return cmd, err
	}
	c, err := processcreds.NewProviderCommand(processcreds.NewCommandBuilderFunc(run)).Retrieve(ctx)
	if printed.left < 0 { // the program has ended
		err = &processcreds.ProviderError{
			Err: fmt.Errorf("it prints more than %d bytes, the most that is read", longestCredentials),
		}
	}
	return c, err
}

// ProviderSources is what the SDK tells the service of where keys come from.
func (p *program) ProviderSources() []aws.CredentialSource { return p.sources }

// printed counts what a program prints, on its way to the SDK.
type printed struct {
	left int
	stop func()
}

func (p *printed) Write(b []byte) (int, error) {
	if p.left -= len(b); p.left < 0 {
		p.stop()
		return 0, io.ErrShortWrite
	}
	return len(b), nil
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
