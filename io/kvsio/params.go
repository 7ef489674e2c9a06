package kvsio

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kvsframes/kvsframes/internal/awsbase"
	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

// The defaults of ReadParams.
const (
	DefaultShardSamples = 100
	DefaultMaxInFlight  = 32
	DefaultMemoryBudget = 2 << 30
	DefaultStreamQuota  = 500
	DefaultQuotaShare   = 0.5
	DefaultCallTimeout  = time.Minute

	DefaultThrottlePatience = 15 * time.Minute
)

// The bounds of ReadParams.
const (
	LeastMemoryBudget     = 1 << 20 // bytes
	LeastCallTimeout      = time.Second
	MostCallTimeout       = time.Hour
	LeastThrottlePatience = time.Second
	LeastStreamQuota      = 0.01 // media points a second
	LeastQuotaShare       = 0.001
)

// UnknownQuota as CallParams.StreamQuota says that a stream's quota is not
// known: calls are as fast as throttles allow.
const UnknownQuota = -1

// ReadParams says how the source reads. The zero value is a good start: it
// takes credentials, region and endpoint from where every AWS tool does.
type ReadParams struct {
	// AWS says which account and region to read from, and as whom.
	AWS AWSParams

	CallParams
	PlanParams
	LedgerParams

	// MaxInFlight is the most calls of GetImages under way at once in a
	// process, whatever the number of bundles in it. Default 32.
	MaxInFlight int

	// MemoryBudget bounds the memory, in bytes, that shards take in a process
	// while they are fetched or wait to be taken by what follows the source:
	// their frames, the buffers that answers are read into, and as much again
	// that Go's collector lets lie about. Pictures of an answer wait for their
	// memory before they are decoded. One shard always fits: where a shard of
	// ShardSamples pictures is larger than the budget, it is fetched alone. At
	// least 1 MiB; default 2 GiB.
	MemoryBudget int64

	// ClockSkew is how far the clock that streams age by is ahead of those of the processes that read;
	// negative: behind it. Default 0. It is for stand-ins that have clocks of their own.
	ClockSkew time.Duration

	// KeepGoing makes the samples of a shard whose calls fail for good FAILED
	// gaps; ReadAll puts requests for them out as well. Without it the job fails, and with it where no
	// stream can be reached any more.
	KeepGoing bool
}

// CallParams says how long calls of GetImages may take, and how fast they follow each
// other.
type CallParams struct {
	// CallTimeout is the time limit of one call, its answer included: from 1 s
	// to 1 h. Default 1 minute. A call that brings nothing for 10 s is made again
	// before that.
	CallTimeout time.Duration

	// ThrottlePatience is how long a stream may answer calls with nothing but
	// throttles before its job fails: from 1 s on. Default 15 minutes. Throttles
	// alone are never fatal: they slow the stream's calls down.
	ThrottlePatience time.Duration

	// StreamQuota is the number of media points (images) a second that the
	// service grants one stream, at least 0.01. Default 500, the documented quota;
	// UnknownQuota: not known. The stream's metadata points are taken to be 20
	// times as many, as documented (10,000).
	StreamQuota float64

	// QuotaShare is how much of a stream's quota to take, from 0.001 to 1:
	// everyone who watches the stream shares it. Default 0.5.
	QuotaShare float64
}

// PlanParams says how requests are checked and cut.
type PlanParams struct {
	// MinInterval is the floor of sampling intervals. Default
	// DefaultMinInterval (3 s), at least LowestMinInterval (200 ms).
	MinInterval time.Duration

	// ShardSamples is the number of samples at whose multiples shards are cut.
	// A shard is held in memory whole. Default 100, at most 1,000,000. Where Ledger
	// is set, the default is what the dataset has, and anything else is an error.
	ShardSamples int

	// Works is the number of elements that a plan is cut into, at least 1; a plan
	// has no more of them than shards. Default: what Runner calls for. The direct
	// runner and prism get one: their work is done by this process, which makes its
	// calls at once inside one bundle. Dataflow gets one for every 4 × MaxInFlight
	// shards, at most 1,000, and splits them further. Flink and any other runner get
	// as many as Beam's flag --parallelism says, which is the number of slots, and one
	// where it is not set.
	Works int

	// Retention is how long streams keep footage, by StreamARN, as [Retentions] returns it. The
	// stream whose footage ages out first is first in a plan, and what is older than that comes after
	// what the stream keeps. Default: not known.
	Retention map[string]time.Duration

	// Runner is the name of the Beam runner that Works is sized for: direct, prism,
	// flink, dataflow or another. Default: Beam's flag --runner, where the program has
	// it and it is set.
	Runner string
}

