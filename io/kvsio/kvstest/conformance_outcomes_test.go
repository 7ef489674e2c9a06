//go:build conformance

package kvstest

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	archived "github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia/types"

	"github.com/kvsframes/kvsframes/io/kvsio"
)

// What boto3 makes of a PaginationConfig that is odd, kvsio does too, or it
// says before a call that it cannot be right.
func TestOddPaginationConfigs(t *testing.T) {
	w := newChainWorld(t, clients[0])
	boto3 := launch(t, clients[0], w.servers[0].Env()...)
	object := func(json string) string { return base64.StdEncoding.EncodeToString([]byte(json)) }
	token := func(token string) kvsio.PaginationConfig { return kvsio.PaginationConfig{StartingToken: token} }
	type members = map[string]any
	for _, c := range []struct {
		name        string
		boto3       members // as a Python program says it; nil: as in config
		config      kvsio.PaginationConfig
		want, wants string // of boto3, and of kvsio if it differs
	}{
		{"nothing", members{}, kvsio.PaginationConfig{}, "11 images", ""},
		{
			"MaxItems as a text",
			members{"MaxItems": "5"},
			kvsio.PaginationConfig{MaxItems: new(5)},
			"5 images and a token",
			"",
		},
		{"PageSize as a text", members{"PageSize": "5"}, kvsio.PaginationConfig{PageSize: new(5)}, "11 images", ""},
		{"MaxItems 0", nil, kvsio.PaginationConfig{MaxItems: new(0)}, "0 images and a token", ""},
		{"MaxItems 11", nil, kvsio.PaginationConfig{MaxItems: new(11)}, "11 images", ""},
		{"MaxItems 12", nil, kvsio.PaginationConfig{MaxItems: new(12)}, "11 images", ""},
		{
			"MaxItems -1 loses an image", nil,
			kvsio.PaginationConfig{MaxItems: new(-1)},
			"10 images and a token",
			"refused before a call",
		},
		{"PageSize 0", nil, kvsio.PaginationConfig{PageSize: new(0)}, badArgument, "refused before a call"},
		{"PageSize 101", nil, kvsio.PaginationConfig{PageSize: new(101)}, badArgument, "refused before a call"},
		{"no token is no token here", members{"StartingToken": ""}, kvsio.PaginationConfig{}, badArgument, "11 images"},

		{"None", nil, token("None"), "11 images", ""},
		{"an old token", nil, token("None___2"), "9 images", ""},
		{"an old token that skips more than there is", nil, token("None___99"), "0 images", ""},
		{"a token without NextToken", nil, token(object(`{"boto_truncate_amount": 4}`)), "7 images", ""},
		{"an empty token", nil, token(object("{}")), "11 images", ""},
		{"None, written down", nil, token(object(`{"NextToken": "None"}`)), "11 images", ""},
		{"line breaks", nil, token(object(`{"NextToken": null, "boto_truncate_amount": 5}`) + "\n"), "6 images", ""},

		{"another service's token", nil, token("AgIC"), badArgument, ""},
		{"another service's token, written down", nil, token(object(`{"NextToken": "AgIC"}`)), badArgument, ""},
		{"an old token of another service", nil, token("AgIC___2"), badArgument, ""},
		{"no token at all", nil, token("not a token"), badArgument, "refused before a call"},
		{"one that is too long", nil, token(strings.Repeat("A", 4097)), badArgument, "refused before a call"},
		{"three parts", nil, token("a___b___3"), "refused before a call", ""},
		{"an old token with no number", nil, token("tok___two"), badArgument, "refused before a call"},
		{"a number, of which boto3 wants the members", nil, token(object("5")), "refused before a call", badArgument},
		{"a list", nil, token(object(`["x"]`)), badArgument, ""},
		{"a NextToken that is empty", nil, token(object(`{"NextToken": ""}`)), badArgument, "refused before a call"},
		{"a NextToken that is a number", nil, token(object(`{"NextToken": 5}`)), badType, "refused before a call"},
		{
			"a negative amount", nil, token(object(`{"NextToken": null, "boto_truncate_amount": -1}`)), "1 images",
			"refused before a call",
		},
		{
			"an amount that is a text", nil, token(object(`{"NextToken": null, "boto_truncate_amount": "2"}`)), notTheServices,
			"refused before a call",
		},
		{"a key that nobody knows", nil, token(object(`{"NextToken": null, "Marker": "x"}`)), "refused before a call", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := newYear.Add(time.Minute)
			l := link{w.servers[0], "whole", &archived.GetImagesInput{
				StreamName: new("whole"), ImageSelectorType: types.ImageSelectorTypeProducerTimestamp, Format: types.FormatPng,
				StartTimestamp: &start, EndTimestamp: new(start.Add(30 * time.Second)), SamplingInterval: new(int32(3000)),
			}, c.config}
			o := l.order(t)
			if c.boto3 != nil {
				o.Pagination = c.boto3
			}
			ask := func(walk func() walked) (walked, string) {
				l.server.ResetStats()
				w := walk()
				return w, w.outcome(l.server.Stats().GetImagesCalls)
			}
			theirs, got := ask(func() walked { return boto3.walkOrder(t, o) })
			if got != c.want {
				t.Errorf("boto3: %s, want %s", got, c.want)
			}
			ours, got := ask(func() walked { return walkOurs(t, l) })
			if want := cmp.Or(c.wants, c.want); got != want {
				t.Errorf("kvsio: %s, want %s", got, want)
			}
			if c.wants == "" && !ours.same(theirs) {
				t.Errorf("boto3 %v\nkvsio %v", theirs, ours)
			}
		})
	}
}

func (w walked) outcome(calls int) string {
	switch {
	case w.failed == notTheServices && calls == 0:
		return "refused before a call"
	case w.failed != "":
		return w.failed
	case w.token != "":
		return fmt.Sprintf("%d images and a token", len(w.images))
	}
	return fmt.Sprintf("%d images", len(w.images))
}
