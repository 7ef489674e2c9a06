// Package s3store makes s3:// places known to [store.At]: import it for its effect. They
// are those of Amazon S3, and of services that speak its language. Package store
// documents the URLs.
package s3store

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"gocloud.dev/blob/s3blob"

	"github.com/kvsframes/kvsframes/internal/awsbase"
	"github.com/kvsframes/kvsframes/internal/httpguard"
	"github.com/kvsframes/kvsframes/internal/keys"
	"github.com/kvsframes/kvsframes/io/store"
	"github.com/kvsframes/kvsframes/io/store/internal/bucket"
)

const (
	// firstAttempts is how often one request is made until the store has answered once:
	// a process that cannot reach it is to know in seconds.
	firstAttempts = 3

	credentialsTimeout = 15 * time.Second
)

// longestWait is the longest pause between two attempts. Tests have a shorter one.
var longestWait = retry.DefaultMaxBackoff

func init() {
	store.Register("s3", store.Driver{
		Query: []string{
			"region", "endpoint", "profile", "role", "s3ForcePathStyle", "use_path_style", "anonymous", "dualstack", "fips",
			"accelerate",
			"ssetype", "kmskeyid", "request_checksum_calculation", "response_checksum_validation",
		},
		Open:    func(p store.Place) (store.Bucket, error) { return open(p) },
		Resolve: resolve,
	})
}

func open(p store.Place) (*bucket.Bucket, error) { return bucket.Open(p, connect) }

// resolve adds the region and the endpoint that the client has.
func resolve(p store.Place) (url.Values, error) {
	b, err := open(p)
	if err != nil {
		return nil, err
	}
	query := maps.Clone(p.Query)
	var client *s3.Client
	if !b.Client().As(&client) {
		return query, nil
	}
	found := client.Options()
	if !query.Has("region") {
		query.Set("region", found.Region)
	}
	if !query.Has("endpoint") && found.BaseEndpoint != nil {
		query.Set("endpoint", *found.BaseEndpoint)
		query.Set("use_path_style", strconv.FormatBool(found.UsePathStyle))
	}
	return query, nil
}

// connect makes a client for S3, or for a store that speaks its language. Region,
// credentials and endpoint are S3's own: AWS_ENDPOINT_URL may well be of another
// service here, so that only what is said of S3 counts, in the URL, in
// AWS_ENDPOINT_URL_S3 or in the s3 section of the shared config files.
func connect(p store.Place) (*bucket.Client, error) {
	query := maps.Clone(p.Query)
	endpoint := bucket.Take(query, "endpoint")
	options := &s3blob.Options{
		EncryptionType:  types.ServerSideEncryption(bucket.Take(query, "ssetype")),
		KMSEncryptionID: bucket.Take(query, "kmskeyid"),
	}
	named := query.Has("s3ForcePathStyle") || query.Has("use_path_style")
	accelerate, err1 := bucket.TakeBool(query, "accelerate", false)
	pathStyle, err2 := bucket.TakeBool(query, "s3ForcePathStyle", false)
	pathStyle, err3 := bucket.TakeBool(query, "use_path_style", pathStyle)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	checksums, anonymous := query.Has("request_checksum_calculation"), query.Has("anonymous")
	load := func(ctx context.Context) (aws.Config, error) { return s3Config(ctx, maps.Clone(query)) }
	cfg, err := load(context.Background())
	if err != nil {
		return nil, keys.Load(query.Get("profile"), err)
	}
	keys.Guard(&cfg, load)
	if cfg.Region == "" {
		return nil, errors.New("no region is known: add ?region=REGION to the URL, or set AWS_REGION")
	}
	if !anonymous {
		ctx, stop := context.WithTimeout(context.Background(), credentialsTimeout)
		defer stop()
		if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
			return nil, keys.Lacking(err, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "+
				"add ?profile=PROFILE to the URL, or run where a role is given")
		}
	}
	cfg.BaseEndpoint = nil
	attempts := &reached{
		RetryerV2: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.MaxBackoff = bucket.Attempts, longestWait
		}),
		client: awsbase.Guarded(cfg.HTTPClient, bucket.Tune, longestOfS3),
	}
	cfg.HTTPClient = attempts
	client := s3.NewFromConfig(cfg, func(o *s3.Options) {
		if endpoint != "" {
			o.BaseEndpoint = &endpoint
		}
		if o.BaseEndpoint != nil { // it is a whole host: the SDK refuses to make it another one
			o.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateDisabled
			o.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateDisabled
		}
		o.Retryer = attempts
		o.APIOptions = append(o.APIOptions, awsbase.RetryMore, trueLists)
		o.UseAccelerate = accelerate
		// Stores other than Amazon's mostly have no host name for each bucket,
		// and not all of them know its newer checksums.
		o.UsePathStyle = pathStyle || !named && o.BaseEndpoint != nil
		if o.BaseEndpoint != nil && !checksums {
			o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		}
		options.RequestChecksumCalculation = o.RequestChecksumCalculation
	})
	opened, err := s3blob.OpenBucket(context.Background(), client, p.Bucket, options)
	return &bucket.Client{
		Bucket: opened, Answer: answerOf, Put: putter{client, p}.put, ListContext: withPages,
		Between: between, RemoveAll: remover{client, p.Bucket}.removeAll,
	}, err
}

// longestOfS3 limits what is no object: that is as long as it is.
func longestOfS3(r *http.Request) int64 {
	if strings.Contains(r.URL.RawQuery, "x-id=GetObject") {
		return httpguard.Unlimited
	}
	return httpguard.LongestAnswer
}

// reached makes requests, few attempts of each until one has been answered.
type reached struct {
	aws.RetryerV2
	client   aws.HTTPClient
	answered atomic.Bool
}

func (r *reached) Do(request *http.Request) (*http.Response, error) {
	answer, err := r.client.Do(request)
	if err == nil {
		r.answered.Store(true)
	}
	return answer, err
}

// IsErrorRetryable is the SDK's, but for what is wrong with this process.
func (r *reached) IsErrorRetryable(err error) bool {
	return !httpguard.OutOfFiles(err) && r.RetryerV2.IsErrorRetryable(err)
}

func (r *reached) MaxAttempts() int {
	if r.answered.Load() {
		return bucket.Attempts
	}
	return firstAttempts
}