// LedgerParams says what need not be fetched.
type LedgerParams struct {
	// Ledger is the folder, or the URL, of a dataset whose ledger says which
	// shards exist already: they are not fetched again. Each worker asks it with
	// credentials that it finds for itself. A place without a dataset is an error
	// where the plan is made: make the dataset first (dataset.Create). Empty: all
	// shards are fetched.
	Ledger string

	// Refetch lists the reasons of gaps (frame.GapReasons) for which samples in the
	// ledger are asked for again; FAILED ones always are. Of their shards nothing else is
	// asked for (frame.Shard.Again), unless what the dataset does to frames looks at other
	// frames of the shard, as a dedupe step does: then the shard is fetched whole.
	Refetch []string

	// LookAgain, where over 0, is up to how long ago samples in the ledger that are NO_MEDIA gaps are
	// looked at again, in every series that is asked for and whatever its range: footage of a camera
	// that was offline gets into the archive late. NewPlan asks for what there is by ListFragments,
	// and only samples that have footage by now are asked for again; where ListFragments is not
	// allowed, all of these gaps are, and NewPlan says so in Beam's log. Default 0.
	LookAgain time.Duration
}

// AWSParams says which account and region to read from, and as whom. Secrets
// are not among it: credentials are resolved by each worker from the default
// chain (environment, shared files, web identity, instance), where nothing else
// is said.
type AWSParams struct {
	Region      string // default: that of the requests' ARNs, or as every AWS tool finds it
	EndpointURL string // of the Kinesis Video control plane only; default: the region's
	Profile     string // of the shared config files
	RoleARN     string // to assume with those credentials

	// WebIdentity says who vouches for a process instead of AWS credentials, so
	// that it may assume RoleARN: WebIdentityGCP, or empty for nobody.
	WebIdentity string

	// STSEndpointURL is that of the Security Token Service, where RoleARN is
	// assumed. Default: the region's.
	STSEndpointURL string

	// Config is the name of a configuration that was given to RegisterAWSConfig.
	// It takes the place of the default chain.
	Config string
}

