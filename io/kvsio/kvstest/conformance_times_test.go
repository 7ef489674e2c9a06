//go:build conformance

package kvstest

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/kvsio"
)

// Whatever kvsio.ParseTime takes for an instant, boto3 takes for the same one
// whatever the zone of its machine.
func TestTimesAreBoto3s(t *testing.T) {
	l := newLab(t, clients[0], 0)
	boto3 := l.launch("TZ=Asia/Tokyo")
	endpoint, taken := l.dataEndpoint("cam"), 0
	texts := writtenTimes(rand.New(rand.NewPCG(*chainSeed, 0)))
	for _, text := range texts {
		ours, err := kvsio.ParseTime(text)
		if err != nil {
			continue
		}
		taken++
		o := imagesOf("cam", endpoint, map[string]any{"StartTimestamp": text})
		l.tape.taken()
		boto3.make(t, o)
		sent := l.tape.taken()
		if len(sent) != 1 {
			t.Errorf("ParseTime(%q) is %v, and boto3 refuses it", text, ours)
			continue
		}
		var in struct{ StartTimestamp json.Number }
		if err := json.Unmarshal(sent[0].body, &in); err != nil {
			t.Fatal(err)
		}
		// Python counts microseconds, and does it in a float.
		theirs, _ := new(big.Rat).SetString(in.StartTimestamp.String())
		apart := theirs.Sub(theirs, big.NewRat(ours.UnixMicro(), 1e6))
		if apart.Abs(apart).Cmp(big.NewRat(2, 1e6)) > 0 {
			t.Errorf("ParseTime(%q) is %v, %d.%06d; boto3 sends %s (-chain-seed=%d)", text, ours, ours.Unix(),
				ours.Nanosecond()/1000, in.StartTimestamp, *chainSeed)
		}
	}
	if taken < 300 || taken > len(texts)/2 {
		t.Errorf("%d of %d texts were taken", taken, len(texts))
	}
}

// writtenTimes are instants in all forms that come to mind, and in some that
// are none.
func writtenTimes(random *rand.Rand) (texts []string) {
	instant := func() time.Time { return time.Unix(random.Int64N(1<<32), random.Int64N(1e9)).UTC() }
	oneOf := func(of ...string) string { return of[random.IntN(len(of))] }
	zone := func() string {
		return oneOf("", "", " ") + oneOf("", "Z", "z", "UTC", "GMT", "EST", "+02:00", "-0230", "+09", "-00:00", "+23:59",
			"-24:00", "+2", "GMT+2")
	}
	fraction := func() string {
		return oneOf("", "", oneOf(".", ",")+fmt.Sprint(random.IntN(1_000_000_000)), ".", ".5")
	}
	for range 2000 { // ISO 8601
		date := oneOf("2006-01-02", "2006-01-02", "20060102", "2006-0102", "02/01/2006", "2006-01", "2006-002")
		clock := oneOf("15:04:05", "15:04:05", "15:04", "150405", "1504", "15", "15:0405", "3:04:05")
		texts = append(texts, instant().Format(date+oneOf("T", "T", " ", "t", "  ", "_")+clock)+fraction()+zone())
		texts = append(texts, instant().Format(date)+zone())
	}
	for range 1000 { // mail
		texts = append(texts, instant().Format(oneOf("Mon, ", "Mon, ", "", "Mon ", "Sat, ", "Monday, ")+oneOf("02", "2",
			"_2")+
			oneOf(" Jan", " Jan", " January", "-Jan", " 01")+oneOf(" 2006", " 2006", " 06")+oneOf(" 15:04:05", " 15:04:05",
			" 15:04", ""))+zone())
	}
	for range 1000 { // numbers
		n := oneOf(fmt.Sprint(random.Int64N(1<<33)), fmt.Sprint(random.Int64N(1000)), fmt.Sprint(random.Int64N(1<<50)))
		texts = append(texts, oneOf("", "", "", "+", "-")+n+fraction()+oneOf("", "", "", "e0", "e-3", "E+1", "e", "e-12",
			"e300"))
	}
	return append(texts, strings.Fields("0 -0 1e9 1.7698536e9 NaN inf 0x10 1_000 20260131 20260131.0 20260131100000 "+
		"20260131T100000Z 2262-04-11T23:47:16Z today")...)
}
