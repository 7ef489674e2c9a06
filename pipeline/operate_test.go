package pipeline

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/kvsframes/kvsframes/internal/storetest"
	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
	"github.com/kvsframes/kvsframes/io/store"
	_ "github.com/kvsframes/kvsframes/io/store/gcsstore"
	_ "github.com/kvsframes/kvsframes/io/store/memstore"
	_ "github.com/kvsframes/kvsframes/io/store/s3store"
)

// watched stands before a service and notes which IAM actions are used.
type watched struct {
	mu     sync.Mutex
	used   map[string]bool
	behind http.Handler
	action func(*http.Request) string
	refuse func(*http.Request) bool
}

func watch(t *testing.T, behind http.Handler, action func(*http.Request) string) (*watched, string) {
	w := &watched{used: map[string]bool{}, behind: behind, action: action}
	front := httptest.NewServer(w)
	t.Cleanup(front.Close)
	return w, front.URL
}

func (w *watched) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	w.used[w.action(r)] = true
	refuse := w.refuse != nil && w.refuse(r)
	w.mu.Unlock()
	if refuse {
		io.Copy(io.Discard, r.Body) // or the client sees a connection that broke
		rw.WriteHeader(http.StatusForbidden)
		return
	}
	w.behind.ServeHTTP(rw, r)
}

func (w *watched) set(refuse func(*http.Request) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refuse = refuse
}

func kinesisAction(r *http.Request) string {
	operation := path.Base(r.URL.Path)
	return "kinesisvideo:" + strings.ToUpper(operation[:1]) + operation[1:]
}

func s3Action(r *http.Request) string {
	query := r.URL.Query()
	object := strings.Contains(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case r.Method == http.MethodGet && query.Has("list-type"):
		return "s3:ListBucket"
	case (r.Method == http.MethodGet || r.Method == http.MethodHead) && object && len(query) <= 1:
		return "s3:GetObject"
	case (r.Method == http.MethodPut || r.Method == http.MethodPost) && object:
		return "s3:PutObject"
	case r.Method == http.MethodDelete && query.Has("uploadId"):
		return "s3:AbortMultipartUpload"
	case r.Method == http.MethodDelete && object:
		return "s3:DeleteObject"
	}
	return r.Method + " " + r.URL.String()
}

// policies are the actions that docs/operate.md grants.
func policies(t *testing.T) []string {
	t.Helper()
	var actions []string
	for _, block := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(operate(t), -1) {
		var policy struct {
			Statement []struct{ Principal, Action any }
		}
		if err := json.Unmarshal([]byte(block[1]), &policy); err != nil {
			t.Fatalf("%v in %s", err, block[1])
		}
		for _, statement := range policy.Statement {
			if statement.Principal == nil {
				for _, action := range statement.Action.([]any) {
					actions = append(actions, action.(string))
				}
			}
		}
	}
	slices.Sort(actions)
	return actions
}

func operate(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/operate.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// noise makes a folder with a picture that does not get smaller, and returns its size:
// a packed file of it is sent in parts.
func noise(t *testing.T, width, height int) (dir string, size int64) {
	t.Helper()
	picture := image.NewNRGBA(image.Rect(0, 0, width, height))
	rand.NewChaCha8([32]byte{}).Read(picture.Pix)
	var file bytes.Buffer
	if err := png.Encode(&file, picture); err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	if err := os.WriteFile(dir+"/noise.png", file.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return dir, int64(file.Len())
}

// TestPoliciesAreTheLeast: backfills, packs and verifications, with a store that
// refuses parts of an upload and a receipt that is damaged, use the actions that
// docs/operate.md grants, and no others.
func TestPoliciesAreTheLeast(t *testing.T) {
	o, _ := options(t)
	dir, _ := noise(t, 256, 256)
	server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{{
		Name: "cam", Folder: dir, Quota: &kvstest.Quota{},
		Media: []kvstest.Range{{From: start, To: start.Add(4 * time.Minute)}},
	}}})
	t.Cleanup(server.Close)
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	video, videoURL := watch(t, httputil.NewSingleHostReverseProxy(target), kinesisAction)
	backend := storetest.S3(t, "archive")
	front, storeURL := watch(t, backend, s3Action)
	t.Setenv("AWS_ENDPOINT_URL_KINESIS_VIDEO", videoURL)
	o.Out, o.DatasetFormat = "s3://archive/frames?region=us-east-1&endpoint="+storeURL, "webdataset"
	o.Requests[0].Format = frame.PNG

	if _, err := Backfill(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	set := PackOptions{Dir: o.Out, Out: strings.Replace(o.Out, "/frames", "/set", 1), Runner: o.Runner}
	front.set(func(r *http.Request) bool { return r.URL.Query().Has("partNumber") })
	if _, err := Pack(t.Context(), set); err == nil {
		t.Error("a store that refuses was no error")
	}
	front.set(nil)
	if _, err := Pack(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	unwatched, err := store.At("s3://archive?region=us-east-1&endpoint=" + backend.URL)
	if err != nil {
		t.Fatal(err)
	}
	for name := range backend.Objects(t, "") {
		if strings.Contains(name, "/ledger/") {
			if err := unwatched.(store.Bucket).Put(t.Context(), name, []byte("{")); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := Backfill(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	ds, err := dataset.Open(t.Context(), o.Out)
	if err != nil {
		t.Fatal(err)
	}
	if report, err := ds.Verify(t.Context(), dataset.VerifyOptions{}); err != nil || !report.Complete {
		t.Errorf("%+v, %v", report, err)
	}
	used := slices.Sorted(maps.Keys(video.used))
	used = append(used, slices.Sorted(maps.Keys(front.used))...)
	if granted := policies(t); !slices.Equal(used, granted) {
		t.Errorf("used are    %v\ngranted are %v", used, granted)
	}
}

// TestMetricsAreExplained: docs/operate.md has every metric of a job.
func TestMetricsAreExplained(t *testing.T) {
	o, _ := options(t)
	if _, err := dataset.Create(t.Context(), o.Out, dataset.Options{}); err != nil {
		t.Fatal(err)
	}
	p, s := beam.NewPipelineWithRoot()
	dataset.Write(s, dataset.WriteParams{Dir: o.Out}, kvsio.ReadShards(s, o.Read, o.Requests...))
	result, err := beam.Run(t.Context(), "direct", p)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range result.Metrics().AllMetrics().Counters() {
		names = append(names, c.Namespace()+"/"+c.Name())
	}
	for _, d := range result.Metrics().AllMetrics().Distributions() {
		names = append(names, d.Namespace()+"/"+d.Name())
	}
	for _, reason := range frame.GapReasons {
		names = append(names, kvsio.MetricNamespace+"/"+kvsio.MetricGaps+"_"+strings.ToLower(reason))
	}
	if len(names) < 10 {
		t.Errorf("the metrics are %v", names)
	}
	for _, name := range append(names, kvsio.MetricNamespace+"/"+kvsio.MetricSkipped) {
		if !strings.Contains(operate(t), "`"+name+"`") {
			t.Errorf("docs/operate.md does not explain %s", name)
		}
	}
}
