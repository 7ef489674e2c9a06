package kvstest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideo"
	kvtypes "github.com/aws/aws-sdk-go-v2/service/kinesisvideo/types"
	archived "github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia/types"
	"github.com/aws/smithy-go"
)

// fragmentsEndpoint asks for the data endpoint of ListFragments.
func (f fixture) fragmentsEndpoint(stream string) string {
	f.Helper()
	out, err := f.control.GetDataEndpoint(f.Context(), &kinesisvideo.GetDataEndpointInput{
		StreamName: &stream, APIName: kvtypes.APINameListFragments,
	})
	if err != nil {
		f.Fatal(err)
	}
	return *out.DataEndpoint
}

// fragmentsOf lists the fragments that begin from one second after newYear to another, page
// by page.
func (f fixture) fragmentsOf(stream string, from, to float64, pageSize int64) (all []types.Fragment, pages int) {
	f.Helper()
	at := func(seconds float64) *time.Time {
		return aws.Time(newYear.Add(time.Duration(seconds * float64(time.Second))))
	}
	lister := archived.NewListFragmentsPaginator(f.client(f.fragmentsEndpoint(stream)), &archived.ListFragmentsInput{
		StreamName: &stream, MaxResults: &pageSize, FragmentSelector: &types.FragmentSelector{
			FragmentSelectorType: types.FragmentSelectorTypeProducerTimestamp,
			TimestampRange:       &types.TimestampRange{StartTimestamp: at(from), EndTimestamp: at(to)},
		},
	})
	for ; lister.HasMorePages(); pages++ {
		out, err := lister.NextPage(f.Context())
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, out.Fragments...)
	}
	return all, pages
}

// starts are the seconds after newYear at which fragments begin, with their lengths, in order.
func starts(fragments []types.Fragment) string {
	slices.SortFunc(fragments, func(a, b types.Fragment) int { return a.ProducerTimestamp.Compare(*b.ProducerTimestamp) })
	var all []string
	for _, fr := range fragments {
		begins := fr.ProducerTimestamp.Sub(newYear).Seconds()
		all = append(all, fmt.Sprintf("%v+%d", begins, fr.FragmentLengthInMilliseconds/1000))
	}
	return strings.Join(all, " ")
}

// TestListFragments: each fragment that begins in the range and is in the archive comes once.
func TestListFragments(t *testing.T) {
	cam := camera("cam")
	cam.Media = []Range{{newYear, newYear.Add(10 * time.Second)}, {newYear.Add(time.Hour), newYear.Add(2 * time.Hour)}}
	cam.Late = []Late{{newYear.Add(20 * time.Second), newYear.Add(30 * time.Second), newYear.Add(90 * time.Minute)}}
	cam.Delay, cam.Retention = new(5*time.Second), new(24*time.Hour)
	for _, test := range []struct {
		now      time.Duration
		from, to float64
		want     string
	}{
		{time.Hour, 0, 100, "0+4 4+4 8+2"},
		{time.Hour, 0.001, 4, "4+4"},
		{time.Hour, 4.001, 7.999, ""},
		{90 * time.Minute, 0, 100, "0+4 4+4 8+2 20+4 24+4 28+2"},
		{time.Hour + 13*time.Second, 3600, 7200, "3600+4 3604+4"},
		{24*time.Hour + 4*time.Second, 0, 100, "4+4 8+2 20+4 24+4 28+2"},
		{25 * time.Hour, 0, 100, "20+4 24+4 28+2"}, // what was late is kept from when it came
		{26 * time.Hour, 0, 100, ""},
	} {
		f := start(t, Config{Streams: []Stream{cam}, Now: func() time.Time { return newYear.Add(test.now) }})
		for _, size := range []int64{1, 2, 1000} {
			if all, _ := f.fragmentsOf("cam", test.from, test.to, size); starts(all) != test.want {
				t.Errorf("at %v, from %v to %v: %s, want %s", test.now, test.from, test.to, starts(all), test.want)
			}
		}
		// What is listed is what there are images of.
		out := f.mustImages("cam", window(0, 32*time.Second, 4*time.Second))
		late := strings.Contains(sketch(out.Images), "20:+")
		if late != strings.Contains(test.want, "20+4") && test.to == 100 {
			t.Errorf("at %v images are %s", test.now, sketch(out.Images))
		}
	}
}

// TestFragmentsAreUnordered: pages hold what they are asked for, in an order that tells nothing.
func TestFragmentsAreUnordered(t *testing.T) {
	f := start(t, Config{Streams: []Stream{camera("cam")}})
	all, pages := f.fragmentsOf("cam", 0, 3600, 300)
	if len(all) != 900 || pages != 3 {
		t.Errorf("%d fragments on %d pages", len(all), pages)
	}
	older := func(a, b types.Fragment) int { return a.ProducerTimestamp.Compare(*b.ProducerTimestamp) }
	first := slices.MaxFunc(all[:300], older).ProducerTimestamp
	if slices.IsSortedFunc(all, older) || !all[300].ProducerTimestamp.Before(*first) {
		t.Error("they are in order")
	}
	if n := f.srv.Stats().ListFragmentsCalls; n != 3 {
		t.Errorf("%d calls are counted", n)
	}
	slices.SortFunc(all, older)
	for i, fr := range all[1:] {
		if !(*fr.FragmentNumber > *all[i].FragmentNumber) || fr.FragmentSizeInBytes != 1_000_000 ||
			!fr.ServerTimestamp.Equal(*fr.ProducerTimestamp) ||
			!fr.ProducerTimestamp.Equal(newYear.Add(time.Duration(4*(i+1))*time.Second)) {
			t.Fatalf("fragment %d is %+v", i+1, fr)
		}
	}
}

