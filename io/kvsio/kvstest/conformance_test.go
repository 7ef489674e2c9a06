//go:build conformance

package kvstest

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// Run .ci/clients first: it installs the clients.
//
//	go test -tags conformance ./io/kvsio/kvstest
//
// With -update it rewrites the exchanges in testdata/exchanges.
func TestClients(t *testing.T) {
	for _, kind := range clients {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			l, exchanges, played := newLab(t, kind, 0), openGolden(t, kind.name), 0
			for _, s := range scenarios {
				t.Run(s.name, func(t *testing.T) {
					played++
					of := *l
					of.T = t
					defer func() { exchanges.check(t, s.name, l.tape.taken()) }()
					s.play(&of)
				})
			}
			if played < len(scenarios) { // by -run
				return
			}
			for _, name := range l.unproved() {
				l.Errorf("no scenario shows %s", name)
			}
			if *update {
				exchanges.rewrite(t)
			}
		})
	}
}

// unproved are the errors that the service model has for the operations and
// that no scenario has shown.
func (l *lab) unproved() (missing []string) {
	for operation, errors := range l.documented {
		for code := range errors {
			if name := operation + " " + code; !l.proved[name] {
				missing = append(missing, name)
			}
		}
	}
	slices.Sort(missing)
	return missing
}

