package s3store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"

	"github.com/kvsframes/kvsframes/internal/awsbase"
	"github.com/kvsframes/kvsframes/io/store/internal/bucket"
)

// s3Config reads the AWS configuration, with what a URL says instead.
func s3Config(ctx context.Context, query url.Values) (aws.Config, error) {
	role := query.Get("role")
	if role != "" && !strings.HasPrefix(role, "arn:") {
		return aws.Config{}, fmt.Errorf("role is %q: it must be the ARN of a role", role)
	}
	if region := query.Get("region"); region != "" && !awsbase.IsRegion(region) {
		return aws.Config{}, fmt.Errorf("region is %q: it must be %s", region, awsbase.RegionForm)
	}
	anonymous, err1 := bucket.TakeBool(query, "anonymous", false)
	named := maps.Clone(query)
	dualStack, err2 := bucket.TakeBool(query, "dualstack", false)
	fips, err3 := bucket.TakeBool(query, "fips", false)
	requests, err4 := whenChecked(query, "request_checksum_calculation")
	responses, err5 := whenChecked(query, "response_checksum_validation")
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return aws.Config{}, err
	}
	var options []func(*config.LoadOptions) error
	set := func(is bool, option config.LoadOptionsFunc) {
		if is {
			options = append(options, option)
		}
	}
	set(query.Has("region"), config.WithRegion(query.Get("region")))
	set(query.Has("profile"), config.WithSharedConfigProfile(query.Get("profile")))
	set(anonymous, config.WithCredentialsProvider(aws.AnonymousCredentials{}))
	set(named.Has("dualstack"), config.WithUseDualStackEndpoint(map[bool]aws.DualStackEndpointState{
		true: aws.DualStackEndpointStateEnabled, false: aws.DualStackEndpointStateDisabled,
	}[dualStack]))
	set(named.Has("fips"), config.WithUseFIPSEndpoint(map[bool]aws.FIPSEndpointState{
		true: aws.FIPSEndpointStateEnabled, false: aws.FIPSEndpointStateDisabled,
	}[fips]))
	set(requests != "", config.WithRequestChecksumCalculation(map[string]aws.RequestChecksumCalculation{
		whenSupported: aws.RequestChecksumCalculationWhenSupported, whenRequired: aws.RequestChecksumCalculationWhenRequired,
	}[requests]))
	set(responses != "", config.WithResponseChecksumValidation(map[string]aws.ResponseChecksumValidation{
		whenSupported: aws.ResponseChecksumValidationWhenSupported, whenRequired: aws.ResponseChecksumValidationWhenRequired,
	}[responses]))
	cfg, err := awsbase.Load(ctx, options...)
	if err == nil && role != "" && cfg.Region != "" {
		cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(awsbase.NewSTS(cfg, ""), role))
	}
	return cfg, err
}

const whenSupported, whenRequired = "when_supported", "when_required"

func whenChecked(query url.Values, name string) (string, error) {
	value := strings.ToLower(query.Get(name))
	if allowed := []string{"", whenSupported, whenRequired}; !slices.Contains(allowed, value) {
		return "", fmt.Errorf("%s is %q: it must be %s or %s", name, value, whenSupported, whenRequired)
	}
	return value, nil
}
