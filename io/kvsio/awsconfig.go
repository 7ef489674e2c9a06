package kvsio

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/internal/outside"
)

var awsConfigs = struct {
	mu sync.Mutex
	of map[string]func(context.Context) (aws.Config, error)
}{of: make(map[string]func(context.Context) (aws.Config, error))}

// RegisterAWSConfig gives a name to a way to make an AWS configuration, for what
// AWSParams has no field for. AWSParams.Config asks for it by that name, in each
// process of a job, the submitting one too: so register it in an init function.
// Nothing of what load returns leaves its process. Region, attempts and logging
// are the source's own. Where a service refuses the credentials, load is called
// again, for others.
//
// RegisterAWSConfig panics where the name is empty or taken, as Beam's own
// registrations do.
func RegisterAWSConfig(name string, load func(ctx context.Context) (aws.Config, error)) {
	awsConfigs.mu.Lock()
	defer awsConfigs.mu.Unlock()
	if _, taken := awsConfigs.of[name]; name == "" || taken {
		panic(fmt.Sprintf("kvsio.RegisterAWSConfig: the name %q is empty or taken", name))
	}
	awsConfigs.of[name] = load
}

// registered returns a registered configuration.
func registered(ctx context.Context, name string) (aws.Config, error) {
	awsConfigs.mu.Lock()
	load, ok := awsConfigs.of[name]
	awsConfigs.mu.Unlock()
	if !ok {
		return aws.Config{}, unknownConfig(name)
	}
	cfg, err := load(ctx)
	if err == nil && cfg.Credentials == nil {
		err = errors.New("it has no credentials")
	}
	if err != nil {
		return cfg, fmt.Errorf("making the AWS configuration %s: %w", name, outside.Error(err))
	}
	return cfg, nil
}

// unknownConfig returns the error of an unknown name: it lists the configurations that there are.
func unknownConfig(name string) error {
	awsConfigs.mu.Lock()
	defer awsConfigs.mu.Unlock()
	if _, ok := awsConfigs.of[name]; ok || name == "" {
		return nil
	}
	known := strings.Join(slices.Sorted(maps.Keys(awsConfigs.of)), ", ")
	if known == "" {
		known = "none"
	}
	return fault.New("AWS.Config", quoted(name), "registered in this program, which has "+known)
}