// What scenarios are held to is all that the service documents.
func TestDocumentedErrors(t *testing.T) {
	want := []string{
		"DescribeStream ClientLimitExceededException",
		"DescribeStream InvalidArgumentException",
		"DescribeStream NotAuthorizedException",
		"DescribeStream ResourceNotFoundException",
		"GetDataEndpoint ClientLimitExceededException",
		"GetDataEndpoint InvalidArgumentException",
		"GetDataEndpoint NotAuthorizedException",
		"GetDataEndpoint ResourceNotFoundException",
		"GetImages ClientLimitExceededException",
		"GetImages InvalidArgumentException",
		"GetImages NoDataRetentionException",
		"GetImages NotAuthorizedException",
		"GetImages ResourceNotFoundException",
		"ListStreams ClientLimitExceededException",
		"ListStreams InvalidArgumentException",
	}
	nothing := lab{documented: documented(t)}
	if got := nothing.unproved(); !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

var scenarios = []struct {
	name string
	play func(*lab)
}{
	{"describe a stream", describeAStream},
	{"list streams", listStreams},
	{"images in pages", imagesInPages},
	{"gaps", gaps},
	{"fractions of a second", fractions},
	{"PNG at a size", pngs},
	{"by ARN", byARN},
	{"images at the control plane", imagesOfTheControlPlane},
	{"another's data endpoint", anothersEndpoint},
	{"an expired data endpoint", expiredEndpoint},
	{"invalid arguments", invalidArguments},
	{"tokens of pages", tokensOfPages},
	{"no such stream", noSuchStream},
	{"no retention", noRetention},
	{"throttled", throttled},
	{"a wrong secret", wrongSecret},
	{"an unknown key", unknownKey},
	{"another region", anotherRegion},
	{"no permission", noPermission},
}

func describeAStream(l *lab) {
	for _, in := range []map[string]any{named("cam"), {"StreamARN": l.srv.StreamARN("cam")}} {
		got := l.must(order{Operation: "DescribeStream", Input: in})[0].StreamInfo
		want := described{
			StreamName: "cam", StreamARN: l.srv.StreamARN("cam"), Status: "ACTIVE", MediaType: "video/h264",
			Version: l.srv.streams["cam"].version, DataRetentionInHours: 87600, CreationTime: got.CreationTime,
		}
		if got != want || !got.CreationTime.Equal(newYear) {
			l.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
}

func listStreams(l *lab) {
	for _, c := range []struct{ prefix, want string }{
		{"", "blind busy cam door"},
		{"b", "blind busy"},
		{"x", ""},
	} {
		in := map[string]any{"MaxResults": 3}
		if c.prefix != "" {
			in["StreamNameCondition"] = map[string]any{"ComparisonOperator": "BEGINS_WITH", "ComparisonValue": c.prefix}
		}
		var names []string
		for _, page := range l.must(order{Operation: "ListStreams", Input: in, Pages: 10}) {
			for _, s := range page.StreamInfoList {
				names = append(names, s.StreamName)
			}
		}
		if got := strings.Join(names, " "); got != c.want {
			l.Errorf("%q: got %s, want %s", c.prefix, got, c.want)
		}
	}
}

func imagesInPages(l *lab) {
	pages := imagesOf("cam", l.dataEndpoint("cam"), map[string]any{"MaxResults": 7})
	pages.Pages = 10
	got, want := sketched("cam", 160, 90, l.must(pages)), everyThird(20)
	if got != want {
		l.Errorf("got  %s\nwant %s", got, want)
	}
	if calls := l.srv.Stats().GetImagesCalls; calls != 3 {
		l.Errorf("%d calls for 3 pages", calls)
	}
}

func gaps(l *lab) {
	const end = 3_600_000
	endpoint := l.dataEndpoint("cam")
	for _, c := range []struct {
		from, to, interval int
		want               string
	}{
		{1000, 4000, 1000, "1:empty 2:empty 3:empty 4:+"},
		{end - 4000, end + 4000, 2000, "3596:+ 3598:+ 3600:no_media 3602:no_media 3604:no_media"},
	} {
		got := sketched("cam", 160, 90, l.must(imagesOf("cam", endpoint, spanning(c.from, c.to, c.interval))))
		if got != c.want {
			l.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// Images stand at every tenth of a second.
func fractions(l *lab) {
	want := "4:+ 4.2:+ 4.5:+"
	if l.kind.wholeSeconds {
		want = "4:+"
	}
	got := sketched("cam", 160, 90, l.must(imagesOf("cam", l.dataEndpoint("cam"), spanning(4000, 4567, 250))))
	if got != want {
		l.Errorf("got  %s\nwant %s", got, want)
	}
}

func pngs(l *lab) {
	small := imagesOf("cam", l.dataEndpoint("cam"), spanning(0, 1000, 1000))
	small.Input["Format"], small.Input["WidthPixels"], small.Input["HeightPixels"] = "PNG", 320, 180
	if got := sketched("cam", 320, 180, l.must(small)); got != "0:png 1:png" {
		l.Errorf("got %s", got)
	}
}

func byARN(l *lab) {
	arn := l.srv.StreamARN("cam")
	endpoint := l.must(order{
		Operation: "GetDataEndpoint",
		Input:     map[string]any{"StreamARN": arn, "APIName": "GET_IMAGES"},
	})[0].DataEndpoint
	o := imagesOf("cam", endpoint, map[string]any{
		"StreamARN": arn, "ImageSelectorType": "SERVER_TIMESTAMP", "FormatConfig": map[string]any{"JPEGQuality": "1"},
	})
	delete(o.Input, "StreamName")
	if got, want := sketched("cam", 160, 90, l.must(o)), everyThird(20); got != want {
		l.Errorf("got  %s\nwant %s", got, want)
	}
}

func imagesOfTheControlPlane(l *lab) {
	pages := l.must(imagesOf("cam", l.srv.URL, nil))
	if got := sketched("cam", 160, 90, pages); got != "" || len(pages) != 1 || string(l.last().answered) != "{}" {
		l.Errorf("got %q in %d pages from %s", got, len(pages), l.last())
	}
}

func anothersEndpoint(l *lab) {
	l.refused(imagesOf("cam", l.dataEndpoint("door"), nil), "NotAuthorizedException")
	clips := l.must(order{Operation: "GetDataEndpoint", Input: named("cam", "APIName", "GET_CLIP")})[0].DataEndpoint
	l.refused(imagesOf("cam", clips, nil), "NotAuthorizedException")
}

func expiredEndpoint(l *lab) {
	short := spanning(0, 0, 3000)
	before := l.dataEndpoint("cam")
	l.must(imagesOf("cam", before, short))
	l.clock.Store(int64(46 * time.Minute))
	defer l.clock.Store(0)
	l.refused(imagesOf("cam", before, short), "NotAuthorizedException")
	l.must(imagesOf("cam", l.dataEndpoint("cam"), short))
}

func invalidArguments(l *lab) {
	both := named("cam", "StreamARN", l.srv.StreamARN("cam"))
	for _, o := range []order{
		{Operation: "DescribeStream", Input: both},
		{Operation: "GetDataEndpoint", Input: named("cam", "APIName", "GET_IMAGE")},
		{Operation: "ListStreams", Input: map[string]any{"NextToken": "AAAA"}},
		imagesOf("cam", l.dataEndpoint("cam"), spanning(0, 301_000, 3000)),
		imagesOf("cam", l.dataEndpoint("cam"), map[string]any{"NextToken": "AAAA"}),
	} {
		l.refused(o, badArgument)
	}
}

// A token is for the pages of its request, for five minutes, and as often as a
// client that makes its call again may need it.
func tokensOfPages(l *lab) {
	first := imagesOf("cam", l.dataEndpoint("cam"), map[string]any{"MaxResults": 8})
	token := l.must(first)[0].NextToken
	next := first
	next.Input = changed(first.Input, "NextToken", token)
	for range 2 {
		if got, want := sketched("cam", 160, 90, l.must(next)), everyThird(16)[len(everyThird(8))+1:]; got != want {
			l.Errorf("got  %s\nwant %s", got, want)
		}
	}
	another := next
	another.Input = changed(next.Input, "SamplingInterval", 6000)
	l.refused(another, badArgument)
	l.clock.Store(int64(pageTokenTTL))
	l.refused(next, badArgument)
	l.clock.Store(0)

	all := order{Operation: "ListStreams", Input: map[string]any{"MaxResults": 1}}
	all.Input = map[string]any{
		"MaxResults": 1, "NextToken": l.must(all)[0].NextToken,
		"StreamNameCondition": map[string]any{"ComparisonOperator": "BEGINS_WITH", "ComparisonValue": "c"},
	}
	l.refused(all, badArgument)
}

func noSuchStream(l *lab) {
	for _, o := range []order{
		{Operation: "DescribeStream", Input: named("nobody")},
		{Operation: "GetDataEndpoint", Input: named("nobody", "APIName", "GET_IMAGES")},
		imagesOf("nobody", l.dataEndpoint("cam"), nil),
	} {
		l.refused(o, "ResourceNotFoundException")
	}
}

func noRetention(l *lab) {
	l.refused(imagesOf("blind", l.dataEndpoint("blind"), nil), "NoDataRetentionException")
}

func throttled(l *lab) {
	busy := l.srv.streams["busy"]
	images := imagesOf("busy", l.dataEndpoint("busy"), nil)
	drain(busy.describes)
	drain(busy.endpointCalls)
	drain(l.srv.limits.list)
	for _, o := range []order{
		images,
		{Operation: "DescribeStream", Input: named("busy")},
		{Operation: "GetDataEndpoint", Input: named("busy", "APIName", "GET_IMAGES")},
		{Operation: "ListStreams", Input: map[string]any{}},
	} {
		l.refused(o, "ClientLimitExceededException")
	}
}

func wrongSecret(l *lab) {
	endpoint := l.dataEndpoint("cam")
	l.program = l.launch("AWS_SECRET_ACCESS_KEY=wrong")
	l.refused(order{Operation: "DescribeStream", Input: named("cam")}, "InvalidSignatureException")
	l.refused(imagesOf("cam", endpoint, nil), "InvalidSignatureException")
}

func unknownKey(l *lab) {
	l.program = l.launch("AWS_ACCESS_KEY_ID=nobody")
	l.refused(order{Operation: "DescribeStream", Input: named("cam")}, "UnrecognizedClientException")
}

func anotherRegion(l *lab) {
	l.program = l.launch("AWS_REGION=eu-west-1", "AWS_DEFAULT_REGION=eu-west-1")
	l.refused(order{Operation: "DescribeStream", Input: named("cam")}, "InvalidSignatureException")
}

func noPermission(l *lab) {
	endpoint := l.dataEndpoint("cam")
	l.program = l.launch("AWS_ACCESS_KEY_ID=visitor")
	for _, o := range []order{
		{Operation: "DescribeStream", Input: named("cam")},
		{Operation: "GetDataEndpoint", Input: named("cam", "APIName", "GET_IMAGES")},
		imagesOf("cam", endpoint, nil),
	} {
		l.refused(o, "NotAuthorizedException")
	}
}

// A clock that is off by more than five minutes is refused. Some clients then
// learn the right time from the answer, if they may try again.
func TestClocks(t *testing.T) {
	describe := order{Operation: "DescribeStream", Input: named("cam")}
	for _, kind := range clients {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			newLab(t, kind, 4*time.Minute).must(describe)
			for _, skew := range []time.Duration{6 * time.Minute, -6 * time.Minute} {
				l := newLab(t, kind, skew)
				l.refused(describe, "InvalidSignatureException")
				l.program = l.launch("AWS_MAX_ATTEMPTS=2")
				if kind.corrects {
					l.must(describe)
				} else {
					l.refused(describe, "InvalidSignatureException")
				}
			}
		})
	}
}
