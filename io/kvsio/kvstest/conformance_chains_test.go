//go:build conformance

package kvstest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	archived "github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia/types"

	"github.com/kvsframes/kvsframes/io/kvsio"
)

var (
	chains    = flag.Int("chains", 300, "chains of tokens to try with boto3")
	cliChains = flag.Int("cli-chains", 20, "chains of tokens to try with boto3 and the AWS CLI")
	chainSeed = flag.Uint64("chain-seed", rand.Uint64(), "seed of the first chain; the others count on from it")
)

// Whatever a chain of tokens cuts a range into, boto3 and kvsio's paginator
// return the same images and the same token at each of its links, so either may
// go on where the other left off, and in all they are the images of the range.
func TestChains(t *testing.T) {
	w := newChainWorld(t, clients[0])
	for i := range uint64(*chains) {
		w.walk(t, *chainSeed+i, false)
	}
}

// The same, with the AWS CLI.
func TestChainsOfTheCLI(t *testing.T) {
	w := newChainWorld(t, clients[0], clients[1])
	for i := range uint64(*cliChains) {
		w.walk(t, *chainSeed+i, false)
	}
}

// A token counts images of a page. Where pages change their size in a chain
// images come twice or never, and with boto3 they are the same ones.
func TestChainsOfChangingPages(t *testing.T) {
	w := newChainWorld(t, clients[0])
	for i := range uint64(max(1, *chains/5)) {
		w.walk(t, *chainSeed+i, true)
	}
}

// chainWorld is stand-ins of several page sizes, and paginators.
type chainWorld struct {
	servers      []*Server
	walkers      []walker // boto3's is the first
	wholeSeconds bool     // one of them cuts the times that it sends
}

// A walker is a paginator, and what it makes of a link.
type walker struct {
	name string
	walk func(*testing.T, link) walked
}

// A link is one step of a chain: what is asked for, and of whom.
type link struct {
	server *Server
	stream string
	input  *archived.GetImagesInput
	config kvsio.PaginationConfig
}

func (l link) String() string {
	return fmt.Sprintf("pages of %d, %s, %s", l.server.cfg.PageSize, asJSON(l.input), asJSON(l.config))
}

// walked is what a paginator returned: images, and the token to go on with.
type walked struct {
	images []kvsio.Image
	token  string
	failed string // the service's code of the error, or that it is none of the service's
}

const notTheServices = "an error of its own"

func (w walked) same(other walked) bool {
	return sameImages(w.images, other.images) && w.token == other.token && w.failed == other.failed
}

func (w walked) String() string {
	var b strings.Builder
	for _, image := range w.images {
		fmt.Fprintf(&b, "%v:%s%d ", image.TimeStamp.Sub(newYear).Seconds(), image.Error, len(image.Content))
	}
	return fmt.Sprintf("%d images (%s), then %q %s", len(w.images), b.String(), w.token, w.failed)
}

func sameImages(a, b []kvsio.Image) bool {
	return slices.EqualFunc(a, b, func(a, b kvsio.Image) bool {
		return a.TimeStamp.Equal(b.TimeStamp) && a.Error == b.Error && bytes.Equal(a.Content, b.Content)
	})
}

func newChainWorld(t *testing.T, kinds ...client) *chainWorld {
	t.Helper()
	w := &chainWorld{}
	for _, pageSize := range []int{25, 4, 100} {
		w.servers = append(w.servers, newChainServer(t, pageSize))
	}
	for _, setting := range w.servers[0].Env() {
		name, value, _ := strings.Cut(setting, "=")
		t.Setenv(name, value) // kvsio finds it there
	}
	for _, kind := range kinds {
		w.wholeSeconds = w.wholeSeconds || kind.wholeSeconds
		p := launch(t, kind, append(w.servers[0].Env(), "AWS_MAX_ATTEMPTS=1")...)
		w.walkers = append(w.walkers, walker{kind.name, p.walk})
	}
	w.walkers = append(w.walkers, walker{"kvsio", walkOurs})
	return w
}

// newChainServer starts a stand-in with a stream that has all there is: holes,
// fragments that ranges start inside, media that cannot be decoded.
func newChainServer(t *testing.T, pageSize int) *Server {
	t.Helper()
	stretch := func(from, to int) Range {
		return Range{newYear.Add(time.Duration(from) * time.Second), newYear.Add(time.Duration(to) * time.Second)}
	}
	srv := NewServer(Config{
		PageSize: pageSize, Now: func() time.Time { return newYear.Add(time.Hour) },
		Streams: []Stream{
			{Name: "whole", Width: 16, Height: 16, Quota: &Quota{}, Media: []Range{stretch(0, 600)}},
			{
				Name: "gaps", Width: 24, Height: 16, Quota: &Quota{}, FrameRate: 7.5, Fragment: 20 * time.Second,
				Media:       []Range{stretch(30, 120), stretch(130, 240), stretch(241, 500)},
				MediaErrors: []Range{stretch(60, 75), stretch(230, 300)},
			},
			{Name: "never", Quota: &Quota{}},
		},
	})
	t.Cleanup(srv.Close)
	for _, st := range srv.streams {
		st.endpointCalls = newLimiter(0) // the suite asks more often than the service allows
	}
	return srv
}