// TestFragmentsAreRefused: where a stream forbids it, elsewhere than at its endpoint, and faster than the quota.
func TestFragmentsAreRefused(t *testing.T) {
	closed, poor := camera("closed"), camera("poor")
	closed.ListFragmentsDenied = true
	poor.Quota = &Quota{MetadataPoints: 150}
	f := start(t, Config{Streams: []Stream{camera("cam"), closed, poor}, BeforeRetention: "invalid_argument"})
	ask := func(stream, endpoint string) error {
		_, err := f.client(endpoint).ListFragments(t.Context(), &archived.ListFragmentsInput{
			StreamName: &stream, FragmentSelector: &types.FragmentSelector{
				FragmentSelectorType: types.FragmentSelectorTypeServerTimestamp,
				TimestampRange:       &types.TimestampRange{StartTimestamp: aws.Time(newYear), EndTimestamp: aws.Time(newYear)},
			},
		})
		return err
	}
	if err := ask("cam", f.fragmentsEndpoint("cam")); err != nil {
		t.Error(err)
	}
	poorly := f.fragmentsEndpoint("poor")
	if err := ask("poor", poorly); err != nil {
		t.Error(err)
	}
	for _, test := range []struct{ stream, endpoint, code string }{
		{"closed", f.fragmentsEndpoint("closed"), "AccessDeniedException"},
		{"cam", f.endpoint("cam"), "NotAuthorizedException"},
		{"cam", f.fragmentsEndpoint("poor"), "NotAuthorizedException"},
		{"cam", f.srv.URL, "UnknownOperationException"},
		{"poor", poorly, "ClientLimitExceededException"}, // 100 of 150 points are gone
		{"nope", f.fragmentsEndpoint("cam"), "ResourceNotFoundException"},
	} {
		var refused smithy.APIError
		if err := ask(test.stream, test.endpoint); !errors.As(err, &refused) || refused.ErrorCode() != test.code {
			t.Errorf("%s: %v, want %s", test.stream, err, test.code)
		}
	}
}

// TestListFragmentsConstraints: what the service's model allows, and no more.
func TestListFragmentsConstraints(t *testing.T) {
	f := start(t, Config{Streams: []Stream{camera("cam"), {Name: "blind", Retention: new(time.Duration(0))}}})
	at := func(from, to any) map[string]any { return map[string]any{"StartTimestamp": from, "EndTimestamp": to} }
	selector := func(kind, times any) map[string]any {
		return map[string]any{"FragmentSelector": map[string]any{"FragmentSelectorType": kind, "TimestampRange": times}}
	}
	second := float64(newYear.Unix())
	base := selector("PRODUCER_TIMESTAMP", at(second, second+60))
	base["StreamName"] = "cam"
	another := selector("PRODUCER_TIMESTAMP", at(second, second+59))
	_, _, body := signer{}.do(t, f.fragmentsEndpoint("cam")+"/listFragments", with(base, map[string]any{"MaxResults": 3}))
	_, token, _ := strings.Cut(body, `"NextToken":"`)
	token, _, _ = strings.Cut(token, `"`)
	another["NextToken"] = token
	list := append(streamConstraints(f.srv.StreamARN("cam")), []constraint{
		{"no selector", map[string]any{"FragmentSelector": absent{}}, badArgument},
		{"no selector, a token", map[string]any{"FragmentSelector": absent{}, "NextToken": token}, ""},
		{"a token", map[string]any{"NextToken": token}, ""},
		{"another's token", another, badArgument},
		{"no token", map[string]any{"NextToken": "AAAA"}, badArgument},
		{"token empty", map[string]any{"NextToken": ""}, badArgument},
		{"by the server's clock", selector("SERVER_TIMESTAMP", at(second, second)), ""},
		{"another selector", selector("FRAGMENT_NUMBER", at(second, second)), badArgument},
		{"no type", selector(nil, at(second, second)), badArgument},
		{"no range", selector("SERVER_TIMESTAMP", nil), badArgument},
		{"no end", selector("SERVER_TIMESTAMP", at(second, nil)), badArgument},
		{"an end before the start", selector("SERVER_TIMESTAMP", at(second, second-1)), badArgument},
		{"a day", selector("SERVER_TIMESTAMP", at(second, second+86400)), ""},
		{"a start in words", selector("SERVER_TIMESTAMP", at("now", second)), badType},
		{"MaxResults 0", map[string]any{"MaxResults": 0}, badArgument},
		{"MaxResults 1", map[string]any{"MaxResults": 1}, ""},
		{"MaxResults 1000", map[string]any{"MaxResults": 1000}, ""},
		{"MaxResults 1001", map[string]any{"MaxResults": 1001}, badArgument},
	}...)
	checkConstraints(t, f.fragmentsEndpoint("cam")+"/listFragments", base, list)
	checkConstraints(t, f.fragmentsEndpoint("blind")+"/listFragments", base, []constraint{
		{"stream without retention", map[string]any{"StreamName": "blind"}, "NoDataRetentionException"},
	})
}
