package kvsio_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// TestKeysAreLookedForAgain: a job whose keys are refused fails, and the next one in the
// same process reads with those that are there by then.
func TestKeysAreLookedForAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "credentials")
	machine(t, "AWS_SHARED_CREDENTIALS_FILE="+file)
	for _, runner := range runners {
		server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{{Name: "cam", Media: day, Quota: noQuota()}}})
		t.Cleanup(server.Close)
		for _, c := range []struct{ id, secret, err string }{
			{"nobody", "test", "UnrecognizedClientException"},
			{"test", "wrong", "InvalidSignatureException"},
			{"test", "test", ""},
		} {
			text := "[default]\naws_access_key_id = " + c.id + "\naws_secret_access_key = " + c.secret + "\n"
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			pipeline, s := beam.NewPipelineWithRoot()
			kvsio.Read(s, paramsOf(server), request("cam", newYear, time.Minute))
			_, err := beam.Run(t.Context(), runner, pipeline)
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("%s, %s with %s: %v", runner, c.id, c.secret, err)
			}
		}
	}
}