// walk goes along one chain with all paginators at once.
func (w *chainWorld) walk(t *testing.T, seed uint64, changing bool) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 0))
	l := link{
		server: w.servers[random.IntN(len(w.servers))],
		stream: []string{"whole", "gaps", "gaps", "never"}[random.IntN(4)],
	}
	l.input = w.draw(random)
	if arn := l.server.StreamARN(l.stream); random.IntN(2) == 0 {
		l.input.StreamARN = &arn
	} else {
		l.input.StreamName = &l.stream
	}
	boto3, others := w.walkers[0], w.walkers[1:]
	whole := boto3.walk(t, l).images
	var images []kvsio.Image
	drawPageSize(random, &l)
	for links := 0; links == 0 || l.config.StartingToken != ""; links++ {
		l.config.MaxItems = nil
		if links < 8 && random.IntN(8) > 0 {
			l.config.MaxItems = new(random.IntN(30))
		}
		if changing {
			drawPageSize(random, &l)
		}
		want := boto3.walk(t, l)
		for _, other := range others {
			if got := other.walk(t, l); want.failed != "" || !got.same(want) {
				t.Fatalf("link %d of the chain -chain-seed=%d: %v\n%s %v\nboto3 %v", links+1, seed, l, other.name, got, want)
			}
		}
		images = append(images, want.images...)
		l.config.StartingToken = want.token
	}
	if !changing && !sameImages(images, whole) {
		t.Fatalf("the chain -chain-seed=%d: %v\ngot  %v\nwant %v", seed, l, walked{images: images}, walked{images: whole})
	}
}

// draw makes a request of at most some 80 images, of no stream yet.
func (w *chainWorld) draw(random *rand.Rand) *archived.GetImagesInput {
	unit := time.Millisecond
	if w.wholeSeconds {
		unit = time.Second
	}
	upTo := func(d time.Duration) time.Duration { return time.Duration(random.Int64N(int64(d/unit)+1)) * unit }
	length := upTo(300 * time.Second)
	interval := max(200*time.Millisecond, length/time.Duration(1+random.IntN(80)))
	start := newYear.Add(upTo(5 * time.Minute))
	in := &archived.GetImagesInput{
		ImageSelectorType: types.ImageSelectorType("").Values()[random.IntN(2)],
		StartTimestamp:    &start, EndTimestamp: aws.Time(start.Add(length)),
		SamplingInterval: aws.Int32(int32(interval.Milliseconds())),
		Format:           types.FormatPng,
	}
	if random.IntN(2) == 0 {
		in.WidthPixels, in.HeightPixels = aws.Int32(1+random.Int32N(32)), aws.Int32(1+random.Int32N(32))
	}
	if random.IntN(3) > 0 {
		in.Format = types.FormatJpeg
		if random.IntN(2) == 0 {
			in.FormatConfig = map[string]string{"JPEGQuality": fmt.Sprint(1 + random.IntN(100))}
		}
	}
	return in
}

func drawPageSize(random *rand.Rand, l *link) {
	l.config.PageSize = nil
	if random.IntN(3) > 0 {
		l.config.PageSize = new(1 + random.IntN([]int{3, 10, 100}[random.IntN(3)]))
	}
}

func walkOurs(t *testing.T, l link) walked {
	t.Helper()
	page, err := l.ours(t.Context())
	if err == nil {
		return walked{images: page.Images, token: page.NextToken}
	}
	if code := codeOf(err); code != "" {
		return walked{failed: code}
	}
	return walked{failed: notTheServices}
}

func (l link) ours(ctx context.Context) (*kvsio.Page, error) {
	p := kvsio.PaginatorParams{
		AWS:        kvsio.AWSParams{EndpointURL: l.server.URL},
		CallParams: kvsio.CallParams{StreamQuota: kvsio.UnknownQuota},
	}
	pages, err := kvsio.NewPaginator(ctx, p, l.input, l.config)
	if err != nil {
		return nil, err
	}
	return pages.BuildFullResult(ctx)
}

func (p *program) walk(t *testing.T, l link) walked {
	t.Helper()
	return p.walkOrder(t, l.order(t))
}

func (p *program) walkOrder(t *testing.T, o order) walked {
	t.Helper()
	r := p.make(t, o)
	if r.Error != nil {
		return walked{failed: cmp.Or(r.Error.Code, notTheServices)}
	}
	w := walked{token: r.Pages[0].NextToken}
	for _, entry := range r.Pages[0].Images {
		w.images = append(w.images, kvsio.Image{
			TimeStamp: entry.TimeStamp.Time, Error: entry.Error,
			Content: entry.ImageContent,
		})
	}
	return w
}

// order is what a program is told to do.
func (l link) order(t *testing.T) order {
	t.Helper()
	token := l.server.endpoints.issue(l.stream, "GET_IMAGES", l.server.cfg.Now())
	config := members(t, l.config)
	delete(config, "SplitRange") // ours alone
	return order{
		Operation: "GetImages", Endpoint: l.server.URL + "/" + token, Input: members(t, l.input),
		Pagination: config,
	}
}

// members are those of a struct that are set.
func members(t *testing.T, v any) (set map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(asJSON(v)), &set); err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(set, func(_ string, v any) bool { return v == nil || v == "" })
	return set
}

func asJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // the members of plain structs
	}
	return string(text)
}
