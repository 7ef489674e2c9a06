package keys_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideo"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"golang.org/x/sync/errgroup"

	"github.com/kvsframes/kvsframes/internal/keys"
)

// service takes the keys of one id at a time.
type service struct {
	*httptest.Server
	taken   atomic.Pointer[string]
	status  int    // of a refusal
	refusal string // its code
	meet    *sync.WaitGroup
	refused atomic.Int32
}

func newService(t *testing.T, taken string) *service {
	s := &service{status: 403, refusal: "UnrecognizedClientException"}
	s.taken.Store(&taken)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !strings.Contains(r.Header.Get("Authorization"), "Credential="+*s.taken.Load()+"/"):
			s.refused.Add(1)
			if s.meet != nil { // so that all calls are refused before one is made again
				s.meet.Done()
				s.meet.Wait()
			}
			w.Header().Set("X-Amzn-Errortype", s.refusal)
			w.WriteHeader(s.status)
			if r.URL.Path == "/" { // the Security Token Service
				fmt.Fprintf(w, "<ErrorResponse><Error><Code>%s</Code></Error></ErrorResponse>", s.refusal)
			}
		case r.URL.Path == "/describeStream":
			fmt.Fprint(w, `{"StreamInfo":{}}`)
		default:
			fmt.Fprintf(w, "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>session</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"+
				"<SessionToken>t</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
				time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// config is the configuration of keys by an id.
func (s *service) config(id string) aws.Config {
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: &s.URL,
		Credentials: aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider(id, "secret", "")),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	}
}

func describe(t *testing.T, client *kinesisvideo.Client) error {
	name := "cam"
	_, err := client.DescribeStream(t.Context(), &kinesisvideo.DescribeStreamInput{StreamName: &name})
	return err
}

func isPassing(err error) bool {
	for ; err != nil; err = unwrap(err) {
		if passing, ok := err.(interface{ RetryableError() bool }); ok && passing.RetryableError() {
			return true
		}
	}
	return false
}

func unwrap(err error) error {
	if wrapped, ok := err.(interface{ Unwrap() error }); ok {
		return wrapped.Unwrap()
	}
	return nil
}

// TestRefusedKeysAreFoundAnewOnce: calls that are refused together look for other keys
// once, and all of them go on with these.
func TestRefusedKeysAreFoundAnewOnce(t *testing.T) {
	const calls = 8
	for name, test := range map[string]struct {
		status  int
		refusal string
		found   string // the id of the keys that are there by now
		want    bool
	}{
		"other keys":     {403, "UnrecognizedClientException", "new", true},
		"signature":      {400, "InvalidSignatureException", "new", true},
		"expired token":  {403, "ExpiredTokenException", "new", true},
		"no body":        {403, "", "new", true},
		"the same keys":  {403, "UnrecognizedClientException", "old", false},
		"another reason": {403, "AccessDeniedException", "new", false},
		"not a 403":      {400, "", "new", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, "new")
			s.status, s.refusal, s.meet = test.status, test.refusal, new(sync.WaitGroup)
			s.meet.Add(calls)
			var reloads atomic.Int32
			cfg := s.config("old")
			keys.Guard(&cfg, func(context.Context) (aws.Config, error) {
				reloads.Add(1)
				return s.config(test.found), nil
			})
			client := kinesisvideo.NewFromConfig(cfg)
			var group errgroup.Group
			for range calls {
				group.Go(func() error {
					if err := describe(t, client); isPassing(err) != test.want {
						return fmt.Errorf("it says %v", err)
					}
					return nil
				})
			}
			if err := group.Wait(); err != nil {
				t.Error(err)
			}
			want := int32(1)
			if test.refusal == "AccessDeniedException" || test.status == 400 && test.refusal == "" {
				want = 0
			}
			if n := reloads.Load(); n != want {
				t.Errorf("keys were looked for %d times, want %d", n, want)
			}
			s.meet = nil
			if err := describe(t, client); test.want && err != nil {
				t.Error(err)
			}
		})
	}
}

// ever is a source of ever new keys.
type ever struct{ n atomic.Int32 }

func (e *ever) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: fmt.Sprint("key", e.n.Add(1)), SecretAccessKey: "secret"}, nil
}

// TestSourceOfSessions: what a source has in hand is forgotten once it is refused, and
// again once its next keys have been taken; a source whose keys are never taken is not
// asked without end.
func TestSourceOfSessions(t *testing.T) {
	s, source := newService(t, "key1"), &ever{}
	cfg := s.config("")
	cfg.Credentials = aws.NewCredentialsCache(source)
	keys.Guard(&cfg, nil)
	client := kinesisvideo.NewFromConfig(cfg)
	for i, step := range []struct{ taken, want string }{
		{"key1", "success"},
		{"key2", "passing"},
		{"key2", "success"},
		{"key3", "passing"},
		{"key3", "success"},
		{"none", "passing"},
		{"none", "failure"},
		{"none", "failure"},
	} {
		s.taken.Store(&step.taken)
		err := describe(t, client)
		got := "success"
		switch {
		case isPassing(err):
			got = "passing"
		case err != nil:
			got = "failure"
		}
		if got != step.want {
			t.Fatalf("call %d, with %s: %v", i+1, step.taken, err)
		}
	}
	if n := source.n.Load(); n != 4 {
		t.Errorf("it was asked for %d sets of keys", n)
	}
}

// TestKeysOfARoleAreFoundAnew: the keys that a profile's own role is assumed with are
// not those of any call.
func TestKeysOfARoleAreFoundAnew(t *testing.T) {
	for found, want := range map[string]bool{"new": true, "old": false} {
		s := newService(t, "new")
		s.refusal = "InvalidClientTokenId"
		role := func(id string) aws.Config {
			cfg := s.config(id)
			cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg),
				"arn:aws:iam::111122223333:role/reader"))
			return cfg
		}
		cfg, reloads := role("old"), 0
		keys.Guard(&cfg, func(context.Context) (aws.Config, error) {
			reloads++
			return role(found), nil
		})
		for range 3 {
			c, err := cfg.Credentials.Retrieve(t.Context())
			if (err == nil && c.AccessKeyID == "session") != want || reloads != 1 {
				t.Errorf("%s: %v after %d times", found, err, reloads)
			}
		}
	}
}