// Validate names every field that is out of its range, with a *[Fault] each.
func (p ReadParams) Validate() error {
	var errs []error
	refuse := func(field string, value, allowed any) { errs = append(errs, fault.New(field, value, allowed)) }
	if p.MinInterval != 0 && p.MinInterval < LowestMinInterval {
		refuse("MinInterval", p.MinInterval, fmt.Sprintf("at least %v", LowestMinInterval))
	}
	if p.ShardSamples < 0 || p.ShardSamples > 1_000_000 {
		refuse("ShardSamples", p.ShardSamples, "1–1,000,000")
	} else if p.Ledger != "" && p.ShardSamples > ledger.MaxShardSamples {
		refuse("ShardSamples", p.ShardSamples,
			fault.Errorf("at most %d where %s is set", ledger.MaxShardSamples, fault.Name("Ledger")))
	}
	if p.LookAgain < 0 {
		refuse("LookAgain", p.LookAgain, "0 or more")
	}
	if p.Works < 0 {
		refuse("Works", p.Works, "at least 1")
	}
	if p.MaxInFlight < 0 || p.MaxInFlight > 10_000 {
		refuse("MaxInFlight", p.MaxInFlight, "1–10,000")
	}
	if p.MemoryBudget != 0 && p.MemoryBudget < LeastMemoryBudget {
		refuse("MemoryBudget", p.MemoryBudget, fmt.Sprintf("at least %d bytes", LeastMemoryBudget))
	}
	if p.CallTimeout != 0 && (p.CallTimeout < LeastCallTimeout || p.CallTimeout > MostCallTimeout) {
		refuse("CallTimeout", p.CallTimeout, fmt.Sprintf("from %v to %v", LeastCallTimeout, MostCallTimeout))
	}
	if p.ThrottlePatience != 0 && p.ThrottlePatience < LeastThrottlePatience {
		refuse("ThrottlePatience", p.ThrottlePatience, fmt.Sprintf("at least %v", LeastThrottlePatience))
	}
	if q := p.StreamQuota; q != 0 && q != UnknownQuota && !(q >= LeastStreamQuota) {
		refuse("StreamQuota", q, fmt.Sprintf("at least %v points a second, or unknown", LeastStreamQuota))
	}
	if q := p.QuotaShare; q != 0 && !(q >= LeastQuotaShare && q <= 1) {
		refuse("QuotaShare", q, fmt.Sprintf("from %v to 1", LeastQuotaShare))
	}
	if err := store.Check(p.Ledger); err != nil {
		errs = append(errs, fault.Of("Ledger", ": %w", err))
	}
	if err := p.AWS.Validate(); err != nil {
		errs = append(errs, err)
	}
	for _, r := range p.Refetch {
		if !slices.Contains(frame.GapReasons, r) {
			refuse("Refetch", quoted(r), "of "+strings.Join(frame.GapReasons, ", "))
		}
	}
	return errors.Join(errs...)
}

// Validate names every field that is out of its range or contradicts another, with a
// *[Fault] each: AWS.NAME, as ReadParams calls them.
func (p AWSParams) Validate() error {
	errs := []error{
		unknownConfig(p.Config),
		checkRegion(p.Region),
		checkEndpoint("AWS.EndpointURL", p.EndpointURL, "kinesisvideo"),
		checkEndpoint("AWS.STSEndpointURL", p.STSEndpointURL, "sts"),
	}
	if p.WebIdentity != "" && p.WebIdentity != WebIdentityGCP {
		errs = append(errs, fault.New("AWS.WebIdentity", quoted(p.WebIdentity), WebIdentityGCP))
	}
	if p.RoleARN != "" && !rolePattern.MatchString(p.RoleARN) {
		errs = append(errs, fault.New("AWS.RoleARN", quoted(p.RoleARN), "arn:aws:iam::ACCOUNT:role/NAME"))
	}
	if p.WebIdentity != "" && p.RoleARN == "" {
		errs = append(errs, fault.Of("AWS.WebIdentity", " is %s without %s: name the role that is assumed with it",
			p.WebIdentity, fault.Name("AWS.RoleARN")))
	}
	for _, other := range []struct {
		name  fault.Name
		value string
	}{{"AWS.Profile", p.Profile}, {"AWS.WebIdentity", p.WebIdentity}} {
		if other.value != "" && p.Config != "" {
			both := fault.Errorf("%q together with %s", p.Config, other.name)
			errs = append(errs, fault.New("AWS.Config", both, "one of the two"))
		}
	}
	return errors.Join(errs...)
}

func checkRegion(region string) error {
	if region == "" || awsbase.IsRegion(region) {
		return nil
	}
	return fault.New("AWS.Region", quoted(region), awsbase.RegionForm)
}

// withDefaults fills in the fields that are zero.
func (p ReadParams) withDefaults() ReadParams {
	orDefault(&p.MinInterval, DefaultMinInterval)
	orDefault(&p.ShardSamples, DefaultShardSamples)
	orDefault(&p.MaxInFlight, DefaultMaxInFlight)
	orDefault(&p.MemoryBudget, DefaultMemoryBudget)
	orDefault(&p.StreamQuota, DefaultStreamQuota)
	orDefault(&p.QuotaShare, DefaultQuotaShare)
	orDefault(&p.CallTimeout, DefaultCallTimeout)
	orDefault(&p.ThrottlePatience, DefaultThrottlePatience)
	return p
}

func orDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
